"""``replay``: the log, or what the stream retains, fed to the consumer again; and ``--rebuild``."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ops.asked import Bound
from ops.errors import AWS, PENDING, USAGE, Problem
from ops.output import as_json, counting, facts, lines, say
from ops.reading import REBUILD_AGAIN
from ops.target import Target
from storage.errors import Damaged, LogIncomplete, NotTaken, Unreachable
from storage.rebuild import rebuild as rebuild_from_log
from storage.redelivery import from_stream
from storage.replay import Batch, Invoke, feed, from_archive, recall

Bounds = tuple[Bound | None, Bound | None]
RESTING = "The log has everything. Until the rebuild is ended, fetcher and consumer rest."
MAX_LISTED = 1_000  # of what the log lacks


def replay(target: Target, source: str, bounds: Bounds, dry: bool) -> int:
    """Feed what lies between the bounds to the consumer; how many records that were. Raises Problem while a
    rebuild is under way."""
    batches, total = _batches(target, source, bounds)
    if dry:
        return sum(batch.records for batch in batches)
    if held := target.ledger.head().held:
        raise Problem(f"Nothing can be replayed: {held.reason}.", RESTING, f"{REBUILD_AGAIN}.", PENDING)
    with _counted("Replaying", total) as move:
        count = feed(batches, _invoke(target), move)
    if source == "archive":
        recall(target.ledger, target.now())
    return count


def rebuild(target: Target) -> int:
    """Empty tables and days, and fill them from the log; how many events that were. Raises LogIncomplete or
    Damaged, with nothing emptied, where the log can't give back what there is."""
    total = len(target.archive.log_names())
    try:
        with _counted("Rebuilding", total) as move:
            return rebuild_from_log(
                target.ledger, target.tables, target.archive, _invoke(target), target.now, move
            )
    except LogIncomplete as lack:
        lines("".join(f"{item}\n" for item in lack.missing[:MAX_LISTED]), err=True, nl=False)
        raise
    except Damaged:
        raise
    except KeyboardInterrupt:
        if target.ledger.head().held:
            say(f"{RESTING} {REBUILD_AGAIN}.")
        raise
    except Exception as error:
        if target.ledger.head().held is None:
            raise
        problem = f"The rebuild was not ended: {type(error).__name__}: {error}"
        raise Problem(problem, RESTING, f"{REBUILD_AGAIN}.", AWS) from error


def tell(target: Target, replayed: int, dry: bool, as_data: bool) -> None:
    """What was replayed, and where that leaves the ledger."""
    head = target.ledger.head()
    found = {
        "replayed": replayed,
        "dry_run": dry,
        "days": len(target.ledger.days()),
        "last_acknowledged": head.last_acknowledged and head.last_acknowledged.isoformat(),
        "stamp": head.stamp,
    }
    if as_data:
        as_json(found)
    else:
        facts(
            {
                "Would be replayed" if dry else "Replayed": f"{replayed:,} events",
                "Days acknowledged": found["days"],
                "Last acknowledged date": found["last_acknowledged"],
            }
        )


def _batches(target: Target, source: str, bounds: Bounds) -> tuple[Iterable[Batch], int]:
    """The batches, and how many there are at most; 0 where that isn't known before."""
    first, last = bounds
    if source == "archive":
        found = from_archive(target.archive, first and first.start, last and last.end)
        return found, len(target.archive.log_names())
    if first and not first.sequence and target.clock is not None and first.start > target.clock():
        raise Problem(
            f"{first.start:%Y-%m-%d %H:%M} lies ahead: the stream holds nothing from then on.",
            "Nothing was replayed.",
            code=USAGE,
        )
    start, end = first and (first.sequence or first.start), last and (last.sequence or last.end)
    return from_stream(target.client("kinesis"), target.facts["stream"], start, end), 0


def _invoke(target: Target) -> Invoke:
    def invoke(payload: bytes) -> Any:
        return target.invoke("consumer", payload).response

    return invoke


@contextmanager
def _counted(what: str, total: int) -> Iterator[Callable[[Batch], None]]:
    """A bar; where the replay ends before its end, it is said how far it came."""
    count, until = 0, ""

    def move(batch: Batch) -> None:
        nonlocal count, until
        count, until = count + batch.records, batch.until or until
        bar(1)

    try:
        with counting(what, total) as bar:
            yield move
    except (KeyboardInterrupt, NotTaken, Damaged, Unreachable):
        if until:
            say(f"\n{count:,} events were replayed, up to {until}; they stand.")
        raise

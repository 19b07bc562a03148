"""``replay``: the log, or what the stream retains, fed to the consumer again; and ``--rebuild``."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from ops.errors import AWS, PENDING, USAGE, Problem
from ops.held import GOES_ON
from ops.json_output import as_json
from ops.options import BOUND, JSON, Bound, Options, command
from ops.stack import Stack
from ops.terminal import facts, line, lines, progress, say
from schemas.answer import Answer, text, whole, yes_or_no
from schemas.ledger import BACKFILL, REBUILD
from storage.errors import Damaged, HeldByAnother, LogIncomplete, NotTaken, Unreachable

if TYPE_CHECKING:
    from storage.replay import Batch

RESTING = "The log has everything. Until the rebuild is ended, fetcher and consumer rest."
MAX_LISTED = 1_000  # of what the log lacks


class ReplayAnswer(Answer):
    """What was replayed, and where that leaves the ledger."""

    replayed = whole()
    dry_run = yes_or_no()
    days = whole()
    last_acknowledged = text(nullable=True)
    stamp = whole()


ANSWER = ReplayAnswer()


@command()
@JSON
@click.option(
    "--from", "first", type=BOUND, help="Where to begin: when a day was entered, not the day's own date."
)
@click.option("--to", "last", type=BOUND, help="Where to end, inclusive; a date is its whole day, UTC.")
@click.option(
    "--source",
    type=click.Choice(["archive", "stream"]),
    default="archive",
    show_default=True,
    help="The permanent log, or what the stream retains.",
)
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option(
    "--rebuild", is_flag=True, help="Empty tables and day entries first; asks for the stack's name."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
def replay(
    options: Options,
    as_data: bool,
    first: Bound | None,
    last: Bound | None,
    source: str,
    dry_run: bool,
    rebuild: bool,
    yes: bool,
) -> None:
    """Feed events to the consumer again. Beside live runs too; nothing is sent. From the archive, tables and
    ledger are made to follow the log, and the bounds are when a day was entered; from the stream, records are
    decided like live ones, and the bounds are when they arrived there, or sequence numbers.

    --rebuild serves after a loss, and after a change of the mapping from event to row. Exit code 7, with
    nothing emptied, where the log lacks something that ledger or tables have. Interrupted, it is ended by the
    same command."""
    if source == "archive" and any(bound and bound.sequence for bound in (first, last)):
        raise click.UsageError("sequence numbers are the stream's: --source stream")
    if rebuild and (first or last or source != "archive"):
        raise click.UsageError("--rebuild takes the whole archive: without --from, --to and --source stream")
    if first and last and first.lies_after(last):
        raise click.UsageError("--from lies after --to")
    with options.stack() as stack:
        if rebuild and not dry_run:
            if not yes:
                _confirm(stack)
            count = remake(stack)
        else:
            count = again(stack, source, first, last, dry_run)
            if not count and source == "archive" and (first or last):
                say(_entered(stack))
        stack.save()
        head = stack.ledger.head()
        state = {
            "replayed": count,
            "dry_run": dry_run,
            "days": len(stack.ledger.days()),
            "last_acknowledged": head.last_acknowledged,
            "stamp": head.stamp,
        }
    if as_data:
        as_json(ANSWER, state)
    else:
        facts(
            {
                "Would be replayed" if dry_run else "Replayed": f"{count:,} events",
                "Days acknowledged": state["days"],
                "Last acknowledged date": state["last_acknowledged"],
            }
        )


def _confirm(stack: Stack) -> None:
    """Ask for the stack's name. Raises UsageError for another."""
    line(f"This empties the tables and day entries of {stack.description}.", err=True)
    line("They are filled from the log. Nothing of the log is touched.", err=True)
    name = stack.facts["stack"]
    if click.prompt(f"Type the stack's name ({name}) to go on", err=True) != name:
        raise click.UsageError("that is not its name; nothing was changed")


def _entered(stack: Stack) -> str:
    """The span of the log, where nothing of it lies between the bounds."""
    from storage.archive import distinct

    events = distinct(event for log in stack.archive.log() for event in log)
    if not events:
        return "The log has no event yet."
    span = f"{events[0].recorded_at:%Y-%m-%d %H:%M} to {events[-1].recorded_at:%Y-%m-%d %H:%M} UTC"
    return (
        "Nothing was entered between these bounds, which are moments of entering, not dates of the record. "
        f"The log's {len(events):,} events were entered from {span}."
    )


def again(stack: Stack, source: str, first: Bound | None, last: Bound | None, dry: bool) -> int:
    """Feed what lies between the bounds to the consumer; how many records that were. Raises Problem while a
    rebuild is under way."""
    from storage.replay import feed, recall

    batches, total = _batches(stack, source, first, last)
    if dry:
        return sum(batch.records for batch in batches)
    if held := stack.ledger.head().held:
        raise Problem(f"Nothing can be replayed: {held.reason}.", "", f"{GOES_ON[held.work]}.", PENDING)
    with _counted("Replaying", total) as move:
        count = feed(batches, _consumer(stack), move)
    if source == "archive":
        recall(stack.ledger, stack.now())
    return count


def remake(stack: Stack) -> int:
    """Empty tables and days, and fill them from the log; how many events that were. Raises LogIncomplete or
    Damaged, with nothing emptied, where the log can't give back what there is."""
    from storage.rebuild import rebuild

    total = len(stack.archive.log_names())
    try:
        with _counted("Rebuilding", total) as move:
            return rebuild(stack.ledger, stack.tables, stack.archive, _consumer(stack), stack.now, move)
    except LogIncomplete as lack:
        lines("".join(f"{item}\n" for item in lack.missing[:MAX_LISTED]), err=True, nl=False)
        raise
    except HeldByAnother as another:
        safe, remedy = "Nothing was emptied.", f"{GOES_ON[BACKFILL]}."
        raise Problem(f"Nothing can be rebuilt: {another}.", safe, remedy, PENDING) from another
    except Damaged:
        raise
    except KeyboardInterrupt:
        if stack.ledger.head().held:
            say(f"{RESTING} {GOES_ON[REBUILD]}.")
        raise
    except Exception as error:
        if stack.ledger.head().held is None:
            raise
        problem = f"The rebuild was not ended: {type(error).__name__}: {error}"
        raise Problem(problem, RESTING, f"{GOES_ON[REBUILD]}.", AWS) from error


def _batches(
    stack: Stack, source: str, first: Bound | None, last: Bound | None
) -> tuple["Iterable[Batch]", int | None]:
    """The batches, and how many there are at most; None where that isn't known before."""
    from storage.redelivery import from_stream
    from storage.replay import from_archive

    if source == "archive":
        batches = from_archive(stack.archive, first and first.start, last and last.end)
        return batches, len(stack.archive.log_names())
    if first and not first.sequence and stack.clock is not None and first.start > stack.clock():
        raise Problem(
            f"{first.start:%Y-%m-%d %H:%M} lies ahead: the stream holds nothing from then on.",
            "Nothing was replayed.",
            code=USAGE,
        )
    start, end = first and (first.sequence or first.start), last and (last.sequence or last.end)
    return from_stream(stack.client("kinesis"), stack.facts["stream"], start, end), None


def _consumer(stack: Stack) -> Callable[[bytes], Any]:
    return lambda payload: stack.invoke("consumer", payload).response


@contextmanager
def _counted(what: str, total: int | None) -> Iterator["Callable[[Batch], None]"]:
    """Progress by batches; where the replay ends before its end, say how far it came."""
    count, until = 0, ""

    def move(batch: "Batch") -> None:
        nonlocal count, until
        count, until = count + batch.records, batch.until or until
        advance(1)

    try:
        with progress(what, total) as advance:
            yield move
    except (KeyboardInterrupt, NotTaken, Damaged, Unreachable):
        if until:
            say(f"\n{count:,} events were replayed, up to {until}; they stand.")
        raise

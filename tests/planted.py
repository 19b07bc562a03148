"""Bugs that others have made, each a small change of our code; and which faults find it.

A patch is text: where the code it changes is no longer there, applying it fails, and so does its test.
"""

import importlib
import types
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faults
import scenarios
from faults import Case
from scenarios import DELIVERY, PARTIAL
from system import System

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bug:
    """``changes`` are (module, the code, what it is replaced by); ``found`` plays what must find it."""

    changes: tuple[tuple[str, str, str], ...]
    found: Callable[[System], None]


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The functions of the changed modules run the changed code, whoever holds them."""
    sources: dict[str, str] = {}
    for module, old, new in bug.changes:
        source = sources.get(module) or (ROOT / f"{module.replace('.', '/')}.py").read_text()
        assert source.count(old) == 1, f"the patch of {module} doesn't apply any more: {old!r}"
        sources[module] = source.replace(old, new)
    with ExitStack() as stack:
        changed = 0
        for name, source in sources.items():
            module = importlib.import_module(name)
            other = types.ModuleType(name)
            # Dataclasses look their module up by its name.
            exec(compile(source, f"{name}, patched", "exec"), vars(other))  # noqa: S102
            for ours, theirs in _functions(vars(module), vars(other), name):
                if _said(ours.__code__) != _said(theirs.__code__):
                    stack.callback(setattr, ours, "__code__", ours.__code__)
                    ours.__code__ = theirs.__code__
                    changed += 1
        assert changed, "the patch changes nothing"
        yield


def _functions(ours: Any, theirs: Any, module: str) -> Iterator[tuple[Any, Any]]:
    for name, value in list(ours.items()):
        other = theirs.get(name)
        value, other = _bare(value), _bare(other)  # noqa: PLW2901
        if isinstance(value, types.FunctionType) and value.__module__ == module and other is not None:
            if value.__code__.co_freevars == other.__code__.co_freevars:
                yield value, other
        elif isinstance(value, type) and value.__module__ == module and isinstance(other, type):
            yield from _functions(dict(vars(value)), dict(vars(other)), module)


def _bare(value: Any) -> Any:
    """The function within a property."""
    return getattr(value, "fget", None) or getattr(value, "func", None) or value


def _said(code: types.CodeType) -> Any:
    """What a function does, wherever it is written: instructions, constants and names, and those within."""
    within = [_said(value) if isinstance(value, types.CodeType) else repr(value) for value in code.co_consts]
    return code.co_code, within, code.co_names


def case(situation: str, handler: str, operation: str, place: int, way: str) -> Callable[[System], None]:
    """The case of the matrix whose call is the place-th of this operation by this handler, from 0."""

    def play(daybook: System) -> None:
        calls = [
            call
            for call in faults.recorded(daybook, situation)
            if (call.handler, call.operation) == (handler, operation)
        ]
        faults.play(daybook, Case(situation, calls[place], way))

    return play


def situation(name: str) -> Callable[[System], None]:
    def play(daybook: System) -> None:
        faults.recorded(daybook, name)

    return play


def scenario(
    found: scenarios.Scenario, copies: bool = False, reasons: bool = True
) -> Callable[[System], None]:
    def play(daybook: System) -> None:
        scenarios.survived(daybook, found, copies, reasons)

    return play


CONSUMER, DECIDE, LEDGER = "functions.consumer", "functions.decide", "functions.ledger"

BUGS: dict[str, Bug] = {
    "acknowledge before the write": Bug(
        (
            (
                CONSUMER,
                "    decision, refused = write(at, decide(events.values(), reading.entries, now))\n",
                "    decision, refused = decide(events.values(), reading.entries, now), {}\n",
            ),
            (
                CONSUMER,
                '    log.line(\n        "acknowledged",',
                '    write(at, decision)\n    log.line(\n        "acknowledged",',
            ),
        ),
        case("first load", "consumer", "WriteRecords", 0, "refused"),
    ),
    "ignore FailedRecordCount": Bug(
        (("functions.stream", 'if not answer["FailedRecordCount"]:', "if answer:"),),
        scenario(PARTIAL["a record in the middle isn't put"]),
    ),
    "the newest date for the contiguous one": Bug(
        ((DECIDE, "run.newest if waiting is None else run.new[waiting]", "run.newest"),),
        scenario(DELIVERY["a record in the middle can't be decoded"], reasons=False),
    ),
    "newest first": Bug(
        (
            (
                "functions.diff",
                "key=lambda day: day.date,\n    )",
                "key=lambda day: day.date, reverse=True\n    )",
            ),
        ),
        situation("first load"),
    ),
    ">= for > on versions": Bug(
        ((DECIDE, "event.version > entry.version and (other", "event.version >= entry.version and (other"),),
        scenario(DELIVERY["a day entered anew is delivered twice"]),
    ),
    "an older event overwrites": Bug(
        ((DECIDE, "event.version > entry.version and (other", "event.version > 0 and (other"),),
        scenario(DELIVERY["one record comes again"]),
    ),
    "missing as zero": Bug(
        (("functions.transform", "{date: None if date in taken_back", "{date: 0 if date in taken_back"),),
        scenario(scenarios.recoveries_end),
    ),
    "304 while something is pending": Bug(
        (
            ("functions.outcome", "if run.etags and not run.failed else None", "if run.etags else None"),
            (CONSUMER, "(reading.head, replace(reading.head, settled=None))", "(reading.head, reading.head)"),
        ),
        scenario(DELIVERY["the last event is invalid"]),
    ),
    "swallow an exception": Bug(
        (("functions.archive", 'if code(error) != "PreconditionFailed":', "if not code(error):"),),
        case("first load", "consumer", "PutObject", 0, "access denied"),
    ),
    "alert at each retry": Bug(
        (
            (
                "functions.reporter",
                'name = f"undelivered/{shard}/{first}-{last}"',
                "name = f\"undelivered/{shard}/{first}-{last}/{message['requestContext']['requestId']}\"",
            ),
        ),
        scenario(DELIVERY["a message about a batch comes again before its days do"]),
    ),
    "count duplicates as done": Bug(
        (
            (
                DECIDE,
                'elif event.version > entry.version:\n            sets["duplicate"]',
                'elif event.version > entry.version:\n            sets["updated"]',
            ),
        ),
        scenario(DELIVERY["one restatement by two runs in flight"]),
    ),
    "id without version": Bug(
        (
            (
                "schemas.event",
                'return f"{self.subject}/{self.version}/{self.day.counts.digest}"',
                'return f"{self.subject}/{self.day.counts.digest}"',
            ),
        ),
        scenario(DELIVERY["A, B, A, B in flight"], reasons=False),
    ),
    "mark as sent before sending": Bug(
        (
            (
                "functions.notices",
                "                    self.publish(notice)\n                    ledger.mark_sent(name, now)\n",
                "                    ledger.mark_sent(name, now)\n                    self.publish(notice)\n",
            ),
        ),
        case("first load", "consumer", "Publish", 0, "refused"),
    ),
    "begin again from the last record": Bug(
        ((CONSUMER, '"itemIdentifier": chunk[0].sequence}', '"itemIdentifier": records[-1].sequence}'),),
        scenario(PARTIAL["the store is throttled within the first batch"]),
    ),
    "the stamp forgets what was replaced": Bug(
        ((DECIDE, "for day in decision.days) - replaced", "for day in decision.days)"),),
        situation("restated days"),
    ),
    "no row in revisions": Bug(
        (
            (
                "functions.store",
                "[row for row in rows if row.event not in refused], revision_record",
                "[], revision_record",
            ),
        ),
        situation("restated days"),
    ),
    "no archive": Bug(
        (
            (
                CONSUMER,
                "[record.event for record in chunk if record.event])",
                "[record.event for record in chunk if record.event][1:])",
            ),
        ),
        situation("first load"),
    ),
    "transactions without the head's condition": Bug(
        ((LEDGER, '"moves", before.moves or None),', "None, None),"),),
        scenario(DELIVERY["another fetcher while one stores its run"]),
    ),
    "what was not told is taken for not entered": Bug(
        (
            (
                "functions.reporter",
                "missing = [record for record in records if not _accounted(record, readings)]",
                "missing = list(records)",
            ),
        ),
        case("first load", "consumer", "Publish", 0, "access denied"),
    ),
    "who could not tell has failed": Bug(
        (("functions.reporter", "stored.state != OPEN or told_only", "stored.state != OPEN"),),
        scenario(scenarios.only_telling_fails, copies=True),
    ),
}

"""Bugs that others have made, or could make: each changes one node of one function's syntax tree."""

import ast
import importlib
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
Change = Callable[[ast.AST], None]


@dataclass(frozen=True)
class Bug:
    """``function``: its module and qualified name, ``functions.decide:_outcome``. ``found`` names what must
    find it: a file of tests/scenarios, or a scenario of tests/partial.py."""

    function: str
    change: Change
    found: str


def instead(of: str, becomes: str) -> Change:
    """The one node that is this expression, or this statement, becomes another."""
    old, new = _parsed(of), _parsed(becomes)

    def change(function: ast.AST) -> None:
        replacer = _Replacer(old, new)
        replacer.visit(function)
        assert replacer.count == 1, f"{of!r} is there {replacer.count} times"

    return change


def left_out(of: str) -> Change:
    """The one statement that is, or begins with, this is left out."""
    return lambda function: _in_block(
        function, of, lambda body, place: [*body[:place], ast.Pass(), *body[place + 1 :]]
    )


def exchanged(of: str) -> Change:
    """The one statement that begins so, and the next one, change places."""
    return lambda function: _in_block(
        function, of, lambda body, place: [*body[:place], body[place + 1], body[place], *body[place + 2 :]]
    )


@contextmanager
def planted(bug: Bug) -> Iterator[None]:
    """The function runs the changed code, whoever holds it."""
    module, _, name = bug.function.partition(":")
    function = _function(importlib.import_module(module), name)
    tree = ast.parse(_source(module))
    bug.change(_definition(tree, name))
    code = compile(ast.fix_missing_locations(tree), f"{module}, planted", "exec")
    before, function.__code__ = function.__code__, _code(code, name)
    try:
        yield
    finally:
        function.__code__ = before


@cache
def _source(module: str) -> str:
    return (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


def _parsed(text: str) -> ast.AST:
    (statement,) = ast.parse(text).body
    return statement.value if isinstance(statement, ast.Expr) else statement


class _Replacer(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new, self.count = ast.dump(old), new, 0

    def visit(self, node: ast.AST) -> Any:
        if ast.dump(node) == self._old:
            self.count += 1
            return self._new
        return self.generic_visit(node)


def _in_block(function: ast.AST, begins: str, change: Callable[[list[Any], int], list[Any]]) -> None:
    blocks = [
        (node, name, body)
        for node in ast.walk(function)
        for name, body in ast.iter_fields(node)
        if isinstance(body, list) and body and isinstance(body[0], ast.stmt)
    ]
    places = [
        (node, name, place)
        for node, name, body in blocks
        for place, statement in enumerate(body)
        if ast.unparse(statement).startswith(begins)
    ]
    assert len(places) == 1, f"{begins!r} begins {len(places)} statements"
    ((node, name, place),) = places
    setattr(node, name, change(getattr(node, name), place))


def _definition(tree: ast.AST, name: str) -> ast.AST:
    for part in name.split("."):
        tree = next(
            node
            for node in ast.iter_child_nodes(tree)
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == part
        )
    return tree


def _function(module: types.ModuleType, name: str) -> types.FunctionType:
    """The function itself, within a property or a decorator."""
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    return inspect.unwrap(getattr(found, "fget", None) or getattr(found, "func", None) or found)


def _code(code: types.CodeType, name: str) -> types.CodeType:
    within = [value for value in code.co_consts if isinstance(value, types.CodeType)]
    for value in within:
        if value.co_qualname == name:
            return value
        if name.startswith(f"{value.co_qualname}."):
            return _code(value, name)
    raise AssertionError(f"{name} is not there")


CHANGES, CONSUMER, DECIDE, FETCHER = (
    f"functions.{name}" for name in ("changes", "consumer", "decide", "fetcher")
)

BUGS: dict[str, Bug] = {
    # What enters
    "an older event overwrites": Bug(
        f"{DECIDE}:_outcome", instead("event.version > day.seen", "event.version > 0"), "mapping-made-anew"
    ),
    "an event of the version that was seen is new": Bug(
        f"{DECIDE}:_outcome",
        instead("event.version > day.seen", "event.version >= day.seen"),
        "replay-beside-a-run",
    ),
    "duplicates are entries": Bug(
        f"{DECIDE}:_outcome", instead("event.day.counts == day.counts", "False"), "in-flight-same-value"
    ),
    "a late entry is never believed": Bug(
        f"{DECIDE}:_after",
        instead("event.version > day.version", "False"),
        "a consumer wakes late at the log",
    ),
    "what other runs owe is not looked up in the log": Bug(
        f"{CONSUMER}:follow_others", instead("reading.others", "()"), "taken-back-after-its-put-twice"
    ),
    "what comes late is not looked up in the log": Bug(
        f"{CONSUMER}:in_log", instead("run and behind", "False"), "a consumer wakes late at the log, and dies"
    ),
    "the archive after the tables": Bug(
        f"{CONSUMER}:enter", exchanged("if (unlogged :="), "withdrawn-before-it-was-logged"
    ),
    "no archive": Bug(
        f"{CONSUMER}:enter", left_out("at.archive.keep_events"), "restated-and-back-with-a-new-day"
    ),
    "no row in DynamoDB's revisions": Bug(
        "storage.dynamodb:DynamoDBTables.write",
        instead("[{'Put': {'TableName': self._revisions, 'Item': entry_item(row)}} for row in batch]", "[]"),
        "newest-dates-differ",
    ),
    "no row in Timestream's revisions": Bug(
        "storage.timestream:TimestreamTables.write",
        instead("self._revisions", "self._daily"),
        "newest-dates-differ",
    ),
    "begin again from the last record": Bug(
        f"{CONSUMER}:handler",
        instead("{'itemIdentifier': chunk[0].sequence}", "{'itemIdentifier': delivery.records[-1].sequence}"),
        "long-history-throttled",
    ),
    "a row that a table refuses is acknowledged": Bug(
        f"{CHANGES}:entered", instead("item.event.id not in refused", "True"), "revisions refuses one row"
    ),
    "an id without version": Bug(
        "schemas.event:DayEvent.id",
        instead(
            "f'{self.subject}/{self.version}/{self.day.counts.digest}'",
            "f'{self.subject}/0/{self.day.counts.digest}'",
        ),
        "restated-and-back-with-a-new-day",
    ),
    # What is counted
    "the stamp forgets what was replaced": Bug(
        f"{CHANGES}:entered",
        instead("new.version - (old.version if old else 0)", "new.version"),
        "in-flight-three-values",
    ),
    "entries are not counted": Bug(
        f"{CHANGES}:entered", instead("new.entries - (old.entries if old else 0)", "0"), "newest-dates-differ"
    ),
    "a day counts its first entry only": Bug(
        f"{DECIDE}:_after", instead("day.entries if day else 0", "0"), "in-flight-three-values"
    ),
    "an entry is counted anew when it comes again": Bug(
        f"{CHANGES}:_counted",
        instead("item.date in run.entered or (item.date in run.accounted and (not item.is_new))", "False"),
        "mapping-made-anew",
    ),
    "the newest date for the contiguous one": Bug(
        f"{CHANGES}:_last_acknowledged",
        instead("newest if waiting is None else each.new[waiting]", "newest"),
        "long-history-throttled",
    ),
    "the head's condition is left out": Bug(
        "storage.ledger:Ledger._change", left_out("if moves"), "another-fetcher-stores"
    ),
    # What is pending
    "what older runs owe is not pending": Bug(
        "functions.diff:diff",
        instead(
            "day.date in owed or not _holds(acknowledged.get(day.date), day)",
            "not _holds(acknowledged.get(day.date), day)",
        ),
        "in-flight-back-and-forth",
    ),
    "newest first": Bug(
        f"{FETCHER}:put", instead("published.days", "published.days[::-1]"), "newest-dates-differ"
    ),
    "what was logged is not put again": Bug(
        f"{FETCHER}:put",
        instead(
            "[*again, *events(days, known.days, run, at.settings.stack)]",
            "events(days, known.days, run, at.settings.stack)",
        ),
        "given-up-and-withdrawn-replay",
    ),
    "a retry sends though a newer run is stored": Bug(
        f"{FETCHER}:make", instead("run.time == head.last_run", "True"), "overtaken-and-cannot-put"
    ),
    "files that were read before a newer run's": Bug(
        f"{FETCHER}:begin", instead("head.last_run != before.last_run", "False"), "another-fetcher-stores"
    ),
    "a run's time is not after the last stored run's": Bug(
        f"{CHANGES}:next_time",
        instead("head.last_run + MILLISECOND if head.last_run else asked", "asked"),
        "clock-goes-back",
    ),
    "an item that was lost is not noticed": Bug(
        f"{FETCHER}:check_ledger", instead("total == known.head.stamp", "True"), "ledger-day-lost"
    ),
    "what is no longer published is given up though it was logged": Bug(
        f"{FETCHER}:give_up_withdrawn", left_out("gone -="), "given-up-and-withdrawn-replay"
    ),
    "FailedRecordCount is ignored": Bug(
        "functions.stream:Stream._put_all",
        instead("not answer['FailedRecordCount']", "True"),
        "the first record isn't put",
    ),
    "missing as zero": Bug(
        "functions.transform:_without_taken_back", instead("date in taken_back", "False"), "recoveries-end"
    ),
    # What is settled
    "settled though an older run's event was entered meanwhile": Bug(
        f"{CHANGES}:_completed",
        instead("alone and (not head.owing) and (not done.failed)", "not head.owing and (not done.failed)"),
        "withdrawn-in-flight",
    ),
    "settled though a run owes": Bug(
        f"{CHANGES}:_completed",
        instead("alone and (not head.owing) and (not done.failed)", "alone and (not done.failed)"),
        "withdrawn-in-flight",
    ),
    "settled though a run was stored since": Bug(
        f"{CHANGES}:_with",
        instead(
            "replace(head, last_run=run.time, owing=owing, settled=None)",
            "replace(head, last_run=run.time, owing=owing)",
        ),
        "withdrawn-before-it-was-put",
    ),
    "conditional though the stamp has moved": Bug(
        f"{FETCHER}:conditions", instead("head.stamp", "settled.stamp"), "a consumer wakes late at the log"
    ),
    "an older run speaks for the present": Bug(
        f"{CHANGES}:_completed", instead("run.time == head.last_run", "True"), "half-entered-and-overtaken"
    ),
    # What is told
    "an older run makes a newer one's failure good": Bug(
        f"{CHANGES}:_is_newer",
        instead("name.partition('#')[0] > written(run.time)", "False"),
        "older-run-completes-after-a-refusal",
    ),
    "an older run tells what begins, and the newer one again": Bug(
        f"{CHANGES}:_completed", left_out("done = replace(done, warnings=()"), "late-and-overtaken"
    ),
    "a late date is never told": Bug(
        "functions.new_run:believed",
        instead("head.last_acknowledged and date < head.last_acknowledged", "False"),
        "late-date-is-told-once",
    ),
    "a late date is not told where a newer run followed": Bug(
        "functions.new_run:believed", instead("_untold(known)", "()"), "half-entered-and-overtaken"
    ),
    "what an operator accepted is told by no run where a newer one followed": Bug(
        "functions.new_run:_on_an_operators_word",
        instead("{warning.code: warning.text for run in known.owing for warning in run.accepted}", "{}"),
        "half-entered-and-overtaken",
    ),
    "what an operator accepted is told in every report": Bug(
        "functions.new_run:_on_an_operators_word",
        instead("code not in told", "True"),
        "acceptance-is-told-once",
    ),
    "warnings that were cut have ended": Bug(
        "functions.remarks:news",
        instead("{warning.code for warning in now}", "{warning.code for warning in kept}"),
        "many-standing-warnings",
    ),
    "marked as sent before it is sent": Bug(
        "functions.notices:Notices._send", exchanged("self.publish"), "alerts-denied"
    ),
    "a message that can't be sent stands in the way": Bug(
        "functions.notices:Notices._send", instead("break", "raise"), "alerts-denied"
    ),
    "a run whose days were entered is told to have failed": Bug(
        "functions.reporter:unfetched",
        instead("stored and (not owed(stored, days))", "False"),
        "entered-and-its-fetcher-fails",
    ),
    "a batch is told to be lost though it was entered": Bug(
        "functions.reporter:undelivered",
        instead("not runs and (not strangers(at, records or []))", "False"),
        "entered-and-given-up",
    ),
}

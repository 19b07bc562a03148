"""Completing runs, against a ledger that moves: a hand-written one, which keeps what is committed."""

from dataclasses import replace
from typing import Any

from builders import NOON, date, run

from functions import changes, completion
from functions.completion import MAX_TRIES
from schemas.ledger import COMPLETED, Head
from schemas.moment import MILLISECOND
from storage.change import Change, Reading
from storage.errors import AlreadyTold, LedgerMoved
from storage.ledger import Committed


class Shelf:
    """A ledger whose first commits fail as told."""

    def __init__(self, *runs, failing=()):
        self.head = Head(
            owing=frozenset(each.name for each in runs), last_run=max(each.time for each in runs)
        )
        self.runs = {each.name: each for each in runs}
        self.failing = list(failing)
        self.commits = 0

    def owing(self):
        others = sorted((self.runs[name] for name in self.head.owing), key=lambda each: each.time)
        return Reading(self.head, None, tuple(others), {})

    def commit(self, change):
        self.commits += 1
        if self.failing:
            raise self.failing.pop(0)
        self.head = change.head[1]
        self.runs |= {after.name: after for _, after in change.runs}
        return Committed(self.head, tuple(after for _, after in change.runs))

    def states(self):
        return [each.state for each in self.runs.values()]


complete: Any = completion.complete  # a shelf is no Ledger, and takes its place
end: Any = completion.end


def done(number=1, **more):
    """A run that owes nothing."""
    inserted = frozenset({date(1)})
    return run([1], time=NOON + number * MILLISECOND, request=f"r{number}", inserted=inserted, **more)


def test_runs_that_owe_nothing_are_completed_and_the_head_is_that_of_then():
    shelf = Shelf(done(1), done(2))
    assert complete(shelf, shelf.owing(), NOON, "s") == shelf.head
    assert shelf.states() == [COMPLETED, COMPLETED]
    assert shelf.head.owing == frozenset()


def test_where_every_run_owes_nothing_is_written():
    shelf = Shelf(run([1]))
    assert complete(shelf, shelf.owing(), NOON, "s") == shelf.head
    assert shelf.commits == 0


def test_a_ledger_that_moved_is_read_again_but_not_without_end():
    shelf = Shelf(done(), failing=[LedgerMoved("head")] * (MAX_TRIES - 1))
    complete(shelf, shelf.owing(), NOON, "s")
    assert shelf.states() == [COMPLETED]
    stuck = Shelf(done(), failing=[LedgerMoved("head")] * 99)
    assert (
        complete(stuck, stuck.owing(), NOON, "s").owing == stuck.head.owing
    )  # the next batch or run does it
    assert stuck.commits == MAX_TRIES


def test_a_run_that_another_completed_meanwhile_is_left_to_it():
    shelf = Shelf(done())
    stale = shelf.owing()
    complete(shelf, stale, NOON, "s")
    shelf.failing = [AlreadyTold("report")]
    complete(shelf, stale, NOON, "s")
    assert (shelf.commits, shelf.states()) == (2, [COMPLETED])


def test_more_runs_than_a_transaction_takes_are_completed_one_change_after_another():
    shelf = Shelf(*(done(number) for number in range(1, 2 * changes.MAX_RUNS + 2)))
    complete(shelf, shelf.owing(), NOON, "s")
    assert shelf.commits == 3
    assert shelf.head.owing == frozenset()


def test_a_change_that_is_made_counts_the_runs_that_it_ends_and_one_that_is_not_counts_none(capsys):
    stored = done()
    change = Change(NOON, (Head(), Head()), ((stored, replace(stored, state=COMPLETED)),))
    assert end(Shelf(stored, failing=[LedgerMoved("x")]), change, "s") is None
    assert "RunsCompleted" not in capsys.readouterr().out
    assert end(Shelf(stored), change, "s")
    assert '"RunsCompleted": 1' in capsys.readouterr().out

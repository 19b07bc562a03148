"""Each outcome of an event, and the ledger's entry after it."""

from dataclasses import replace

import pytest
from builders import NOON, date, entries, entry, event, run

from functions.decide import Outcome, decide, is_behind
from schemas.ledger import NO_DATES

COUNTED = frozenset({date(1)})


def one(found, held=None, logged=False, of=None):
    """What an event of date 1 comes to, against what the ledger holds of it."""
    (decided,) = decide([found], entries(held) if held else {}, of, [found.id] if logged else [], NOON)
    assert decided.before == held
    return decided


@pytest.mark.parametrize("logged", [False, True])
def test_a_day_that_is_new_is_entered(logged):
    found = one(event(1, 10, version=5), None, logged, run([1]))
    assert (found.outcome, found.after) == (Outcome.ENTERED, entry(1, 10, version=5))


def test_a_newer_event_with_other_values_is_entered_and_is_one_entry_more():
    found = one(event(1, 11, version=9), entry(1, 10, 5, entries=4, seen=7), of=run([1]))
    assert (found.outcome, found.after) == (Outcome.ENTERED, entry(1, 11, version=9, entries=5))


def test_a_newer_event_with_the_acknowledged_values_is_a_duplicate_and_moves_only_what_was_seen():
    held = entry(1, 10, 5)
    found = one(event(1, 10, version=9), held, of=run([1]))
    assert (found.outcome, found.after) == (Outcome.DUPLICATE, replace(held, seen=9))


def test_a_newer_event_that_the_log_holds_is_an_entry_even_with_the_acknowledged_values():
    found = one(event(1, 10, version=9), entry(1, 10, 5), logged=True, of=run([1]))
    assert (found.outcome, found.after) == (Outcome.ENTERED, entry(1, 10, version=9, entries=2))


@pytest.mark.parametrize("counted", [NO_DATES, COUNTED])
@pytest.mark.parametrize("logged", [False, True])
def test_an_event_of_the_believed_version_is_written_again_and_changes_no_day(counted, logged):
    held = entry(1, 10, 5, seen=8)
    found = one(event(1, 10, version=5), held, logged, run([1], inserted=counted))
    assert (found.outcome, found.after) == (Outcome.AGAIN, held)


def test_an_older_event_is_superseded():
    held = entry(1, 11, 5, seen=7)
    for version in (3, 6):
        found = one(event(1, 10, version=version), held, of=run([1]))
        assert (found.outcome, found.after) == (Outcome.SUPERSEDED, held)


def test_a_duplicate_that_comes_again_is_a_duplicate_again():
    held = entry(1, 10, 5, seen=9)
    found = one(event(1, 10, version=9), held, of=run([1]))
    assert (found.outcome, found.after) == (Outcome.DUPLICATE, held)


def test_an_older_event_that_the_log_holds_is_an_entry_that_changes_no_belief():
    held = entry(1, 11, 5, entries=2, seen=7)
    found = one(event(1, 10, version=3), held, logged=True, of=run([1]))
    assert (found.outcome, found.after) == (Outcome.LATE, replace(held, entries=3))


@pytest.mark.parametrize("version", [6, 7])
def test_an_event_that_the_log_holds_is_believed_where_only_duplicates_of_an_older_entry_were_seen_since(
    version,
):
    held = entry(1, 11, 5, entries=2, seen=7)
    found = one(event(1, 10, version=version), held, logged=True, of=run([1]))
    assert (found.outcome, found.after) == (Outcome.LATE, entry(1, 10, version, entries=3, seen=7))


@pytest.mark.parametrize("logged", [False, True])
@pytest.mark.parametrize("name", ["inserted", "updated"])
def test_an_older_event_that_its_run_has_counted_is_written_again_and_counted_no_second_time(name, logged):
    held = entry(1, 11, 5, entries=2)
    found = one(event(1, 10, version=3), held, logged, run([1], **{name: COUNTED}))
    assert (found.outcome, found.after) == (Outcome.AGAIN, held)


def test_of_a_run_that_the_ledger_does_not_know_an_older_event_is_written_if_it_is_in_the_log():
    held = entry(1, 11, 5, entries=2)
    assert one(event(1, 10, version=3), held, logged=True).outcome is Outcome.AGAIN
    assert one(event(1, 10, version=3), held).outcome is Outcome.SUPERSEDED


@pytest.mark.parametrize("held", [None, entry(1, 11, 3), entry(1, 11, 9)])
def test_an_event_of_a_date_that_its_run_has_given_up_is_no_entry_unless_the_log_holds_it(held):
    given_up = run([1], failed=COUNTED)
    found = one(event(1, 10, version=5), held, of=given_up)
    assert (found.outcome, found.after) == (Outcome.SUPERSEDED, held)
    assert one(event(1, 10, version=5), held, logged=True, of=given_up).is_new


def test_the_log_and_the_tables_hold_what_was_entered_and_nothing_else():
    entered = {Outcome.ENTERED, Outcome.LATE, Outcome.AGAIN}
    decided = one(event(1, 10), None)
    assert {outcome for outcome in Outcome if replace(decided, outcome=outcome).is_entry} == entered
    new = {outcome for outcome in Outcome if replace(decided, outcome=outcome).is_new}
    assert new == entered - {Outcome.AGAIN}


def test_each_event_is_decided_on_its_own_date_in_the_order_given():
    found = decide([event(2, 20, 9), event(1, 10, 9)], entries(entry(1, 10, 5)), run([1, 2]), [], NOON)
    assert [(item.date, item.outcome) for item in found] == [
        (date(2), Outcome.ENTERED),
        (date(1), Outcome.DUPLICATE),
    ]


@pytest.mark.parametrize(
    ("version", "behind"), [(3, True), (5, False), (6, True), (7, True), (8, False)], ids=str
)
def test_only_the_log_can_tell_of_an_event_at_or_below_what_was_seen_but_for_the_believed_one(
    version, behind
):
    held = entry(1, 11, 5, seen=7)
    assert is_behind(event(1, 10, version=version), held, run([1])) is behind
    assert not is_behind(event(1, 10, version=version), held, run([1], inserted=COUNTED))
    assert not is_behind(event(1, 10, version=version), None, run([1]))

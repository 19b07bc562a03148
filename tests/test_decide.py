from dataclasses import replace

from builders import NOON, counts, date, entries, entry, event, run
from schemas.run import Head

from functions.decide import advanced, counted, decide


def sets(decision):
    return tuple(sorted(found) for found in (decision.inserted, decision.updated, decision.duplicate))


def test_a_day_that_is_new_is_written_and_inserted():
    found = decide([event(1, 10, version=5)], {}, NOON)
    assert sets(found) == ([date(1)], [], [])
    assert [(row.version, row.revision, row.current) for row in found.rows] == [(5, 1, True)]
    assert [(day.version, day.revision) for day in found.days] == [(5, 1)]


def test_a_newer_event_with_other_values_updates_the_day_and_counts_the_revision_from_the_ledger():
    found = decide([event(1, 11, version=9, revision=2)], entries(entry(1, 10, 5, revision=4)), NOON)
    assert sets(found) == ([], [date(1)], [])
    assert [row.revision for row in found.rows] == [5]


def test_a_newer_event_with_the_same_values_is_not_written():
    found = decide([event(1, 10, version=9)], entries(entry(1, 10, 5)), NOON)
    assert sets(found) == ([], [], [date(1)])
    assert (found.rows, found.days) == ([], [])


def test_a_newer_event_with_the_same_values_is_written_where_nothing_is_believed():
    held = replace(entry(1, 10, 5), digest=None)
    found = decide([event(1, 10, version=9, revision=2)], entries(held), NOON)
    assert sets(found) == ([], [date(1)], [])
    assert [row.version for row in found.rows] == [9]


def test_an_event_that_replaces_its_own_values_is_entered_again_in_a_replay_as_it_was_live():
    again = replace(event(1, 10, version=9, revision=2), previous=counts(10))
    live = decide([again], entries(replace(entry(1, 10, 5), digest=None)), NOON)
    replayed = decide([again], entries(entry(1, 10, 5)), NOON)
    assert live == replayed
    assert [row.revision for row in replayed.rows] == [2]


def test_the_same_event_again_is_written_again_and_changes_no_day():
    found = decide([event(1, 10, version=5)], entries(entry(1, 10, 5)), NOON)
    assert sets(found) == ([date(1)], [], [])
    assert [row.version for row in found.rows] == [5]
    assert found.days == []


def test_the_same_event_again_does_not_restore_a_day_that_was_given_up():
    held = replace(entry(1, 10, 5), digest=None)
    assert decide([event(1, 10, version=5)], entries(held), NOON).days == []


def test_an_older_event_goes_into_revisions_only():
    found = decide([event(1, 10, version=3)], entries(entry(1, 11, 5)), NOON)
    assert sets(found) == ([], [], [date(1)])
    assert [(row.version, row.current) for row in found.rows] == [(3, False)]
    assert found.days == []


def test_a_date_stays_in_the_set_that_it_entered_first():
    before = run([1, 2], inserted=frozenset({date(1)}))
    decision = decide([event(1, 10, version=3), event(2, 20, version=3)], entries(entry(1, 11, 5)), NOON)
    after = counted(before, decision)
    assert (after.inserted, after.duplicate) == ({date(1), date(2)}, frozenset())
    assert after.entries == before.entries + 1


def test_the_stamp_is_the_sum_of_the_acknowledged_versions():
    held = entries(entry(1, 10, 5))
    decision = decide([event(1, 11, version=9, revision=2), event(2, 20, version=9)], held, NOON)
    assert advanced(Head(stamp=5), None, decision, held).stamp == 18


def new(*numbers):
    """New dates, each after the one before it."""
    return {date(n): date(n - 1) if n > 1 else None for n in numbers}


def test_the_last_acknowledged_date_stops_just_before_the_first_date_that_is_waiting():
    waiting = run([1, 2, 3], new=new(1, 2, 3), newest=date(3), inserted=frozenset({date(1), date(3)}))
    assert advanced(Head(), waiting, decide([], {}, NOON), {}).last_acknowledged == date(1)


def test_it_reaches_the_newest_published_date_when_nothing_is_waiting():
    done = run([2], new=new(2), newest=date(3), inserted=frozenset({date(2)}))
    assert advanced(Head(), done, decide([], {}, NOON), {}).last_acknowledged == date(3)


def test_it_stops_at_a_published_date_and_not_in_a_gap():
    waiting = run([9], new={date(9): date(4)}, newest=date(9))
    assert advanced(Head(), waiting, decide([], {}, NOON), {}).last_acknowledged == date(4)


def test_it_never_moves_back():
    late = run([2], new=new(2), newest=date(9))
    assert advanced(
        Head(last_acknowledged=date(8)), late, decide([], {}, NOON), {}
    ).last_acknowledged == date(8)

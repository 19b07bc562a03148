"""Every step in a run's life: one reading in, one change out."""

import datetime as dt
from dataclasses import replace

import pytest
from builders import NOON, date, entries, entry, event, run

from functions import changes
from functions.decide import Decided, Outcome
from schemas.ledger import (
    ACCEPTED,
    COMPLETED,
    FAILED,
    INCOMPLETE,
    OPEN,
    Head,
    Reason,
    Settled,
    SourceFile,
    Warning,
)
from schemas.moment import MILLISECOND, at, version
from schemas.notice import ALERTS, DAILY_REPORT, Notice
from storage.change import Reading

V = version(NOON)
HOUR = dt.timedelta(hours=1)
LATER = NOON + HOUR
BASIS = Settled({"nyt": "u", "jhu": "v"}, {"nyt": '"a"', "jhu": '"b"'}, {"nyt": date(3)}, "code", 2)
FILE = SourceFile("nyt", "a" * 64, 3, date(3), NOON)


def dates(*numbers):
    return frozenset(map(date, numbers))


def older(pending, **more):
    return run(pending, **{"time": NOON - HOUR, "request": "request-0"} | more)


def newer(pending, **more):
    return run(pending, **{"time": LATER, "request": "request-2"} | more)


def seen(number, at_version=V, **more):
    return entry(number, number, at_version, **more)


def reading(*runs, days=(), failures=(), **more):
    """The ledger where these runs owe dates; the first is the one asked for."""
    known = {
        "owing": frozenset(each.name for each in runs if each),
        "last_run": max((each.time for each in runs if each), default=None),
        "failures": tuple(failures),
    }
    return Reading(Head(**known | more), runs[0], tuple(runs[1:]), entries(*days))


def only(pairs):
    (pair,) = pairs
    return pair[1]


# The time of a run


@pytest.mark.parametrize(
    ("head", "days", "expected"),
    [
        (Head(), [], NOON),
        (Head(last_run=NOON - HOUR), [], NOON),
        (Head(last_run=NOON), [], NOON + MILLISECOND),
        (Head(last_run=LATER), [], LATER + MILLISECOND),
        (Head(), [seen(1, V - 1)], NOON),
        (Head(), [seen(1, V)], NOON + MILLISECOND),
        (Head(), [seen(1, 5, seen=V + 7)], at(V + 8)),
        (Head(last_run=LATER), [seen(1, V)], LATER + MILLISECOND),
    ],
)
def test_a_run_is_later_than_the_last_stored_one_and_than_every_event_that_was_seen(head, days, expected):
    assert changes.next_time(head, days, NOON) == expected


# (nothing) → open, or → completed


def test_a_new_run_with_pending_dates_is_open_owes_them_and_settles_nothing():
    stored = run([1, 2], newest=date(2))
    head = Head(last_acknowledged=None, settled=BASIS, stamp=7)
    head = replace(head, entries=4)
    change = changes.stored(head, stored, "s", None, [FILE], ["jhu"])
    after = replace(head, owing=frozenset({stored.name}), last_run=NOON, newest=date(2), settled=None)
    assert change.head == (head, after)
    assert change.runs == ((None, replace(stored, entries_before=4)),)
    assert (change.at, change.files, change.unchanged, change.notices) == (NOON, (FILE,), ("jhu",), ())


def test_a_new_run_with_nothing_pending_is_completed_at_once_reported_and_settled():
    change = changes.stored(Head(stamp=7), run(newest=date(3), basis=BASIS), "s", date(3))
    done, head = only(change.runs), change.head[1]
    assert done.state == COMPLETED
    assert (head.last_success, head.owing, head.settled) == (NOON, frozenset(), replace(BASIS, stamp=7))
    assert [(notice.topic, notice.id) for notice in change.notices] == [(DAILY_REPORT, done.notice)]


@pytest.mark.parametrize(
    ("known", "reached", "expected"),
    [(None, None, None), (None, 2, 2), (3, 2, 3), (2, 3, 3), (3, None, 3)],
)
def test_what_a_new_run_finds_acknowledged_never_moves_the_last_acknowledged_date_back(
    known, reached, expected
):
    head = Head(last_acknowledged=known and date(known))
    change = changes.stored(head, run([9]), "s", reached and date(reached))
    assert change.head[1].last_acknowledged == (expected and date(expected))


# (nothing) → failed; open → failed; open → incomplete


def test_a_run_whose_files_are_refused_is_failed_owes_nothing_and_unsettles_the_sources():
    reasons = [Reason("nyt", "is bad", row) for row in range(30)]
    change = changes.refused(Head(settled=BASIS), run(), reasons, "s")
    failed, head = only(change.runs), change.head[1]
    assert (failed.state, len(failed.reasons), failed.reason_count) == (FAILED, 20, 30)
    assert (head.owing, head.failures, head.settled) == (frozenset(), (failed.name,), None)
    assert (head.last_run, head.last_success) == (NOON, None)
    (alert,) = change.notices
    assert (alert.topic, alert.id) == (ALERTS, failed.notice)
    assert "Nothing was written." in alert.email


def test_a_fetcher_that_broke_off_before_it_stored_its_run_leaves_a_failed_one():
    change = changes.broken_off(reading(None), run(state=FAILED), "out of time", LATER, "s")
    ((before, failed),) = change.runs
    assert (before, failed.state, failed.reasons) == (None, FAILED, ("out of time",))
    assert change.head[1].last_run == NOON
    assert change.head[1].failures == (failed.name,)


def test_a_fetcher_that_broke_off_within_its_run_fails_it_and_the_run_still_owes():
    stored = run([1, 2])
    before = reading(stored, days=[seen(1)])
    change = changes.broken_off(before, stored, "out of time", LATER, "s")
    failed, head = only(change.runs), change.head[1]
    assert (failed.state, failed.pending) == (FAILED, stored.pending)
    assert head.owing == {stored.name}
    (alert,) = change.notices
    assert "Not entered yet: 1 day: 2020-03-02." in alert.email


def test_open_runs_that_people_are_told_of_are_incomplete_each_with_an_alert_and_still_owe():
    first, second = older([1]), run([2])
    change = changes.incomplete(reading(first, second).head, [first, second], {}, "too old", LATER, "s")
    assert [after.state for _, after in change.runs] == [INCOMPLETE, INCOMPLETE]
    assert [notice.id for notice in change.notices] == [after.notice for _, after in change.runs]
    head = change.head[1]
    assert (head.failures, head.owing) == ((first.name, second.name), {first.name, second.name})


@pytest.mark.parametrize("state", [FAILED, INCOMPLETE])
def test_of_a_batch_that_was_given_up_only_open_runs_become_incomplete_under_one_notice(state):
    told, quiet = older([1], state=state, notice="told"), run([2])
    notice = Notice("undelivered/x", ALERTS, "s", "t", "t", None)
    change = changes.undelivered(Head(), [told, quiet], notice, "given up", LATER)
    after = only(change.runs)
    assert (after.state, after.notice, after.request) == (INCOMPLETE, notice.id, quiet.request)
    assert (change.head[1].failures, change.notices) == ((quiet.name,), (notice,))


def test_a_record_set_aside_is_told_and_changes_nothing_else():
    notice = Notice("aside/1", ALERTS, "s", "t", "t", None)
    change = changes.set_aside(Head(stamp=7), notice, LATER)
    assert (change.head, change.runs, change.days) == ((Head(stamp=7), Head(stamp=7)), (), ())
    assert change.notices == (notice,)


def test_dates_that_are_no_longer_published_are_failed_and_the_run_owes_them_no_more():
    stored = run([1, 2], state=INCOMPLETE, failed=dates(1))
    change = changes.no_longer_published(Head(), stored, {date(2)}, LATER)
    assert only(change.runs) == replace(stored, failed=dates(1, 2))
    assert change.notices == ()


# open, failed, incomplete → completed; and who stays


@pytest.mark.parametrize(("state", "late"), [(OPEN, False), (FAILED, True), (INCOMPLETE, True)])
def test_a_run_that_owes_nothing_is_completed_whatever_people_were_told_of_it(state, late):
    reasons = {"reasons": ("why",), "reason_count": 1} if late else {}
    stored = run([1], state=state, inserted=dates(1), **reasons)
    change = changes.finished(reading(stored, days=[seen(1)]), LATER, "s")
    assert change
    done = only(change.runs)
    assert (done.state, done.notice) == (COMPLETED, f"{stored.name}/report")
    (report,) = change.notices
    assert (f"is complete{', late' if late else ''}." in report.email) is True
    head = change.head[1]
    assert (head.owing, head.last_success, head.last_run) == (frozenset(), LATER, NOON)


@pytest.mark.parametrize("state", [OPEN, FAILED, INCOMPLETE])
@pytest.mark.parametrize("days", [(), [entry(1, 1, V - 1)]], ids=["never seen", "seen at an older version"])
def test_a_run_that_owes_a_date_stays_what_it_is(state, days):
    assert changes.finished(reading(run([1], state=state), days=days), LATER, "s") is None


@pytest.mark.parametrize("state", [FAILED, COMPLETED])
def test_a_run_that_is_not_among_those_that_owe_is_never_completed_again(state):
    ended = run(state=state)
    assert changes.finished(Reading(Head(last_run=NOON), ended, (), {}), LATER, "s") is None


def test_a_date_that_a_newer_run_s_event_was_decided_for_first_is_superseded():
    stored = run([1, 2, 3], inserted=dates(1), failed=dates(3))
    days = [seen(1), entry(2, 2, V - 9, seen=V + 1)]
    change = changes.finished(reading(stored, days=days), LATER, "s")
    assert change
    done = only(change.runs)
    assert (done.inserted, done.superseded, done.failed) == (dates(1), dates(2), dates(3))
    assert done.accounted == set(done.pending)


def test_all_runs_that_owe_nothing_are_completed_oldest_first_and_each_is_reported():
    first, second, owing = older([1]), run([2]), newer([3])
    before = reading(second, first, owing, days=[seen(1), seen(2)])
    change = changes.finished(before, LATER, "s")
    assert change
    assert [after.name for _, after in change.runs] == [first.name, second.name]
    assert [notice.run for notice in change.notices] == [first.name, second.name]
    assert change.head[1].owing == {owing.name}


def test_of_many_runs_that_owe_nothing_the_oldest_forty_are_completed_in_one_change():
    many = [run([n], time=NOON + n * MILLISECOND, request=f"r{n}", inserted=dates(n)) for n in range(1, 51)]
    change = changes.finished(reading(None, *many), LATER, "s")
    assert change
    assert [after.name for _, after in change.runs] == [each.name for each in many[: changes.MAX_RUNS]]
    assert change.head[1].owing == {each.name for each in many[changes.MAX_RUNS :]}
    assert 1 + 2 * len(change.runs) <= 100  # DynamoDB's transaction: the head; each run, and its report


def test_the_last_success_never_moves_back():
    before = reading(run([1], inserted=dates(1)), last_success=LATER)
    change = changes.finished(before, NOON, "s")
    assert change
    assert change.head[1].last_success == LATER


# The newest stored run speaks for the present


def settled_by(of, before):
    change = changes.finished(before, LATER, "s")
    assert change
    assert of.name in {after.name for _, after in change.runs}
    return change.head[1]


def test_the_newest_run_settles_the_sources_with_the_stamp_of_then():
    stored = run([1], inserted=dates(1), basis=BASIS, entries_before=7)
    head = settled_by(stored, reading(stored, days=[seen(1)], stamp=V, entries=8))
    assert head.settled == replace(BASIS, stamp=V)


def test_nothing_is_settled_where_an_older_run_s_event_was_entered_since_the_run_compared_its_files():
    stored = run([1], inserted=dates(1), basis=BASIS, entries_before=7)
    before = reading(stored, days=[seen(1)], stamp=V, entries=9)
    assert settled_by(stored, before).settled is None


def test_nothing_is_settled_where_a_source_sent_no_etag_a_date_failed_or_another_run_owes():
    without = run([1], inserted=dates(1))
    failed = run([1], failed=dates(1), basis=BASIS)
    stored = run([1], inserted=dates(1), basis=BASIS)
    for before in (
        reading(without, days=[seen(1)], entries=1),
        reading(failed),
        reading(stored, older([2]), days=[seen(1)], entries=1),
    ):
        assert settled_by(before.run, before).settled is None


def test_an_older_run_settles_nothing_and_changes_nothing_that_people_are_warned_of():
    told = (Warning("a", "known"),)
    stored = run(
        [1],
        inserted=dates(1),
        basis=BASIS,
        warnings=(Warning("b", "new"),),
        begun=frozenset("b"),
        ended=("known",),
        accepted=(Warning(f"{ACCEPTED}x", "words"),),
    )
    before = reading(stored, days=[seen(1)], told=told)
    change = changes.finished(replace(before, head=replace(before.head, last_run=LATER)), LATER, "s")
    assert change
    assert (change.head[1].told, change.head[1].settled) == (told, None)
    done = only(change.runs)
    assert (done.warnings, done.begun, done.ended, done.accepted) == ((), frozenset(), (), ())
    assert "warning" not in change.notices[0].email


def test_of_two_runs_completed_at_once_the_newest_alone_says_what_people_are_warned_of():
    first = older([1], inserted=dates(1), warnings=(Warning("a", "old"),), begun=frozenset("a"))
    second = run([2], inserted=dates(2), warnings=(Warning("b", "new"),), begun=frozenset("b"))
    change = changes.finished(reading(second, first, days=[seen(1), seen(2)]), LATER, "s")
    assert change
    assert change.head[1].told == (Warning("b", "new"),)
    assert ["New warnings" in notice.email for notice in change.notices] == [False, True]


def test_no_run_makes_good_a_failure_newer_than_itself():
    failures = (older([]).name, newer([]).name)
    stored = run([1], inserted=dates(1))
    change = changes.finished(reading(stored, days=[seen(1)], failures=failures), LATER, "s")
    assert change
    assert change.head[1].failures == failures[1:]
    assert "makes good what failed before: 2020-03-10 11:00 UTC." in change.notices[0].email


def test_a_failure_that_still_owes_is_not_made_good():
    broken, stored = older([2], state=INCOMPLETE), run([1], inserted=dates(1))
    before = reading(stored, broken, days=[seen(1)], failures=[broken.name])
    change = changes.finished(before, LATER, "s")
    assert change
    assert change.head[1].failures == (broken.name,)
    assert "makes good" not in change.notices[0].email


def test_a_run_that_completes_late_is_no_failure_any_more_and_does_not_make_itself_good():
    stored = run([1], state=INCOMPLETE, reason_count=1, inserted=dates(1))
    change = changes.finished(reading(stored, days=[seen(1)], failures=[stored.name]), LATER, "s")
    assert change
    assert change.head[1].failures == ()
    assert "makes good" not in change.notices[0].email


def test_a_figure_taken_on_an_operator_s_word_is_remembered_without_its_text_and_the_oldest_are_forgotten():
    known = tuple(Warning(f"{ACCEPTED}{number}", "") for number in range(changes.MAX_REMEMBERED))
    stored = run(accepted=(Warning(f"{ACCEPTED}new", "words"),), warnings=(Warning("b", "a remark"),))
    change = changes.stored(Head(told=(*known, Warning("c", "over"))), stored, "s")
    told = change.head[1].told
    assert told == (*known[1:], Warning(f"{ACCEPTED}new", ""), Warning("b", "a remark"))


# What a chunk came to


def decided(outcome, number, before=None, after=None, cases=10):
    return Decided(event(number, cases, V), outcome, before, after)


def entering(number, before=None):
    after = entry(number, 10, V, entries=before.entries + 1 if before else 1)
    return decided(Outcome.ENTERED, number, before, after)


def test_a_first_entry_is_inserted_a_later_one_updated_and_stamp_and_entries_grow():
    held = entry(2, 9, 5, entries=3)
    before = reading(run([1, 2]), days=[held], stamp=5, entries=3)
    items = [entering(1), entering(2, held)]
    change = changes.entered(before, items, (), LATER)
    assert (change.at, change.days) == (LATER, ((None, items[0].after), (held, items[1].after)))
    after = only(change.runs)
    assert (after.inserted, after.updated, after.state) == (dates(1), dates(2), OPEN)
    assert (change.head[1].stamp, change.head[1].entries) == (2 * V, 5)


def test_a_duplicate_moves_what_was_seen_and_neither_stamp_nor_entries():
    held = entry(1, 10, 5)
    item = decided(Outcome.DUPLICATE, 1, held, replace(held, seen=V))
    change = changes.entered(reading(run([1]), days=[held], stamp=5, entries=1), [item], (), LATER)
    assert only(change.runs).duplicate == dates(1)
    assert change.days == ((held, item.after),)
    assert (change.head[1].stamp, change.head[1].entries) == (5, 1)


def test_a_superseded_event_changes_the_run_s_sets_alone():
    held = entry(1, 10, V + 1)
    item = decided(Outcome.SUPERSEDED, 1, held, held)
    before = reading(run([1]), days=[held], stamp=V + 1, entries=1)
    change = changes.entered(before, [item], (), LATER)
    assert (only(change.runs).superseded, change.days) == (dates(1), ())
    assert change.head[1] == before.head


def test_an_entry_behind_a_newer_one_is_updated_and_counts_as_an_entry_of_its_day():
    held = entry(1, 10, V + 1)
    item = decided(Outcome.LATE, 1, held, replace(held, entries=2))
    change = changes.entered(reading(run([1]), days=[held], stamp=V + 1, entries=1), [item], (), LATER)
    assert only(change.runs).updated == dates(1)
    assert (change.head[1].stamp, change.head[1].entries) == (V + 1, 2)


@pytest.mark.parametrize(("entries", "name"), [(1, "inserted"), (2, "updated")])
def test_an_entry_that_is_written_again_is_counted_as_what_it_was(entries, name):
    held = entry(1, 10, V, entries=entries)
    item = decided(Outcome.AGAIN, 1, held, held)
    change = changes.entered(reading(run([1]), days=[held]), [item], (), LATER)
    assert getattr(only(change.runs), name) == dates(1)
    assert change.days == ()


@pytest.mark.parametrize("outcome", [Outcome.SUPERSEDED, Outcome.DUPLICATE, Outcome.AGAIN])
def test_a_date_that_counts_as_entered_stays_so(outcome):
    held, stored = entry(1, 10, V, entries=2), run([1], inserted=dates(1))
    change = changes.entered(reading(stored, days=[held]), [decided(outcome, 1, held, held)], (), LATER)
    assert only(change.runs) == stored


def test_a_date_is_in_one_set_at_most_and_an_entry_takes_it_out_of_any_other():
    held, stored = entry(1, 10, 5), run([1], superseded=dates(1), refused=dates(1))
    change = changes.entered(reading(stored, days=[held]), [entering(1, held)], (), LATER)
    after = only(change.runs)
    assert (after.updated, after.superseded, after.refused) == (dates(1), frozenset(), frozenset())


@pytest.mark.parametrize("name", ["duplicate", "superseded", "failed"])
@pytest.mark.parametrize("outcome", [Outcome.SUPERSEDED, Outcome.DUPLICATE])
def test_a_date_that_is_counted_stays_in_its_set_when_its_record_comes_again(name, outcome):
    held, stored = entry(1, 10, V, entries=2), run([1], **{name: dates(1)})
    change = changes.entered(reading(stored, days=[held]), [decided(outcome, 1, held, held)], (), LATER)
    assert only(change.runs) == stored


# Core bug: the date is in two sets, ``updated`` and ``failed``, which come to more than what was pending. It
# happens where a consumer logs, and finds when it commits that the run has given the date up meanwhile.
def test_a_date_that_was_given_up_and_that_the_log_holds_is_entered_after_all():
    held, stored = entry(1, 10, V + 1), run([1], failed=dates(1))
    item = decided(Outcome.LATE, 1, held, replace(held, entries=2))
    after = only(changes.entered(reading(stored, days=[held]), [item], (), LATER).runs)
    assert (after.updated, after.accounted) == (dates(1), dates(1))
    assert after.failed == frozenset()


def test_a_row_that_a_table_refuses_leaves_its_date_owed_and_unacknowledged():
    stored = run([1, 2], new={date(1): None, date(2): date(1)}, newest=date(2))
    items = [entering(1), entering(2)]
    change = changes.entered(reading(stored), items, {items[0].event.id}, LATER)
    after = only(change.runs)
    assert (after.refused, after.inserted, after.unaccounted) == (dates(1), dates(2), (date(1),))
    assert [new.date for _, new in change.days] == [date(2)]
    assert (change.head[1].stamp, change.head[1].entries) == (V, 1)
    assert change.head[1].last_acknowledged is None
    known = {new.date: new for _, new in change.days}
    telling = changes.incomplete(change.head[1], [after], known, "refused", LATER, "s")
    assert only(telling.runs).state == INCOMPLETE
    assert "Not entered yet: 1 day: 2020-03-01." in telling.notices[0].email
    assert changes.finished(Reading(change.head[1], after, (), known), LATER, "s") is None


def test_events_of_a_run_that_the_ledger_does_not_know_change_days_and_head_alone():
    before = reading(None, last_acknowledged=date(9))
    change = changes.entered(before, [entering(1)], (), LATER)
    assert (change.runs, change.head[1].last_acknowledged) == ((), date(9))
    assert (change.head[1].stamp, change.head[1].entries) == (V, 1)


# The last acknowledged date


def new(*numbers, after=None):
    """New dates, each after the one before it."""
    befores = [after, *numbers]
    return {date(n): before and date(before) for n, before in zip(numbers, befores, strict=False)}


def last_acknowledged(*runs, **more):
    return changes.entered(reading(*runs, **more), [], (), LATER).head[1].last_acknowledged


def test_it_stops_just_before_the_first_date_that_is_waiting():
    waiting = run([1, 2, 3], new=new(1, 2, 3), newest=date(3), inserted=dates(1, 3))
    assert last_acknowledged(waiting) == date(1)


@pytest.mark.parametrize("name", ["inserted", "updated", "duplicate", "superseded"])
def test_it_reaches_the_newest_published_date_when_nothing_is_waiting(name):
    done = run([2], new=new(2, after=1), newest=date(3), **{name: dates(2)})
    assert last_acknowledged(done) == date(3)


def test_a_date_that_is_no_longer_published_is_not_waited_for():
    done = run([2], new=new(2, after=1), newest=date(3), failed=dates(2))
    assert last_acknowledged(done) == date(3)


def test_a_newest_date_that_is_no_longer_published_is_not_reached():
    done = run([2], new=new(2, after=1), newest=date(2), failed=dates(2))
    assert last_acknowledged(done, last_acknowledged=date(1)) == date(1)


def test_a_refused_date_is_waited_for():
    waiting = run([2], new=new(2, after=1), newest=date(3), refused=dates(2))
    assert last_acknowledged(waiting) == date(1)


def test_it_stops_at_a_published_date_and_not_in_a_gap():
    assert last_acknowledged(run([9], new=new(9, after=4), newest=date(9))) == date(4)


def test_nothing_is_acknowledged_while_the_first_date_of_all_is_waiting():
    assert last_acknowledged(run([1, 2], new=new(1, 2), newest=date(2), inserted=dates(2))) is None


def test_it_never_moves_back():
    late = run([2], new=new(2, after=1), newest=date(9))
    assert last_acknowledged(late, last_acknowledged=date(8)) == date(8)


def test_it_never_passes_a_date_that_a_newer_owing_run_s_files_have_and_this_one_s_have_not():
    done = run([3], new=new(3, after=1), newest=date(3), inserted=dates(3))
    other = newer([2], new=new(2, after=1), newest=date(3))
    assert last_acknowledged(done) == date(3)
    assert last_acknowledged(done, other) == date(1)


def test_a_newer_owing_run_holds_it_up_no_longer_once_its_date_is_entered():
    done = run([3], new=new(3, after=1), newest=date(3), inserted=dates(3))
    other = newer([2, 4], new=new(2, after=1) | new(4, after=3), newest=date(4), inserted=dates(2))
    assert last_acknowledged(done, other) == date(3)


def test_an_older_owing_run_does_not_hold_it_up_for_a_date_that_the_newer_files_lack():
    done = run([3], new=new(3, after=1), newest=date(3), inserted=dates(3))
    withdrawn = older([2], new=new(2, after=1), newest=date(2))
    assert last_acknowledged(done, withdrawn) == date(3)


def test_a_date_that_waits_in_both_runs_is_known_by_whichever_entered_it():
    first = run([1, 2], new=new(1, 2), newest=date(2), inserted=dates(1))
    second = newer([1, 2], new=new(1, 2), newest=date(2), inserted=dates(2))
    assert last_acknowledged(first, second) == date(2)

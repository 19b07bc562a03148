"""Each invariant against what breaks it: it gives a finding, and no other one does."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from ops import invariants
from ops.invariants import days, ending, files, head, log, notices, runs, tables
from ops.invariants.ending import Ended, Message
from schemas.figures import Counts
from schemas.moment import at, version, written
from schemas.notice import FOLDED
from storage.kept import Kept, LoggedEvent, RawDay, RawHead, RawNotice, RawRow, RawRun

FIRST, SECOND, THIRD, FOURTH = (dt.datetime(2020, 3, 9 + day, 12, tzinfo=dt.UTC) for day in (1, 2, 3, 4))
OLD = {"nyt": "a" * 64, "jhu": "b" * 64}
NEW = {"nyt": "c" * 64, "jhu": "b" * 64}
D1, D2, D3, D4 = (dt.date(2020, 3, day) for day in (1, 2, 3, 4))


def values(cases, recovered=0):
    return {"cases": cases, "deaths": 0, "recovered": recovered}


def event(date, cases, time, previous=None):
    said = values(cases)
    name = f"US/{date}/{version(time)}/{Counts.read(said).digest}"
    before = None if previous is None else values(previous)
    hashes = OLD if time == FIRST else NEW
    return LoggedEvent(name, date, version(time), said, before, f"{written(time)}#r", hashes)


def day(event, entries=1, seen=None):
    digest = Counts.read(event.values).digest
    seen = event.version if seen is None else version(seen)
    found = event.version, seen, entries, event.id, event.run, at(event.version)
    return RawDay(event.date, event.values, digest, *found)


def row(of, **changes):
    return replace(RawRow(of.date, of.version, of.values, of.id, of.run), **changes)


def report(run):
    inserted, updated = (len(run.sets.get(name, ())) for name in ("inserted", "updated"))
    subject = (
        f"Daybook: {inserted} row{'s' * (inserted != 1)} inserted, {updated} updated, through 2020-03-04"
    )
    titles = [("Rows inserted", inserted), ("Rows updated", updated)]
    titles += [("Replaced by newer", len(run.sets.get("superseded", ())))]
    lines = [f"{title:<20}{count:>10,}" for title, count in titles]
    email = "\n".join(["The run is complete.", "", *lines, "", f"Stack test, run {run.name}\n"])
    return RawNotice(f"{run.name}/report", "daily-report", subject, email, run.name, "sent")


def run(time, pending=(), new=(), state="completed", files=NEW, **sets) -> Any:
    name = f"{written(time)}#r"
    found = {of: frozenset(dates) for of, dates in sets.items()}
    notice = f"{name}/report" if state == "completed" else f"{name}/{state}"
    dates = frozenset(pending), frozenset(new)
    return RawRun(
        name, version(time), state, *dates, files, found, notice=notice if state != "open" else None
    )


def alert(run, text="The run failed.\n\nNothing was written.\n"):
    return RawNotice(f"{run.name}/{run.state}", "alerts", "Daybook ALERT: …", text, run.name, "sent")


# Three days; then one is restated and one is new.
E1, E2, E3 = event(D1, 10, FIRST), event(D2, 20, FIRST), event(D3, 30, FIRST)
E2B, E4 = event(D2, 21, SECOND, 20), event(D4, 40, SECOND)
R1 = run(FIRST, [D1, D2, D3], [D1, D2, D3], files=OLD, inserted=[D1, D2, D3])
R2 = run(SECOND, [D2, D4], [D4], inserted=[D4], updated=[D2])
V1, V2 = version(FIRST), version(SECOND)


def by_name(*found):
    return {one.name: one for one in found}


def by_id(*found):
    return {one.id: one for one in found}


def by_date(*found):
    return {one.date: one for one in found}


HEAD = RawHead(D4, 2 * V1 + 2 * V2, 5, last_run=SECOND, settled=True)
HEALTHY: Any = Kept(
    head=HEAD,
    days=by_date(day(E1), day(E2B, 2), day(E3), day(E4)),
    runs=by_name(R1, R2),
    notices=by_id(report(R1), report(R2)),
    log=(E1, E2, E3, E2B, E4),
    daily=tuple(map(row, (E1, E2B, E3, E4))),
    revisions=tuple(map(row, (E1, E2, E2B, E3, E4))),
    files={
        f"nyt/{'a' * 64}": {date: {"cases": n, "deaths": 0} for date, n in ((D1, 10), (D2, 20), (D3, 30))},
        f"nyt/{'c' * 64}": {
            D1: {"cases": 11, "deaths": 0},
            D2: {"cases": 21, "deaths": 0},
            D4: {"cases": 40, "deaths": 0},
        },
        f"jhu/{'b' * 64}": {date: {"recovered": 0} for date in (D1, D2, D3, D4)},
    },
)


def with_head(**changes):
    return replace(HEALTHY, head=replace(HEAD, **changes))


def with_days(*found, **more):
    return replace(HEALTHY, days=HEALTHY.days | by_date(*found), **more)


def with_runs(*found, told=True, kept=HEALTHY, **more):
    told = by_id(*map(report, found)) if told else {}
    known = {"runs": kept.runs | by_name(*found), "notices": kept.notices | told}
    return replace(kept, **(known | more))


def with_log(*log, **more):
    return replace(HEALTHY, log=log, **more)


def open_run(**changes):
    """The state after a third run was stored that restates the first date; nothing of it is entered."""
    third = replace(run(THIRD, [D1], state="open"), **changes)
    kept = with_head(owing=frozenset([third.name]), last_run=THIRD, settled=False)
    return replace(kept, runs=kept.runs | by_name(third))


# A third run restates the first date, and what comes of it is on its way.
E1C = event(D1, 11, THIRD, 10)
R3 = run(THIRD, [D1], state="open")
OPEN = replace(
    with_head(owing=frozenset([R3.name]), last_run=THIRD, settled=False), runs=HEALTHY.runs | by_name(R3)
)
FAILED = run(THIRD, state="failed")


def ended(kept=HEALTHY, **changes):
    messages = tuple(Message(n.topic, n.subject, n.email) for n in kept.notices.values())
    published = {date: day.values for date, day in HEALTHY.days.items()}
    return Ended(kept, changes.pop("published", published), changes.pop("messages", messages), **changes)


def what(found):
    return [finding.what for finding in found]


@pytest.mark.parametrize(
    "kept",
    [
        pytest.param(HEALTHY, id="nothing under way"),
        pytest.param(Kept(), id="nothing at all"),
        pytest.param(OPEN, id="a run that owes"),
        pytest.param(replace(OPEN, log=(*OPEN.log, E1C)), id="logged, not written"),
        pytest.param(
            replace(OPEN, log=(*OPEN.log, E1C), revisions=(*OPEN.revisions, row(E1C))),
            id="written in revisions",
        ),
        pytest.param(
            replace(
                OPEN,
                log=(*OPEN.log, E1C),
                revisions=(*OPEN.revisions, row(E1C)),
                daily=(row(E1C), *OPEN.daily[1:]),
            ),
            id="written, not acknowledged",
        ),
        pytest.param(
            replace(
                HEALTHY,
                head=replace(HEAD, last_run=THIRD, failures=(FAILED.name,)),
                runs=HEALTHY.runs | by_name(FAILED),
                notices=HEALTHY.notices | by_id(alert(FAILED)),
            ),
            id="a run whose files were refused",
        ),
        pytest.param(replace(HEALTHY, log=(*HEALTHY.log, E3)), id="objects of the log overlap"),
        pytest.param(replace(HEALTHY, rejected=("1",)), id="a record was set aside"),
    ],
)
def test_what_is_healthy_has_no_finding(kept):
    assert what(invariants.broken(kept)) == []


def test_a_pending_date_that_its_source_withdrew_is_no_fault():
    given_up = replace(run(SECOND, [D2, D4], [D2, D4], state="incomplete", inserted=[D4]), files=NEW)
    first, entered = event(D1, 10, FIRST), event(D4, 40, SECOND)
    start = run(FIRST, [D1], [D1], files=OLD, inserted=[D1])
    without = run(THIRD)
    kept = replace(
        HEALTHY,
        head=RawHead(D4, V1 + V2, 2, frozenset([given_up.name]), THIRD),
        days=by_date(day(first), day(entered)),
        runs=by_name(start, given_up, without),
        notices=by_id(report(start), alert(given_up, "Rows written so far: 1\n"), report(without)),
        log=(first, entered),
        daily=(row(first), row(entered)),
        revisions=(row(first), row(entered)),
    )
    assert what(invariants.broken(kept)) == []
    # It is published again, after a later one was entered: it is late, and lies behind.
    again = run(FOURTH, [D2], [D2], state="open")
    late = RawHead(D4, V1 + V2, 2, frozenset([given_up.name, again.name]), FOURTH)
    assert what(invariants.broken(replace(kept, head=late, runs=kept.runs | by_name(again)))) == []


def test_a_row_that_timestream_may_not_show_yet_is_a_note():
    kept = replace(HEALTHY, daily=HEALTHY.daily[1:], revisions=HEALTHY.revisions[1:])
    assert len(invariants.broken(kept)) == 2
    found = invariants.findings(kept, trailing_since=FIRST - dt.timedelta(hours=1))
    assert [(finding.broken, "trailing" in finding.what) for finding in found] == [(False, True)] * 2
    assert len(invariants.broken(kept, trailing_since=SECOND)) == 2


def passed():
    """A run was to send two dates; the batch of the first one was given up, the second was entered."""
    one = run(FIRST, [D1, D2], [D1, D2], state="incomplete", files=OLD, inserted=[D2])
    return Kept(
        head=RawHead(D2, V1, 1, frozenset([one.name]), FIRST, (one.name,)),
        days=by_date(day(E2)),
        runs=by_name(one),
        notices=by_id(alert(one, "Rows written so far: 1\n")),
        log=(E2,),
        daily=(row(E2),),
        revisions=(row(E2),),
        files=HEALTHY.files,
    )


def no_day(date):
    return {known: day for known, day in HEALTHY.days.items() if known != date}


def equal():
    """The second entry of a date says what the first one did."""
    again = event(D2, 20, SECOND, 20)
    name = f"nyt/{'c' * 64}"
    said = {name: HEALTHY.files[name] | {D2: {"cases": 20, "deaths": 0}}}
    return with_days(
        day(again, 2),
        log=(E1, E2, E3, again, E4),
        daily=tuple(map(row, (E1, again, E3, E4))),
        revisions=tuple(map(row, (E1, E2, again, E3, E4))),
        files=HEALTHY.files | said,
    )


def twice():
    """A run has entered two values for one date."""
    other = event(D4, 41, SECOND)
    return with_days(
        day(E4, 2),
        head=replace(HEAD, entries=6),
        log=(*HEALTHY.log, other),
        revisions=(*HEALTHY.revisions, row(other, version=V2)),
        files=dict.fromkeys(HEALTHY.files),
    )


OTHER = f"US/{D4}/{V2}/{'0' * 12}"
PLANTED = [
    (log.no_entry_is_lost, with_log(E1, E2, E2B, E4)),
    (log.no_entry_is_lost, with_log(E1, E3, E2B, E4)),
    (log.an_id_is_one_event, with_log(replace(E4, files=OLD), *HEALTHY.log)),
    (log.a_run_enters_a_date_once, twice()),
    (log.consecutive_entries_differ, equal()),
    (log.what_an_event_replaces_was_entered, with_log(E1, E2, E3, replace(E2B, previous=values(19)), E4)),
    (
        files.every_file_is_kept,
        replace(HEALTHY, files={k: v for k, v in HEALTHY.files.items() if "c" not in k}),
    ),
    (files.values_stood_in_their_file, replace(HEALTHY, files=HEALTHY.files | {f"jhu/{'b' * 64}": {}})),
    (days.no_day_is_lost, replace(HEALTHY, days=no_day(D3))),
    (days.a_day_is_its_event, with_days(replace(day(E3), digest="0" * 12))),
    (days.a_day_is_its_event, with_days(replace(day(E3), run=R2.name))),
    (
        days.a_day_is_its_event,
        with_days(
            replace(day(E3), values=values(31)),
            daily=(*HEALTHY.daily[:2], row(E3, values=values(31)), row(E4)),
        ),
    ),
    (
        days.a_day_is_its_newest_entry,
        with_days(replace(day(E3, 0), seen=V1 - 1), head=replace(HEAD, entries=4)),
    ),
    (
        days.a_day_is_its_newest_entry,
        with_days(
            day(E2, 2, SECOND), head=replace(HEAD, stamp=3 * V1 + V2), daily=tuple(map(row, (E1, E2, E3, E4)))
        ),
    ),
    (days.entries_are_counted, with_days(day(E3, 2), head=replace(HEAD, entries=6))),
    (head.stamp_and_entries_are_sums, with_head(stamp=HEAD.stamp + 1)),
    (head.stamp_and_entries_are_sums, with_head(entries=6)),
    (head.the_last_acknowledged_date_is_a_day, with_head(last_acknowledged=dt.date(2020, 3, 5))),
    (head.the_last_acknowledged_date_is_a_day, with_head(last_acknowledged=None)),
    (head.the_last_acknowledged_date_passes_no_unwritten_day, passed()),
    (head.it_knows_who_owes, replace(OPEN, head=replace(OPEN.head, owing=frozenset()))),
    (head.it_knows_who_owes, with_head(owing=frozenset([R2.name]), settled=False)),
    (head.it_knows_who_owes, with_head(owing=frozenset(["?"]), settled=False)),
    (head.nothing_is_settled_while_a_run_owes, replace(OPEN, head=replace(OPEN.head, settled=True))),
    (head.it_has_the_newest_run, with_head(last_run=FIRST)),
    (
        head.failures_are_remembered,
        replace(
            with_head(last_run=THIRD),
            runs=HEALTHY.runs | by_name(FAILED),
            notices=HEALTHY.notices | by_id(alert(FAILED)),
        ),
    ),
    (head.failures_are_remembered, with_head(failures=("?",))),
    (runs.every_event_is_of_a_run, replace(HEALTHY, runs=by_name(R1), head=replace(HEAD, last_run=FIRST))),
    (runs.every_event_is_of_a_run, with_runs(replace(R2, files=OLD))),
    (runs.a_date_is_in_one_set, with_runs(replace(R2, refused=frozenset([D4])))),
    (runs.a_date_is_in_one_set, with_runs(replace(R1, sets=R1.sets | {"superseded": frozenset([D4])}))),
    (
        runs.a_completed_run_accounts_for_all,
        with_runs(replace(R2, pending=R2.pending | {D1}), days=HEALTHY.days | by_date(day(E1, seen=SECOND))),
    ),
    (
        runs.every_entry_is_counted,
        with_runs(replace(R2, sets={"inserted": frozenset([D4]), "superseded": frozenset([D2])})),
    ),
    (runs.a_date_is_inserted_once, with_runs(replace(R2, sets={"inserted": frozenset([D2, D4])}))),
    (runs.a_date_is_inserted_once, with_runs(replace(R2, sets={"updated": frozenset([D2, D4])}))),
    (runs.times_differ, with_runs(replace(run(SECOND), name="another", notice="another/report"))),
    (
        tables.revisions_are_the_log,
        replace(HEALTHY, revisions=(*HEALTHY.revisions[:-1], row(E4, values=values(4)))),
    ),
    (
        tables.revisions_are_the_log,
        replace(HEALTHY, revisions=(*HEALTHY.revisions[:-1], row(E4, run=R1.name))),
    ),
    (tables.revisions_hold_every_entry, replace(HEALTHY, revisions=HEALTHY.revisions[1:])),
    (tables.daily_is_what_is_acknowledged, replace(HEALTHY, daily=HEALTHY.daily[1:])),
    (tables.daily_is_what_is_acknowledged, replace(HEALTHY, daily=tuple(map(row, (E1, E2, E3, E4))))),
    (
        tables.daily_is_what_is_acknowledged,
        replace(HEALTHY, daily=(row(E1, values=values(1)), *HEALTHY.daily[1:])),
    ),
    (
        tables.daily_is_what_is_acknowledged,
        replace(HEALTHY, daily=(row(E1, event=OTHER), *HEALTHY.daily[1:])),
    ),
    (tables.no_row_is_there_twice, replace(HEALTHY, daily=(*HEALTHY.daily, row(E4)))),
    (tables.no_row_is_there_twice, replace(HEALTHY, revisions=(*HEALTHY.revisions, row(E4)))),
    (notices.every_end_is_told, replace(HEALTHY, notices=by_id(report(R1)))),
    (notices.every_end_is_told, with_runs(replace(R2, notice=f"{R1.name}/report"))),
    (
        notices.a_backfill_is_one_report,
        replace(
            with_runs(replace(R1, notice=FOLDED), replace(R2, notice=FOLDED), told=False),
            notices=by_id(replace(report(R1), id=FOLDED, subject="Daybook: 4 rows inserted, 2 updated")),
        ),
    ),
    (
        notices.every_end_is_told,
        replace(with_runs(R1, replace(R2, notice=FOLDED), told=False), notices=by_id(report(R1))),
    ),
    (
        notices.reports_say_what_was_counted,
        replace(
            HEALTHY,
            notices=by_id(report(R1), replace(report(R2), subject="Daybook: 2 rows inserted, 1 updated")),
        ),
    ),
    (
        notices.reports_say_what_was_counted,
        with_runs(
            replace(R2, pending=R2.pending | {D3}, sets=R2.sets | {"superseded": frozenset([D3])}), told=False
        ),
    ),
    (notices.reports_say_what_was_counted, with_runs(replace(R2, begun=frozenset(["a"])), told=False)),
    (notices.alerts_are_true, replace(HEALTHY, notices=HEALTHY.notices | by_id(alert(R2)))),
    (
        notices.alerts_are_true,
        replace(HEALTHY, notices=HEALTHY.notices | by_id(alert(R2, "Rows written so far: 3\n"))),
    ),
    (notices.the_head_knows_what_is_unsent, with_head(unsent=frozenset([f"{R2.name}/report"]))),
    (
        notices.the_head_knows_what_is_unsent,
        replace(HEALTHY, notices=by_id(report(R1), replace(report(R2), state="leased"))),
    ),
]


@pytest.mark.parametrize(("check", "kept"), PLANTED, ids=[check.__name__ for check, _ in PLANTED])
def test_what_breaks_an_invariant_is_found_by_it_and_by_no_other(check, kept):
    own = [finding for finding in check(kept) if finding.broken]
    assert own
    assert what(invariants.broken(kept)) == what(own)


def test_every_invariant_is_planted_against():
    checks = {*invariants.CHECKS, tables.revisions_hold_every_entry, tables.daily_is_what_is_acknowledged}
    assert checks - {check for check, _ in PLANTED} == {log.records_were_set_aside}  # which breaks nothing


R1_REPORT, R2_REPORT = (Message(n.topic, n.subject, n.email) for n in (report(R1), report(R2)))


def warned(*codes):
    """Further runs, each with the codes that begin with it, and those that stand already."""
    found = HEALTHY
    for number, (begun, standing) in enumerate(codes):
        one = run(THIRD + number * dt.timedelta(days=1))
        one = replace(one, begun=frozenset(begun), warnings=frozenset([*begun, *standing]))
        listed = "".join(f"- {code}\n" for code in begun)
        told = replace(report(one), email=f"Run {number}.\n\nNew warnings:\n{listed}")
        last = replace(found.head, last_run=at(one.version))
        found = replace(found, head=last, runs=found.runs | by_name(one), notices=found.notices | by_id(told))
    return ended(found)


def miscounted():
    """A report says inserted where its run updated."""
    wrong = replace(report(R2), subject="Daybook: 2 rows inserted, 0 updated")
    return ended(replace(HEALTHY, notices=by_id(report(R1), wrong)))


ENDS = [
    (ending.nothing_is_left_to_do, ended(OPEN)),
    (ending.nothing_is_left_to_do, ended(with_head(unsent=frozenset(["a"])))),
    (ending.nothing_is_left_to_do, ended(with_head(failures=("a",)))),
    (ending.nothing_is_left_to_do, ended(with_head(held=True))),
    (ending.what_is_published_is_acknowledged, ended(with_head(last_acknowledged=D3))),
    (
        ending.what_is_published_is_acknowledged,
        ended(published={D1: values(10), D2: values(21), D3: values(30), D4: values(41)}),
    ),
    (
        ending.what_is_published_is_acknowledged,
        ended(published={D1: values(10), D2: values(21), D4: values(40)}),
    ),
    (ending.pending_days_went_oldest_first, ended(put=((R2.name, D4), (R2.name, D2)))),
    (ending.every_notice_was_sent_once, ended(messages=(R1_REPORT, R2_REPORT, R2_REPORT))),
    (
        ending.every_notice_was_sent_once,
        ended(messages=(R1_REPORT, R2_REPORT, replace(R1_REPORT, topic="alerts"))),
    ),
    (ending.every_entry_is_in_one_report, ended(replace(HEALTHY, log=(*HEALTHY.log, E1C)))),
    (ending.every_entry_is_in_one_report, miscounted()),
    (ending.what_begins_is_told_once, warned([["a"], []], [["a"], []])),
]


def test_an_end_at_which_everything_holds_has_no_finding():
    assert ending.findings(ended()) == []
    put = (R1.name, D1), (R1.name, D2), (R1.name, D1), (R1.name, D3), (R2.name, D2)
    assert ending.findings(ended(put=put)) == []
    copied = ended(messages=(R1_REPORT, R2_REPORT, R2_REPORT), copies=True)
    assert ending.findings(copied) == []


@pytest.mark.parametrize(("check", "end"), ENDS, ids=[check.__name__ for check, _ in ENDS])
def test_what_is_wrong_at_the_end_is_found_by_one_alone(check, end):
    own = list(check(end))
    assert own
    assert what(ending.findings(end)) == what(own)


def test_a_warning_that_has_ended_in_between_may_begin_again():
    assert ending.findings(warned([["a"], []], [[], ["a"]], [[], []], [["a"], []])) == []


def test_a_replay_that_changes_a_value_or_sends_a_message_is_found():
    before = ending.dump(HEALTHY, [R1_REPORT])
    assert before == ending.dump(replace(HEALTHY, log=(*HEALTHY.log, E1)), [R1_REPORT])
    assert before != ending.dump(HEALTHY, [R1_REPORT, R2_REPORT])
    after = ending.dump(replace(HEALTHY, daily=HEALTHY.daily[1:]), [R1_REPORT])
    assert [finding.place for finding in ending.changed(before, after)] == ["daily"]

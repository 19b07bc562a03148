"""How the pipeline is, and why."""

import datetime as dt
from dataclasses import replace

import pytest
from dashboards import LAST_RUN, NOW, FakeReader, day, run, warned

from dashboard import status
from dashboard.latest import Latest, Ledger, Problem
from schemas.run import COMPLETED, FAILED, INCOMPLETE, OPEN, Head, SourceFile

STALE_AFTER = dt.timedelta(hours=36)


def latest(**head: object) -> Latest:
    reader = FakeReader()
    reader.entered(**head)
    ledger = Ledger(files=tuple(reader.files_), runs=tuple(reader.runs_), days=tuple(reader.days()))
    return Latest(rows=tuple(reader.daily()), head=reader.head(), ledger=ledger, read_at=NOW)


def state(found: Latest, now: dt.datetime = NOW) -> tuple[str, str]:
    assessment = status.assess(found, now, STALE_AFTER)
    return assessment.state, " ".join(assessment.reasons)


def test_a_run_that_completed_with_nothing_pending_is_healthy() -> None:
    assert state(latest()) == (
        "healthy",
        "The last run completed 2020-06-29 12:00 UTC, and nothing is pending.",
    )


def test_before_the_first_run_nothing_is_known() -> None:
    assert state(Latest(head=Head())) == ("unknown", "No run has been made yet.")
    assert state(Latest()) == ("unknown", "The ledger has not answered yet.")


def test_a_ledger_out_of_reach_is_unknown_whatever_it_said_before() -> None:
    problem = Problem("ledger", "no answer", NOW)
    found = replace(latest(failures=("x",)), problems=(problem,))
    assert state(found)[0] == "unknown"
    assert "out of reach since 2020-06-29 14:00 UTC" in state(found)[1]


def test_a_failed_run_is_degraded() -> None:
    found = latest(failures=("2020-06-29T12:00:00.000Z#x",))
    assert state(found) == ("degraded", "1 run failed since the last one that completed.")


def test_no_success_for_too_long_is_degraded_and_stale() -> None:
    found = latest()
    assessment = status.assess(found, LAST_RUN + dt.timedelta(hours=37), STALE_AFTER)
    assert (assessment.state, assessment.stale) == ("degraded", True)
    assert not status.assess(found, LAST_RUN + dt.timedelta(hours=35), STALE_AFTER).stale


def test_a_store_out_of_reach_is_degraded() -> None:
    assert state(replace(latest(), problems=(Problem("store", "x", NOW),)))[0] == "degraded"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (replace(latest(), trailing=True), "trail"),
        (latest(open=frozenset({"2020-06-29T12:00:00.000Z#x"})), "still open"),
        (latest(unsent=frozenset({"a"})), "notice not sent"),
        (
            replace(latest(), ledger=Ledger(files=(SourceFile("nyt", "a", 1, day(120), NOW),))),
            "1 day pending",
        ),
        (latest(warnings=(warned("behind/jhu", "Johns Hopkins is behind"),)), "behind"),
    ],
)
def test_what_may_mend_itself_is_a_warning(found: Latest, reason: str) -> None:
    assert state(found)[0] == "warning"
    assert reason in state(found)[1]


def test_a_run_at_work_is_nothing_to_warn_of() -> None:
    found = latest(open=frozenset({"2020-06-29T13:30:00.000Z#x"}))
    assert state(found)[0] == "healthy"


def test_a_source_that_ended_is_information() -> None:
    found = latest(warnings=(warned("ended/nyt", "The New York Times has ended"),))
    assert state(found)[0] == "healthy"
    assert status.information(found) == ["The New York Times has ended."]


def test_lag_is_from_the_last_acknowledged_to_the_newest_day_that_both_publish() -> None:
    found = latest()
    files = (
        SourceFile("nyt", "a", 1, day(125), NOW),
        SourceFile("jhu", "b", 1, day(122), NOW),
    )
    found = replace(found, ledger=replace(found.ledger, files=files))
    assert status.lag(found) == 3
    assert status.unacknowledged(found) == [day(120), day(121), day(122)]


def test_a_day_is_pending_with_the_reason_that_the_ledger_gives() -> None:
    found = latest()
    forgotten = replace(found.ledger.days[5], digest=None)
    runs = (
        run(NOW, OPEN, pending=(day(120), day(121)), inserted=frozenset({day(120)})),
        run(NOW - dt.timedelta(hours=1), INCOMPLETE, pending=(day(50),)),
        run(LAST_RUN - dt.timedelta(days=9), FAILED, pending=(day(60),)),
    )
    found = replace(found, ledger=replace(found.ledger, days=(forgotten,), runs=runs))
    assert [(one.date, one.reason) for one in status.pending(found)] == [
        (day(5), "its last entry could not be completed; the next run sends it again"),
        (day(50), "the run of 2020-06-29 13:00 UTC is incomplete"),
        (day(121), "sent by the run of 2020-06-29 14:00 UTC"),
    ]


def test_a_tally_counts_what_came_of_a_run() -> None:
    found = run(
        NOW, COMPLETED, pending=(day(1), day(2)), inserted=frozenset({day(1)}), failed=frozenset({day(2)})
    )
    assert status.tally(found) == "1 inserted, 0 updated, 1 set aside"
    assert status.tally(run(NOW, FAILED, reason_count=3)) == "refused: 3 reasons"

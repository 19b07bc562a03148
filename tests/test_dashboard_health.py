"""How the pipeline is, and why."""

import datetime as dt
from dataclasses import replace

import pytest
from dashboards import LAST_RUN, NOW, SETTINGS, FakeReader, counts, day, row, run, warned

from dashboard import health
from dashboard.cache import Details, Problem, Snapshot
from schemas.ledger import COMPLETED, FAILED, INCOMPLETE, OPEN, Head, Held, Run


def latest(*owing: Run, **head: object) -> Snapshot:
    reader = FakeReader()
    reader.owe(*owing, **head)
    reading = reader.owing()
    details = Details(tuple(reader.files_), tuple(reader.runs_), reading.others, reading.days)
    return Snapshot(
        SETTINGS, NOW, rows=tuple(reader.daily()), head=reading.head, details=details, read_at=NOW
    )


def state(found: Snapshot, now: dt.datetime = NOW) -> tuple[str, str]:
    assessment = health.assess(replace(found, now=now))
    return assessment.state, " ".join(assessment.reasons)


def test_a_run_that_completed_with_nothing_pending_is_healthy() -> None:
    assert state(latest()) == (
        "healthy",
        "The last run completed 2020-06-29 12:00 UTC, and nothing is pending.",
    )


def test_before_the_first_run_nothing_is_known() -> None:
    assert state(Snapshot(SETTINGS, NOW, head=Head())) == ("unknown", "No run has been made yet.")
    assert state(Snapshot(SETTINGS, NOW)) == ("unknown", "The ledger has not answered yet.")


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
    assessment = health.assess(replace(found, now=LAST_RUN + dt.timedelta(hours=37)))
    assert (assessment.state, assessment.stale) == ("degraded", True)
    assert not health.assess(replace(found, now=LAST_RUN + dt.timedelta(hours=35))).stale


def test_a_store_out_of_reach_is_degraded() -> None:
    assert state(replace(latest(), problems=(Problem("store", "x", NOW),)))[0] == "degraded"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (replace(latest(), trailing=True), "trail"),
        (latest(run(LAST_RUN, OPEN, pending=(day(120),))), "1 run still owes days after an hour"),
        (latest(run(LAST_RUN, FAILED, pending=(day(120),))), "1 day pending"),
        (latest(unsent=frozenset({"a"})), "notice not sent"),
        (latest(held=Held("x", LAST_RUN)), "A rebuild has been under way since 2020-06-29 12:00 UTC"),
        (latest(told=(warned("behind/jhu", "Johns Hopkins is behind"),)), "behind"),
    ],
)
def test_what_may_mend_itself_is_a_warning(found: Snapshot, reason: str) -> None:
    assert state(found)[0] == "warning"
    assert reason in state(found)[1]


def test_a_run_at_work_is_nothing_to_warn_of() -> None:
    found = latest(run(NOW - dt.timedelta(minutes=30), OPEN, pending=(day(120),)))
    assert state(found)[0] == "healthy"


def test_a_record_whose_source_has_ended_is_ended_and_says_what_that_means() -> None:
    found = latest(told=(warned("ended/nyt", "The New York Times has ended"),))
    assert state(found)[0] == "ended"
    assert health.assess(found).reasons[0].replace("\u00a0", " ") == (
        "The New York Times stopped publishing on 28 June 2020: without it the record does not grow."
    )
    assert health.information(found) == ["The New York Times has ended."]


def test_an_acceptance_is_remembered_and_not_shown() -> None:
    found = latest(told=(warned("accepted/2020-03-01/abc/cases", ""), warned("ended/nyt", "It has ended")))
    assert [warning.text for warning in health.standing(found)] == ["It has ended"]


def test_lag_is_from_the_last_acknowledged_to_the_newest_day_that_both_publish() -> None:
    found = latest(newest=day(122))
    assert health.lag(found) == 3
    assert health.lag(replace(found, head=None)) is None


def test_a_date_that_only_one_file_has_is_not_pending() -> None:
    """The newest dates of the files may both lie behind the newest date that both have."""
    found = latest(newest=day(119))
    assert (health.pending(found), health.lag(found)) == ([], 0)


def test_a_day_is_pending_with_the_run_that_owes_it_and_its_state() -> None:
    hour = dt.timedelta(hours=1)
    found = latest(
        run(NOW - 2 * hour, FAILED, pending=(day(60), day(120))),
        run(NOW - hour, INCOMPLETE, pending=(day(50),)),
        run(NOW, OPEN, pending=(day(120), day(121)), duplicate=frozenset({day(120)})),
    )
    assert [(one.date, one.reason) for one in health.pending(found)] == [
        (day(50), "the run of 2020-06-29 13:00 UTC is incomplete"),
        (day(60), "the run of 2020-06-29 12:00 UTC failed"),
        (day(120), "the run of 2020-06-29 12:00 UTC failed"),
        (day(121), "sent by the run of 2020-06-29 14:00 UTC"),
    ]


def test_what_a_newer_run_s_event_was_decided_for_is_not_pending() -> None:
    reader = FakeReader()
    reader.kept.append(row(60, counts(61), NOW))
    reader.owe(run(LAST_RUN, INCOMPLETE, pending=(day(60), day(61))))
    reading = reader.owing()
    details = Details((), (), reading.others, reading.days)
    assert [
        one.date for one in health.pending(Snapshot(SETTINGS, NOW, head=reading.head, details=details))
    ] == [day(61)]


def test_a_tally_counts_what_came_of_a_run() -> None:
    found = run(
        NOW, COMPLETED, pending=(day(1), day(2)), inserted=frozenset({day(1)}), failed=frozenset({day(2)})
    )
    assert health.tally(found) == "1 inserted, 0 updated, 1 no longer published"
    assert health.tally(run(NOW, FAILED, reason_count=3)) == "refused: 3 reasons"

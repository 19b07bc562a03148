"""When schedules fire, and with what."""

import json
import threading
from datetime import UTC, datetime

import pytest

from local.clock import Clock
from local.scheduler import ExpressionNotSupported, fire, next_time, run
from local.stack.definitions import LocalSchedule

NOON = datetime(2020, 9, 2, 12, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 12 * * ? *)", "2020-09-03T12:00"),
        ("cron(30 12 * * ? *)", "2020-09-02T12:30"),
        ("cron(0/15 * * * ? *)", "2020-09-02T12:15"),
        ("cron(*/20 13-14 * * ? *)", "2020-09-02T13:00"),
        ("cron(5,50 12 * * ? *)", "2020-09-02T12:05"),
        ("cron(0 8 ? * MON-FRI *)", "2020-09-03T08:00"),
        ("cron(0 8 ? * 1,7 *)", "2020-09-05T08:00"),
        ("cron(0 8 ? * wed *)", "2020-09-09T08:00"),
        ("cron(0 0 1 JAN ? *)", "2021-01-01T00:00"),
        ("cron(0 0 31 * ? *)", "2020-10-31T00:00"),
        ("cron(0 0 29 2 ? *)", "2024-02-29T00:00"),
        ("cron(0 0 1/10 * ? 2022)", "2022-01-01T00:00"),
        ("at(2020-09-02T12:00:01)", "2020-09-02T12:00:01"),
        ("rate(5 minutes)", "2020-09-02T12:05"),
        ("rate(1 hour)", "2020-09-02T13:00"),
        ("rate(7 days)", "2020-09-09T12:00"),
    ],
)
def test_an_expression_fires_next_at(expression: str, expected: str) -> None:
    assert next_time(expression, "UTC", NOON) == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "expression", ["at(2020-09-02T12:00:00)", "cron(0 0 30 2 ? *)", "cron(0 12 * * ? 2019)"]
)
def test_an_expression_without_a_later_moment_fires_no_more(expression: str) -> None:
    assert next_time(expression, "UTC", NOON) is None


def test_a_cron_expression_is_read_in_its_zone() -> None:
    assert next_time("cron(0 12 * * ? *)", "America/New_York", NOON) == datetime(2020, 9, 2, 16, tzinfo=UTC)


def test_a_time_that_the_clocks_leave_out_is_skipped() -> None:
    before = datetime(2020, 3, 8, 5, tzinfo=UTC)  # midnight in New York, where 2 to 3 o'clock will be missing
    expected = datetime(2020, 3, 9, 6, 30, tzinfo=UTC)
    assert next_time("cron(30 2 * * ? *)", "America/New_York", before) == expected


def test_a_time_that_comes_twice_fires_once() -> None:
    first = datetime(2020, 11, 1, 5, 30, tzinfo=UTC)  # half past one in New York, and again an hour later
    assert next_time("cron(30 1 * * ? *)", "America/New_York", first.replace(hour=4)) == first
    second = datetime(2020, 11, 2, 6, 30, tzinfo=UTC)
    assert next_time("cron(30 1 * * ? *)", "America/New_York", first) == second


def test_a_rate_keeps_to_the_moments_counted_from_its_creation() -> None:
    later = datetime(2020, 9, 2, 12, 7, 30, tzinfo=UTC)
    assert next_time("rate(5 minutes)", "UTC", later, created=NOON) == NOON.replace(minute=10)


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("cron(0 0 L * ? *)", "only on AWS"),
        ("cron(0 0 15W * ? *)", "only on AWS"),
        ("cron(0 0 ? * TUE#2 *)", "only on AWS"),
        ("cron(0 0 ? * FRIL *)", "only on AWS"),
        ("cron(0 12 * * *)", "fields"),
        ("cron(0 12 * * * *)", r"must be \?"),
        ("cron(0 24 * * ? *)", "hours"),
        ("rate(0 minutes)", "write"),
        ("every day", "write"),
    ],
)
def test_an_expression_that_cannot_be_run_here_says_why(expression: str, why: str) -> None:
    with pytest.raises(ExpressionNotSupported, match=why):
        next_time(expression, "UTC", NOON)


def test_the_input_tells_the_scheduled_time() -> None:
    daily = schedule(input='{"scheduled_at": "<aws.scheduler.scheduled-time>", "trigger": "schedule"}')
    assert json.loads(fire(daily, NOON)) == {"scheduled_at": "2020-09-02T12:00:00Z", "trigger": "schedule"}


def test_one_firing_has_one_execution_id_and_another_has_another() -> None:
    told = schedule(input="<aws.scheduler.execution-id> <aws.scheduler.attempt-number>")
    assert fire(told, NOON) == fire(told, NOON)
    assert fire(told, NOON).endswith(b" 1")
    assert fire(told, NOON) != fire(told, NOON.replace(hour=13))


def test_a_schedule_without_input_sends_the_event_that_aws_sends() -> None:
    event = json.loads(fire(schedule(input=""), NOON))
    assert (event["source"], event["time"]) == ("aws.scheduler", "2020-09-02T12:00:00Z")
    assert event["resources"] == ["arn:aws:scheduler:us-east-1:123456789012:schedule/default/daily"]


def test_a_running_schedule_fires_at_its_time_and_then_is_done() -> None:
    fired: list[tuple[str, bytes]] = []
    clock = PassingClock(NOON)
    once = schedule("at(2020-09-02T12:01:00)", "<aws.scheduler.scheduled-time>")
    run(once, lambda name, payload: fired.append((name, payload)), clock, clock.stop)
    assert fired == [("fetcher", b"2020-09-02T12:01:00Z")]


def test_a_firing_that_fails_does_not_end_the_schedule() -> None:
    clock = PassingClock(NOON)
    fired: list[bytes] = []

    def refuse_once(_name: str, payload: bytes) -> None:
        fired.append(payload)
        if len(fired) == 1:
            raise ConnectionError("nobody there")
        clock.stop.set()

    run(schedule("rate(1 minute)", "<aws.scheduler.scheduled-time>"), refuse_once, clock, clock.stop)
    assert fired == [b"2020-09-02T12:01:00Z", b"2020-09-02T12:02:00Z"]


def test_a_stopped_schedule_fires_nothing() -> None:
    stop = threading.Event()
    stop.set()
    fired: list[object] = []
    run(schedule("rate(1 minute)"), lambda *asked: fired.append(asked), Clock.real(), stop)
    assert fired == []


def schedule(expression: str = "cron(0 12 * * ? *)", input: str = "{}") -> LocalSchedule:
    return LocalSchedule("daily", expression, "UTC", "fetcher", input, 1)


class PassingClock(Clock):
    """Waiting on its event makes the time pass."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        clock = self

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                clock.sleep(timeout or 0)
                return self.is_set()

        self.stop = Stop()

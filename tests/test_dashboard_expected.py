"""When the schedule brings the next figures."""

import datetime as dt

import pytest

from dashboard.health import next_run

LAST = dt.datetime(2020, 12, 29, 12, 0, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("cron(0 12 * * ? *) UTC", dt.datetime(2020, 12, 30, 12, tzinfo=dt.UTC)),
        ("cron(30 14 ? * * *) UTC", dt.datetime(2020, 12, 29, 14, 30, tzinfo=dt.UTC)),
        ("cron(0 8 * * ? *) America/New_York", dt.datetime(2020, 12, 29, 13, tzinfo=dt.UTC)),
        ("rate(6 hours) UTC", LAST + dt.timedelta(hours=6)),
        ("cron(0 12 ? * MON *) UTC", None),
        ("cron(0 12 * * ? *) Nowhere/Such", None),
        ("cron(99 12 * * ? *) UTC", None),
        ("<img src=x>", None),
    ],
)
def test_the_next_time_that_the_schedule_names(schedule: str, expected: dt.datetime | None) -> None:
    assert next_run(schedule, LAST) == expected


def test_before_the_first_run_nothing_is_promised() -> None:
    assert next_run("rate(1 day)", None) is None

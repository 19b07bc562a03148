"""What happens to time: files late, days missed, clocks and calendars. Each is a few days of the system.

As in tests/scenarios.py, whose ``survived`` holds what comes of it to the invariants.
"""

import datetime as dt
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from faults import DAY, first_load, go
from invariants import Watch
from scenarios import HOUR, Scenario, invoke_fetcher, states, unnoticed
from schemas.run import COMPLETED, FAILED, Run
from system import System

from local.scheduler import next_time

MINUTE, MILLISECOND = dt.timedelta(minutes=1), dt.timedelta(milliseconds=1)
NOON = dt.time(12)
START = dt.date(2020, 3, 1)  # of the record, where nothing else is said


def utc(date: dt.date, time: dt.time = NOON) -> dt.datetime:
    return dt.datetime.combine(date, time, dt.UTC)


def cases(days: int, first: dt.date = START, **restated: int) -> dict[str, int]:
    """So many dates from the first on, ten cases more each day; ``d3=31`` restates the third."""
    found = {str(first + number * DAY): (number + 1) * 10 for number in range(days)}
    return found | {str(first + (int(name[1:]) - 1) * DAY): count for name, count in restated.items()}


def run_at(daybook: System, arrives: dt.datetime, scheduled: dt.datetime | None = None) -> Run:
    """The run of a request that arrives now, scheduled for now or another moment, and what comes of it within
    a minute."""
    cloud = daybook.cloud
    cloud.clock.advance_to(arrives)
    request = cloud.run(scheduled or arrives)
    cloud.settle(until=arrives + MINUTE)
    daybook.moment = arrives + DAY
    return daybook.stored(request)


def last(daybook: System) -> Run:
    return daybook.cloud.ledger.recent_runs()[0]


def dates(found: Any) -> list[str]:
    return sorted(map(str, found))


def codes(run: Run) -> set[str]:
    return {warning.code for warning in run.warnings}


# Late


def file_after_the_run(daybook: System, watch: Watch) -> None:
    """The day's file comes an hour after the day's run; the next run has two days to take."""
    first_load(daybook)
    go(daybook)
    assert (last(daybook).state, last(daybook).pending) == (COMPLETED, ())
    daybook.publish(cases(7))
    daybook.publish(cases(8))
    go(daybook)
    assert dates(last(daybook).inserted) == ["2020-03-07", "2020-03-08"]
    unnoticed(daybook)


def one_source_late(by: int) -> Scenario:
    """Johns Hopkins lags by so many days and comes back: its days were never pending, and then all are."""

    def scenario(daybook: System, watch: Watch) -> None:
        first_load(daybook)
        for number in range(1, by + 1):
            daybook.publish(cases(6 + number), dict.fromkeys(cases(6), 0))
            go(daybook)
            assert (last(daybook).state, last(daybook).pending) == (COMPLETED, ())
            assert "behind/jhu" in codes(last(daybook))
        assert len(daybook.daily()) == 6
        daybook.publish(cases(6 + by))
        go(daybook)
        assert len(last(daybook).inserted) == by
        assert any("behind" in text for text in last(daybook).ended)
        unnoticed(daybook)

    return scenario


def date_published_late(daybook: System, watch: Watch) -> None:
    """A date between others comes when later ones are acknowledged: it is told, and nothing moves back."""
    gap = {date: count for date, count in cases(7).items() if date != "2020-03-04"}
    daybook.publish(gap)
    go(daybook)
    assert "gap/nyt/2020-03-04" in codes(last(daybook))
    daybook.publish(cases(7))
    go(daybook)
    assert dates(last(daybook).inserted) == ["2020-03-04"]
    assert codes(last(daybook)) == {"late/2020-03-04"}
    assert str(daybook.cloud.ledger.head().last_acknowledged) == "2020-03-07"
    unnoticed(daybook)


def week_published_late(daybook: System, watch: Watch) -> None:
    """What lay before the record's first day is published as well."""
    daybook.publish(cases(3, START + 4 * DAY))
    go(daybook)
    daybook.publish(cases(4) | cases(3, START + 4 * DAY))
    go(daybook)
    assert len(last(daybook).inserted) == 4
    assert len(codes(last(daybook))) >= 4
    unnoticed(daybook)


# Missed


def nobody_ran(days: int) -> Scenario:
    """No run for so long, while the sources went on and restated: one run takes all of it, oldest first."""

    def scenario(daybook: System, watch: Watch) -> None:
        first_load(daybook)
        daybook.moment += days * DAY
        daybook.publish(cases(6 + days + 1, d2=21))
        go(daybook)
        run = last(daybook)
        assert (run.state, len(run.inserted), dates(run.updated)) == (COMPLETED, days + 1, ["2020-03-02"])
        assert list(run.pending) == sorted(run.pending)
        assert daybook.revisions("2020-03-02") == [20, 21]
        unnoticed(daybook)

    return scenario


def source_away(days: int) -> Scenario:
    """Each run fails and says so, and the first that doesn't takes everything and says what it makes good."""

    def scenario(daybook: System, watch: Watch) -> None:
        first_load(daybook)
        files = daybook.publisher.files
        for number in range(1, days + 1):
            daybook.publish(cases(6 + number))
            away = files.pop("nyt")
            go(daybook)
            files["nyt"] = away
        assert states(daybook) == ([COMPLETED] + [FAILED] * days)[-10:]
        assert len(daybook.told("alerts")) == days
        assert len(daybook.daily()) == 6
        go(daybook)
        assert len(last(daybook).inserted) == days
        report = daybook.told("daily-report")[-1].text("email")
        assert "This makes good what failed before" in report
        assert report.count(" UTC") >= days

    return scenario


def restated_while_away(daybook: System, watch: Watch) -> None:
    """A day is restated three times while nobody can read it: only the last word is entered."""
    first_load(daybook)
    for count in (21, 22, 23):
        daybook.publish(cases(6, d2=count))
        daybook.moment += DAY
    go(daybook)
    assert daybook.revisions("2020-03-02") == [20, 23]
    unnoticed(daybook)


# Midnight


def either_side_of_midnight(daybook: System, watch: Watch) -> None:
    """A run at 23:59 with the day's own date, one at 00:01 with the next: two days, two runs."""
    first_load(daybook)
    evening = utc(START + 9 * DAY, dt.time(23, 59))
    daybook.publish(cases(10))
    run = run_at(daybook, evening)
    assert (run.state, run.time, str(run.newest)) == (COMPLETED, evening, "2020-03-10")
    daybook.publish(cases(11))
    run = run_at(daybook, evening + 2 * MINUTE)
    assert (run.state, dates(run.inserted)) == (COMPLETED, ["2020-03-11"])
    unnoticed(daybook)


def tomorrow_before_midnight(daybook: System, watch: Watch) -> None:
    """Tomorrow's date is refused at 23:59; two minutes later it is today's."""
    first_load(daybook)
    evening = utc(START + 9 * DAY, dt.time(23, 59))
    daybook.publish(cases(11))
    run = run_at(daybook, evening)
    assert run.state == FAILED
    assert "lies after the run's date, 2020-03-10" in run.reasons[0]
    assert len(daybook.daily()) == 6
    run = run_at(daybook, evening + 2 * MINUTE)
    assert (run.state, len(run.inserted)) == (COMPLETED, 5)
    assert len(daybook.told("alerts")) == 1


def delivered_after_midnight(daybook: System, watch: Watch) -> None:
    """Scheduled for 23:59 and delivered at 00:01: its day is the one it was scheduled for."""
    first_load(daybook)
    evening = utc(START + 9 * DAY, dt.time(23, 59))
    daybook.publish(cases(11))
    run = run_at(daybook, evening + 2 * MINUTE, scheduled=evening)
    assert (run.state, run.time) == (FAILED, evening)
    run = run_at(daybook, evening + 12 * HOUR)
    assert (run.state, len(run.inserted)) == (COMPLETED, 5)


# Clocks


def one_hour_back(daybook: System, watch: Watch) -> None:
    """A run at noon, and one for 11:00 after it: its figures are the newer ones, and so is its version."""
    first_load(daybook)
    daybook.publish(cases(7, d2=21))
    first = run_at(daybook, daybook.moment)
    daybook.publish(cases(7, d2=22))
    second = run_at(daybook, first.time + 10 * MINUTE, scheduled=first.time - HOUR)
    assert second.time == first.time + MILLISECOND
    assert daybook.revisions("2020-03-02") == [20, 21, 22]
    assert daybook.daily()["2020-03-02"] == 22
    unnoticed(daybook)


def one_hour_back_and_a_day_entered_already(daybook: System, watch: Watch) -> None:
    """The same, and the sources return to what they said: three entries, each later than the one before."""
    first_load(daybook)
    moments = [daybook.moment, daybook.moment - HOUR, daybook.moment - 2 * HOUR]
    for place, (moment, count) in enumerate(zip(moments, (21, 20, 21), strict=True)):
        daybook.publish(cases(6, d2=count))
        run_at(daybook, moments[0] + place * 5 * MINUTE, scheduled=moment)
    assert daybook.revisions("2020-03-02") == [20, 21, 20, 21]
    times = [row.version for row in daybook.cloud.reader.revisions(START + DAY)]
    assert times == sorted(set(times))
    unnoticed(daybook)


def fired_twice(daybook: System, watch: Watch) -> None:
    """One firing is delivered twice: two runs, a millisecond apart, the second with nothing to do."""
    first_load(daybook)
    daybook.publish(cases(7))
    moment = daybook.moment
    first, second = run_at(daybook, moment), run_at(daybook, moment, scheduled=moment)
    assert second.time == first.time + MILLISECOND
    assert (len(first.pending), len(second.pending)) == (1, 0)
    unnoticed(daybook)


def delivered_a_day_late(daybook: System, watch: Watch) -> None:
    """Yesterday's request arrives after today's run: it reads what there is today, and is no older."""
    first_load(daybook)
    yesterday = daybook.moment
    daybook.publish(cases(8))
    today = run_at(daybook, yesterday + DAY)
    daybook.publish(cases(8, d8=81))
    late = run_at(daybook, yesterday + DAY + HOUR, scheduled=yesterday)
    assert late.time == today.time + MILLISECOND
    assert dates(late.updated) == ["2020-03-08"]
    unnoticed(daybook)


def somewhat_ahead(daybook: System, watch: Watch) -> None:
    """Up to five minutes ahead is no more than clocks differ."""
    first_load(daybook)
    daybook.publish(cases(7))
    run = run_at(daybook, daybook.moment, scheduled=daybook.moment + 4 * MINUTE)
    assert (run.state, dates(run.inserted)) == (COMPLETED, ["2020-03-07"])
    unnoticed(daybook)


def ahead(by: dt.timedelta) -> Scenario:
    """Refused as often as it is tried, told once, and no later run has to be later than that."""

    def scenario(daybook: System, watch: Watch) -> None:
        first_load(daybook)
        daybook.publish(cases(7))
        arrives = daybook.moment
        daybook.cloud.clock.advance_to(arrives)
        request = daybook.cloud.run(arrives + by)
        daybook.cloud.settle(until=arrives + HOUR)
        refused = daybook.stored(request)
        assert (refused.state, refused.pending) == (FAILED, ())
        assert "RequestRefused" in refused.reasons[0] or "is more than" in refused.reasons[0]
        assert refused.time <= daybook.cloud.clock.now()
        assert len(daybook.told("alerts")) == 1
        assert len(daybook.daily()) == 6
        run = run_at(daybook, arrives + HOUR)
        assert (run.state, run.time, dates(run.inserted)) == (COMPLETED, arrives + HOUR, ["2020-03-07"])

    return scenario


def asked_twice_in_a_second(daybook: System, watch: Watch) -> None:
    """By the schedule, and by an operator within the same second, while the first one's records wait."""
    first_load(daybook)
    daybook.publish(cases(7))
    daybook.cloud.clock.advance_to(daybook.moment)
    daybook.cloud.run(daybook.moment)
    daybook.cloud.runtime.drain(daybook.moment)
    invoke_fetcher(daybook)
    daybook.moment += DAY
    daybook.cloud.settle(until=daybook.moment - HOUR)
    assert states(daybook) == [COMPLETED] * 3
    assert daybook.revisions("2020-03-07") == [70]
    unnoticed(daybook)


def by_new_york(first: dt.datetime, count: int) -> Iterator[dt.datetime]:
    """The moments of a schedule at half past one at night there, from this one on."""
    moment: dt.datetime | None = first
    for _ in range(count):
        assert moment
        moment = next_time("cron(30 1 * * ? *)", "America/New_York", moment)
        assert moment
        yield moment


def clocks_change(date: dt.date) -> Scenario:
    """The nights around the one in which New York's clocks change: a run each, and each takes a day."""

    def scenario(daybook: System, watch: Watch) -> None:
        first = date - 8 * DAY
        daybook.publish(cases(6, first))
        run_at(daybook, utc(date - 2 * DAY))
        moments = list(by_new_york(utc(date - 2 * DAY), 4))
        for number, moment in enumerate(moments, start=7):
            daybook.publish(cases(number, first))
            run = run_at(daybook, moment)
            assert (run.state, run.time, len(run.inserted)) == (COMPLETED, moment, 1)
        gaps = {later - earlier for earlier, later in pairwise(moments)}
        assert gaps & {23 * HOUR, 25 * HOUR}
        unnoticed(daybook)

    return scenario


# The calendar


def across(first: dt.date, count: int, expected: list[str]) -> Scenario:
    """A run on each of these days at noon, with the day before as the newest: no gap, no day too many."""

    def scenario(daybook: System, watch: Watch) -> None:
        for number in range(1, count + 1):
            daybook.publish(cases(number, first))
            run = run_at(daybook, utc(first + number * DAY))
            assert (run.state, len(run.inserted), run.warnings) == (COMPLETED, 1, ())
        assert sorted(daybook.daily()) == expected
        unnoticed(daybook)

    return scenario


def no_leap_day(daybook: System, watch: Watch) -> None:
    """The 29th of February of a year that has none is no date, and the next file takes its place."""
    daybook.publish(cases(2, dt.date(2021, 2, 27)))
    run_at(daybook, utc(dt.date(2021, 3, 1)))
    files = dict(daybook.publisher.files)
    daybook.publish(cases(3, dt.date(2021, 2, 27)))
    good = dict(daybook.publisher.files)
    bad = {source: file.replace(b"2021-03-01", b"2021-02-29") for source, file in good.items()}
    assert bad != good != files
    daybook.publisher.files |= bad
    failed = run_at(daybook, utc(dt.date(2021, 3, 2)))
    daybook.publisher.files |= good
    assert failed.state == FAILED
    assert '"2021-02-29" is not a date written YYYY-MM-DD' in failed.reasons[0]
    run = run_at(daybook, utc(dt.date(2021, 3, 3)))
    assert dates(run.inserted) == ["2021-03-01"]


def year_end_at_midnight(daybook: System, watch: Watch) -> None:
    """The last minute of a year and the first of the next, each with its own date."""
    new_year = dt.date(2021, 1, 1)
    first = new_year - 3 * DAY
    daybook.publish(cases(3, first))
    run = run_at(daybook, utc(new_year) - 12 * HOUR - MINUTE)
    assert (run.state, str(run.newest)) == (COMPLETED, "2020-12-31")
    daybook.publish(cases(4, first))
    run = run_at(daybook, utc(new_year) - 12 * HOUR + MINUTE)
    assert (run.state, dates(run.inserted)) == (COMPLETED, ["2021-01-01"])
    unnoticed(daybook)


TIME: dict[str, Scenario] = {
    "the file comes after the run": file_after_the_run,
    "one source is a day late": one_source_late(1),
    "one source is nine days late": one_source_late(9),
    "a date is published late": date_published_late,
    "days before the first are published late": week_published_late,
    "a day without a run": nobody_ran(1),
    "three days without a run": nobody_ran(3),
    "thirty days without a run": nobody_ran(30),
    "the source is away for a day": source_away(1),
    "the source is away for three days": source_away(3),
    "the source is away for thirty days": source_away(30),
    "restated three times between two runs": restated_while_away,
    "a run at 23:59 and one at 00:01": either_side_of_midnight,
    "tomorrow's date at 23:59": tomorrow_before_midnight,
    "scheduled for 23:59, delivered at 00:01": delivered_after_midnight,
    "the clock goes one hour back": one_hour_back,
    "the clock goes back twice, and the figures too": one_hour_back_and_a_day_entered_already,
    "one firing is delivered twice": fired_twice,
    "a request is delivered a day late": delivered_a_day_late,
    "scheduled four minutes ahead": somewhat_ahead,
    "scheduled six minutes ahead, which its last retry is not any more": ahead(6 * MINUTE),
    "scheduled a year ahead": ahead(365 * DAY),
    "asked for twice in a second": asked_twice_in_a_second,
    "New York's clocks go forward": clocks_change(dt.date(2021, 3, 14)),
    "New York's clocks go back": clocks_change(dt.date(2020, 11, 1)),
    "a leap day": across(dt.date(2024, 2, 27), 4, ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]),
    "February of a common year": across(dt.date(2021, 2, 27), 3, ["2021-02-27", "2021-02-28", "2021-03-01"]),
    "the leap day of a common year": no_leap_day,
    "the end of a year": across(
        dt.date(2020, 12, 30), 4, ["2020-12-30", "2020-12-31", "2021-01-01", "2021-01-02"]
    ),
    "the end of a year at midnight": year_end_at_midnight,
}
# Thirty runs and their thirty alerts are for the night.
LONG = {"the source is away for thirty days"}

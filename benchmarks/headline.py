"""``make headline``: how wrong a table is that takes the days after its newest, on the sources' own history.

Read from the archives where DAYBOOK_DATA names them; otherwise fetched from the sources' public repositories.
"""

import datetime as dt
import statistics
from dataclasses import dataclass

import click

from benchmarks.history import END, START, read
from functions.errors import SourceRefused
from functions.history import NOON
from functions.transform import transform
from local.play import moments
from local.sources.download import Unreachable
from local.sources.feeds import Versions
from schemas.figures import Counts

NAMED = (dt.date(2020, 10, 5), dt.date(2020, 10, 24), dt.date(2020, 12, 25))
CREDIT = (
    "Figures: The New York Times. Publishing history: github.com/nytimes/covid-19-data, datasets/covid-19."
)
Days = dict[dt.date, Counts]


@dataclass
class Followed:
    """A pipeline that ran once a day: what it holds, how many of its days were wrong each evening, and since
    when each of its wrong days is."""

    days: Days
    wrong: list[int]
    since: dict[dt.date, dt.date]


def follow(nyt: Versions, jhu: Versions) -> tuple[Followed, Followed, int]:
    """A pipeline that asks for days after the newest that it has, one that asks for what differs, and how
    many of the runs met a malformed file. Both enter nothing then."""
    newest, ours = Followed({}, [], {}), Followed({}, [], {})
    refused = 0
    believed: Days = {}
    for moment in moments(START, END, NOON):
        cases, recoveries = nyt.at(moment), jhu.at(moment)
        assert cases and recoveries  # noqa: S101 the histories begin before
        try:
            published = transform({"nyt": cases, "jhu": recoveries}, moment.date())
            believed = {day.date: day.counts for day in published.days}
        except SourceRefused:
            refused += 1
        last = max(newest.days, default=dt.date.min)
        newest.days |= {date: day for date, day in believed.items() if date > last}
        ours.days |= believed
        for pipeline in (newest, ours):
            wrong = {date for date, day in believed.items() if pipeline.days.get(date) != day}
            pipeline.wrong.append(len(wrong))
            pipeline.since = {date: pipeline.since.get(date, moment.date()) for date in wrong}
    return newest, ours, refused


def size(newest: Followed, published: Days) -> dict[str, float]:
    """By how much cases are wrong in the end, to date and new a day, and for how many days they have been."""
    drawn, true = new_cases(newest.days), new_cases(published)
    total = {date: abs(newest.days[date].cases - published[date].cases) for date in newest.since}
    off = {date: count for date, count in total.items() if count}
    daily = {date: abs(drawn[date] - count) for date, count in true.items() if drawn[date] != count}
    named = {
        f"new_cases_{date}_{what}": counts[date]
        for date in NAMED
        for what, counts in (("shown", drawn), ("published", true))
    }
    return {
        "newest_date_cases_median": round(statistics.median(off.values())),
        "newest_date_cases_most": max(off.values()),
        "newest_date_cases_most_percent": round(max(100 * n / published[d].cases for d, n in off.items()), 1),
        "newest_date_new_cases_wrong": len(daily),
        "newest_date_new_cases_most": max(daily.values()),
        "newest_date_wrong_for_days_median": round(
            statistics.median((END - since).days for since in newest.since.values())
        ),
        **named,
    }


def new_cases(days: Days) -> dict[dt.date, int]:
    """Cases of each date that are new since the day before."""
    day = dt.timedelta(days=1)
    return {date: days[date].cases - days[date - day].cases for date in days if date - day in days}


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Print the headline, and its size."""
    try:
        histories = read()
    except Unreachable as error:
        raise click.ClickException(str(error)) from error
    newest, ours, refused = follow(*histories)
    figures = size(newest, ours.days)
    days = len(ours.days)
    click.echo(
        f"{len(ours.wrong)} runs, daily at noon, {START} to {END}: {days} days published, "
        f"{refused} runs with a malformed file.\n\n"
        f"Days that are not as published, in a table that took the days after its newest:\n"
        f"  {newest.wrong[-1]} of {days}, "
        f"wrong for {figures['newest_date_wrong_for_days_median']} days (median)\n"
        f"  cases to date: off by {figures['newest_date_cases_median']:,} (median), at most by "
        f"{figures['newest_date_cases_most']:,} ({figures['newest_date_cases_most_percent']} %)\n"
        f"  new cases a day: {figures['newest_date_new_cases_wrong']} of {days - 1} wrong, at most by "
        f"{figures['newest_date_new_cases_most']:,}"
    )
    for date in NAMED:
        shown, published = (figures[f"new_cases_{date}_{what}"] for what in ("shown", "published"))
        click.echo(f"  {date}: {shown:,} shown, {published:,} published ({shown / published - 1:+.0%})")
    click.echo(f"In Daybook's: {ours.wrong[-1]}.\n\n{CREDIT}")


if __name__ == "__main__":
    main()

"""What a publishing history should come to, read without any of the project's code.

An independent reading of the same promise: a run that meets a bad date enters nothing; any other enters
each date that both files have and whose figures differ from those entered last.
"""

import csv
import datetime as dt
import io
import tarfile


def versions(archive):
    """The archive's versions as (moment of publication, text), oldest first."""
    with tarfile.open(archive) as tar:
        members = [
            (member.name, (tar.extractfile(member) or io.BytesIO()).read().decode())
            for member in tar
            if member.isfile()
        ]
    named = [(name.rsplit("/", 1)[-1].removesuffix(".csv"), text) for name, text in members]
    return sorted((dt.datetime.strptime(name + "+0000", "%Y-%m-%dT%H%M%SZ%z"), text) for name, text in named)


def newest(published, moment):
    return [text for when, text in published if when <= moment][-1]


def figures(nyt, jhu, today):
    """{date: (cases, deaths, recovered)} of the dates in both texts; None when a U.S. date is bad."""
    cases = {row["date"]: (row["cases"], row["deaths"]) for row in csv.DictReader(io.StringIO(nyt))}
    rows = csv.DictReader(io.StringIO(jhu))
    us = [row for row in rows if "US" in (row.get("Country"), row.get("Country/Region"))]
    recovered, reported = {}, False
    for date, text in sorted((row["Date"], row["Recovered"]) for row in us):
        count = int(float(text or 0))
        recovered[date] = count if count or not reported else None
        reported = reported or count > 0
    try:
        days = [dt.datetime.strptime(date + "+0000", "%Y-%m-%d%z").date() for date in {**cases, **recovered}]
    except ValueError:
        return None
    if max(days) > today:
        return None
    both = sorted(cases.keys() & recovered.keys())
    return {date: (*(int(float(text)) for text in cases[date]), recovered[date]) for date in both}


def play(nyt_archive, jhu_archive, start, end, time):
    """The record of one run a day."""
    nyt, jhu = versions(nyt_archive), versions(jhu_archive)
    days = range((end - start).days + 1)
    moments = [dt.datetime.combine(start + dt.timedelta(number), time, dt.UTC) for number in days]
    return record((moment, newest(nyt, moment), newest(jhu, moment)) for moment in moments)


def record(published):
    """(days, revisions, runs) of what each run's moment finds published, (moment, nyt, jhu): {date: figures},
    [(moment, date, figures, kind)], [(moment, state, inserted, updated)]."""
    days, revisions, runs = {}, [], []
    for moment, nyt, jhu in published:
        found = figures(nyt, jhu, moment.date())
        changed = {date: value for date, value in (found or {}).items() if days.get(date) != value}
        new = [date for date in changed if date not in days]
        revisions += [
            (moment, date, value, "recorded" if date in new else "revised") for date, value in changed.items()
        ]
        runs.append((moment, "failed" if found is None else "completed", len(new), len(changed) - len(new)))
        days |= changed
    return days, revisions, runs

"""The sources' files: every one is kept, and every entry's values stood in those that its run read.

The reader here is a tiny one that shares nothing with functions/transform.py.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping

from schemas.figures import FIGURES, JHU, NYT
from storage.kept import Finding, Kept, Values, figures, when


def every_file_is_kept(kept: Kept) -> Iterator[Finding]:
    """The file that a run or an event names is in the archive, refused ones too."""
    named = {(source, sha256) for run in kept.runs.values() for source, sha256 in run.files.items()}
    named |= {(source, sha256) for event in kept.events.values() for source, sha256 in event.files.items()}
    for source, sha256 in sorted(named):
        if f"{source}/{sha256}" not in kept.files:
            yield Finding("archive", f"sources/{source}/{sha256}.csv.gz is not there, or not whole")


def values_stood_in_their_file(kept: Kept) -> Iterator[Finding]:
    """Where the files were read: each entry says what they say of its date."""
    for event in kept.events.values():
        contents = [kept.files.get(f"{source}/{sha256}") for source, sha256 in event.files.items()]
        said: dict[str, int | None] = {}
        for file in contents:
            said |= {k: v for k, v in (file or {}).get(event.date, {}).items() if k in event.values}
        if None not in contents and said != event.values:
            what = f"has {figures(event.values)}, its files {figures(said) or 'nothing'}"
            yield Finding("log", f"{event.date}: the entry of {when(event.version)} {what}")


def parse(source: str, text: bytes) -> Mapping[dt.date, Values]:
    """What a source's file says, by date. Raises ValueError, KeyError or TypeError for one that is none."""
    try:
        rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    except csv.Error as error:
        raise ValueError(str(error)) from error
    if source == NYT:
        return {_date(row["date"]): {name: _count(row[name]) for name in ("cases", "deaths")} for row in rows}
    us = [row for row in rows if "US" in (row.get("Country"), row.get("Country/Region"))]
    said: dict[dt.date, Values] = {}
    reported = False
    for row in sorted(us, key=lambda row: _date(row["Date"])):
        cell = row["Recovered"]
        count = _count(cell or "0")
        taken_back = reported and count == 0  # Johns Hopkins takes recoveries back by 0 or an empty cell
        said[_date(row["Date"])] = {
            "recovered": None if taken_back or not cell else count,
        }
        reported = reported or count > 0
    return said


def published(files: Mapping[str, bytes], today: dt.date) -> dict[dt.date, Values] | None:
    """What both files say, by date; None where they have no date in common, or one to come."""
    try:
        nyt, jhu = (parse(source, files[source]) for source in (NYT, JHU))
    except (ValueError, KeyError, TypeError):
        return None
    if max({*nyt, *jhu}, default=today) > today:
        return None
    rows = {date: {**nyt[date], **jhu[date]} for date in sorted(nyt.keys() & jhu.keys())}
    return {date: {f.name: row[f.name] for f in FIGURES} for date, row in rows.items()} or None


def _date(text: str) -> dt.date:
    return dt.datetime.strptime(f"{text}+0000", "%Y-%m-%d%z").date()


def _count(text: str) -> int:
    return int(float(text))

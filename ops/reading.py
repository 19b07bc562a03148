"""What the ledger and the tables say: status, runs, days, a day's history, the table as it was believed."""

import datetime as dt
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dashboard.data import stamp
from functions.archive import SOURCES
from ops import csv_files, shown
from ops.errors import DONE, PENDING, USAGE, Problem
from ops.output import as_json, facts, line, lines, say, table
from ops.replay import archived
from ops.target import Target
from schemas.moment import version, written
from schemas.run import INCOMPLETE, OPEN, Acknowledged, Run

MANY = 10_000  # runs; a daily schedule makes as many in 27 years


def status(target: Target, as_data: bool) -> int:
    """How it stands. Exit code 5 while days are pending."""
    found = state(target)
    if as_data:
        as_json(found)
    else:
        last = found["last_run"]
        lines = {
            "Stack": found["stack"],
            "Last acknowledged date": found["last_acknowledged"],
            "Newest published date": found["newest_published"],
            "Lag, days": found["lag_days"],
            "Days in the record": found["days"],
            "Pending days": _dates(found["pending"]),
            "Tables": "complete" if found["complete"] else "trailing: what was written can't all be read yet",
            "Last run": last and f"{last['time']}  {last['state']}",
            "Last success": found["last_success"],
            "Open runs": found["open"] or None,
            "Failed since": found["failures"] or None,
            "Reasons": (last or {}).get("reasons") or None,
            "Notices not sent": found["unsent"] or None,
            "Warnings": found["warnings"] or None,
        }
        facts({name: value for name, value in lines.items() if value is not None})
    return PENDING if found["pending"] else DONE


def state(target: Target) -> dict[str, Any]:
    """What ``status`` tells, as JSON."""
    head, runs, days = target.reader.head(), target.reader.runs(), target.reader.days()
    newest = next((run.newest for run in runs if run.newest), None)
    behind = (newest - head.last_acknowledged).days if newest and head.last_acknowledged else None
    return {
        "target": target.description,
        "stack": target.facts["stack"],
        "last_acknowledged": head.last_acknowledged and head.last_acknowledged.isoformat(),
        "newest_published": newest and newest.isoformat(),
        "lag_days": behind,
        "days": len(days),
        "pending": [date.isoformat() for date in pending(runs, days)],
        "stamp": head.stamp,
        "complete": stamp(target.reader.daily()) == head.stamp,
        "last_run": shown.run(runs[0]) if runs else None,
        "last_success": head.last_success and written(head.last_success),
        "open": sorted(head.open),
        "failures": list(head.failures),
        "unsent": sorted(head.unsent),
        "warnings": [warning.text for warning in head.warnings],
    }


def pending(runs: Iterable[Run], days: Iterable[Acknowledged]) -> list[dt.date]:
    """The dates that are known to be pending, oldest first: of runs that are open or were given up, what
    has not been entered since; and the days whose acknowledgement was taken back."""
    entered = {day.date: day.version for day in days if day.digest}
    waiting = {day.date for day in days if not day.digest}
    for run in runs:
        left = run.unaccounted if run.state in (OPEN, INCOMPLETE) else ()
        waiting |= {date for date in {*left, *run.failed} if entered.get(date, 0) < version(run.time)}
    return sorted(waiting)


def runs(target: Target, limit: int, as_data: bool) -> None:
    """The last runs, newest first."""
    found = target.reader.runs(limit)
    if as_data:
        as_json([shown.run(run) for run in found])
        return
    header = ["time", "state", "pending", "inserted", "updated", "duplicate", "failed", "first reason"]
    table(
        header,
        (
            [
                f"{run.time:%Y-%m-%d %H:%M}",
                run.state,
                *map(len, (run.pending, run.inserted, run.updated, run.duplicate, run.failed)),
                run.reasons[0] if run.reasons else "",
            ]
            for run in found
        ),
    )


def days(target: Target, only_pending: bool, only_revised: bool, as_data: bool) -> int:
    """The days of the ledger; exit code 5 where the pending ones were asked for and there are some."""
    found = target.reader.days()
    if only_pending:
        dates = pending(target.reader.runs(), found)
        if as_data:
            as_json([date.isoformat() for date in dates])
        else:
            lines("".join(f"{date}\n" for date in dates), nl=False)
        return PENDING if dates else DONE
    chosen = [day for day in found if day.revision > 1 or not only_revised]
    if as_data:
        as_json([shown.acknowledged(day) for day in chosen])
    else:
        table(
            ["date", "cases", "deaths", "recovered", "revision", "acknowledged"],
            (
                [
                    str(day.date),
                    *(day.counts.cases, day.counts.deaths, day.counts.recovered, day.revision),
                    f"{day.at:%Y-%m-%d %H:%M}" if day.digest else "pending",
                ]
                for day in chosen
            ),
        )
    return DONE


def history(target: Target, date: dt.date, as_data: bool) -> None:
    """Every value that a day ever had: when it was entered, by which run, from which files."""
    rows = target.reader.revisions(date)
    events = {
        event.id: event
        for found in archived(target.client("s3"), target.facts["archive_bucket"])
        for event in found
        if event.day.date == date
    }
    entries = [shown.entry(row, events.get(row.event)) for row in rows]
    if as_data:
        as_json(entries)
        return
    if not entries:
        say(f"{date} has never been entered.")
    for entry in entries:
        recovered = "not reported" if entry["recovered"] is None else f"{entry['recovered']:,}"
        line(
            f"{entry['recorded_at']}  revision {entry['revision']}: {entry['cases']:,} cases, "
            f"{entry['deaths']:,} deaths, recovered {recovered}"
        )
        line(f"  run {entry['run'] or 'not in the log'}")
        for source, sha256 in (entry["files"] or {}).items():
            line(f"  {source} {sha256}")


def bring_file(target: Target, start: str) -> None:
    """A source's file as it was published, to stdout, by its hash or the beginning of it."""
    pages = (
        target.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=target.facts["archive_bucket"], Prefix=SOURCES)
    )
    names = [found["Key"].removeprefix(SOURCES) for page in pages for found in page.get("Contents", [])]
    found = [name for name in names if name.partition("/")[2].startswith(start)]
    if len(found) != 1:
        problem = "No file" if not found else f"{len(found)} files"
        raise Problem(
            f"{problem} in the archive with a hash that begins with {start}.",
            remedy="`history DATE` and `runs --json` name the files.",
            code=USAGE,
        )
    source, _, name = found[0].partition("/")
    sys.stdout.buffer.write(target.archive.file(source, name.removesuffix(".csv.gz")))


def as_of(target: Target, moment: dt.datetime, out: Path | None, as_data: bool) -> None:
    """The table as it was believed at that moment, as CSV or JSON."""
    rows = target.reader.as_of(moment)
    say(f"As believed at {written(moment)}: {len(rows):,} days")
    if as_data:
        as_json([shown.row(row) for row in rows])
    elif out is None:
        lines(csv_files.days(rows), nl=False)
    else:
        out.write_text(csv_files.days(rows))


def _dates(dates: list[str]) -> str:
    if not dates:
        return "none"
    more = f" … {dates[-1]}" if len(dates) > 5 else ""
    return f"{len(dates):,}: {', '.join(dates[:5])}{more}"

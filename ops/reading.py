"""What the ledger and the tables say: status, runs, days, a day's history, the table as it was believed."""

import datetime as dt
import sys
from pathlib import Path
from typing import Any

from ops import csv_files, shown
from ops.errors import DONE, PENDING, USAGE, Problem
from ops.output import as_json, facts, line, lines, say, table
from ops.target import Target
from ops.verdict import verdict
from schemas.figures import FIGURES
from schemas.ledger import ACCEPTED, Head, lag, pending
from schemas.moment import written
from storage.archive import SOURCES
from storage.tables import ranked, stamp

REBUILD_AGAIN = "python -m ops replay --rebuild goes on with it, and ends it"


def status(target: Target, as_data: bool) -> int:
    """How it stands. Returns the verdict's exit code."""
    found = state(target)
    if as_data:
        as_json(found)
    else:
        line(found["verdict"])
        if found["next"]:
            line(f"Next: {found['next']}")
        line("")
        last = found["last_run"]
        lines = {
            "Stack": found["stack"],
            "Held": found["held"] and [f"{found['held']}: nothing is entered", REBUILD_AGAIN],
            "Last acknowledged date": found["last_acknowledged"],
            "Newest published date": found["newest_published"],
            "Lag, days": found["lag_days"],
            "Days in the record": found["days"],
            "Pending days": _dates(found["pending"]),
            "Tables": "complete" if found["complete"] else "trailing: what was written can't all be read yet",
            "Last run": last and f"{last['time']}  {last['state']}",
            "Last success": found["last_success"],
            "Runs that owe days": found["owing"] or None,
            "Failed since": found["failures"] or None,
            "Reasons": (last or {}).get("reasons") or None,
            "Notices not sent": found["unsent"] or None,
            "Warnings": found["warnings"] or None,
        }
        facts({name: value for name, value in lines.items() if value is not None})
    return verdict(found).code


def state(target: Target) -> dict[str, Any]:
    """What ``status`` tells, as JSON."""
    owing = target.ledger.owing()
    head, runs = owing.head, target.ledger.runs(1)
    status = {
        "target": target.description,
        "stack": target.facts["stack"],
        "held": head.held and head.held.reason,
        "last_acknowledged": head.last_acknowledged and head.last_acknowledged.isoformat(),
        "newest_published": head.newest and head.newest.isoformat(),
        "lag_days": lag(head),
        "days": len(target.ledger.days()),
        "pending": [date.isoformat() for date in pending(owing.others, owing.days)],
        "stamp": head.stamp,
        # While they are made anew, they may not be there to be asked.
        "complete": head.held is None and stamp(target.tables.daily()) == head.stamp,
        "last_run": shown.run(runs[0]) if runs else None,
        "last_success": head.last_success and written(head.last_success),
        "owing": sorted(head.owing),
        "failures": list(head.failures),
        "unsent": sorted(head.unsent),
        "warnings": _warnings(head),
    }
    text, following, _ = verdict(status)
    return {"verdict": text, "next": following or None} | status


def _warnings(head: Head) -> list[str]:
    """The texts of the warnings that people know of; a remembered acceptance has none."""
    return [warning.text for warning in head.told if not warning.code.startswith(ACCEPTED)]


def runs(target: Target, limit: int, as_data: bool) -> None:
    """The last runs, newest first."""
    found = target.ledger.runs(limit)
    if as_data:
        as_json([shown.run(run) for run in found])
        return
    sets = [name for name in shown.SETS if name != "refused" or any(run.refused for run in found)]
    table(
        ["time", "state", "pending", *sets, "first reason"],
        (
            [
                f"{run.time:%Y-%m-%d %H:%M}",
                run.state,
                len(run.pending),
                *(len(getattr(run, name)) for name in sets),
                run.reasons[0] if run.reasons else "",
            ]
            for run in found
        ),
    )


def days(target: Target, only_pending: bool, only_revised: bool, as_data: bool) -> int:
    """The days of the ledger; exit code 5 where the pending ones were asked for and there are some."""
    if only_pending:
        owing = target.ledger.owing()
        dates = pending(owing.others, owing.days)
        if as_data:
            as_json([date.isoformat() for date in dates])
        else:
            lines("".join(f"{date}\n" for date in dates), nl=False)
        return PENDING if dates else DONE
    chosen = [day for day in target.ledger.days().values() if day.entries > 1 or not only_revised]
    if as_data:
        as_json([shown.acknowledged(day) for day in chosen])
    else:
        table(
            ["date", *(figure.name for figure in FIGURES), "entries", "acknowledged"],
            (
                [
                    str(day.date),
                    *day.counts.values.values(),
                    day.entries,
                    f"{day.acknowledged_at:%Y-%m-%d %H:%M}",
                ]
                for day in chosen
            ),
        )
    return DONE


def history(target: Target, date: dt.date, as_data: bool) -> None:
    """Every value that a day ever had: when it was entered, by which run, from which files."""
    rows = target.tables.entries(date)
    events = {event.id: event for log in target.archive.log() for event in log if event.day.date == date}
    entries = [shown.entry(revision, row, events.get(row.event)) for revision, row in ranked(rows)]
    if as_data:
        as_json(entries)
        return
    if not entries:
        say(f"{date} has never been entered.")
    for entry in entries:
        figures = ", ".join(_figure(figure.title.lower(), entry[figure.name]) for figure in FIGURES)
        line(f"{entry['recorded_at']}  revision {entry['revision']}: {figures}")
        line(f"  run {entry['run'] or 'not in the log'}")
        for source, sha256 in (entry["files"] or {}).items():
            line(f"  {source} {sha256}")


def _figure(name: str, value: int | None) -> str:
    return f"{name} not reported" if value is None else f"{value:,} {name}"


def bring_file(target: Target, start: str) -> None:
    """A source's file as it was published, to stdout, by its hash or the beginning of it."""
    names = [name.removeprefix(SOURCES) for name in target.archive.names(SOURCES)]
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
    rows = target.tables.as_of(moment)
    say(f"As believed at {written(moment)}: {len(rows):,} days")
    if as_data:
        as_json([shown.row(row) for row in rows])
    elif out is None:
        lines(csv_files.days(rows), nl=False)
    else:
        out.write_text(csv_files.days(rows), encoding="utf-8")


def _dates(dates: list[str]) -> str:
    if not dates:
        return "none"
    more = f" … {dates[-1]}" if len(dates) > 5 else ""
    return f"{len(dates):,}: {', '.join(dates[:5])}{more}"

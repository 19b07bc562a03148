"""``history``: every value that a day ever had, and the files it came from."""

import datetime as dt
import sys
from typing import Any

import click
from marshmallow import fields

from ops.errors import USAGE, Problem
from ops.json_output import as_json
from ops.options import DATE, JSON, Options, command
from ops.stack import Stack
from ops.terminal import line, say
from schemas.answer import Answer, counts, field, hashes, moment, text, whole
from schemas.figures import FIGURES
from storage.tables import ranked


class CountsAnswer(Answer.from_dict(counts())):  # type: ignore[misc] a base that is computed
    """A day's counts; a figure is null where it is not reported."""


class EntryAnswer(Answer.from_dict(counts("row.day.counts."))):  # type: ignore[misc] a base that is computed
    """An entry of a day's history; what only the log knows is null where the log lacks its event."""

    date = text("row.day.date")
    recorded_at = moment("row.recorded_at")
    revision = whole()
    run = text(nullable=True)
    previous = field(fields.Nested, "event.previous", True, nested=CountsAnswer)
    files = hashes("event.files", nullable=True)


ANSWER = EntryAnswer(many=True)


@command()
@JSON
@click.argument("date", type=DATE, required=False)
@click.option("--file", "sha256", help="Bring this source file, by the beginning of its hash, to stdout.")
def history(options: Options, as_data: bool, date: dt.date | None, sha256: str | None) -> None:
    """Every value that DATE ever had. When, by which run, from which files."""
    if date is None and sha256 is None:
        raise click.UsageError("give a DATE, or --file HASH")
    with options.stack(reading=True) as stack:
        if sha256 is not None:
            sys.stdout.buffer.write(file(stack, sha256))
            return
        rows = ranked(stack.tables.entries(date))
        events = {event.id: event for log in stack.archive.log() for event in log if event.day.date == date}
    entries = [
        {"revision": revision, "row": row, "event": event, "run": event.run if event else row.run}
        for revision, row in rows
        for event in [events.get(row.event)]
    ]
    if as_data:
        as_json(ANSWER, entries)
    elif not entries:
        say(f"{date} has never been entered.")
    else:
        documents: Any = ANSWER.dump(entries)
        for entry in documents:
            figures = ", ".join(_figure(figure.title.lower(), entry[figure.name]) for figure in FIGURES)
            line(f"{entry['recorded_at']}  revision {entry['revision']}: {figures}")
            line(f"  run {entry['run'] or 'not in the log'}")
            for source, digest in (entry["files"] or {}).items():
                line(f"  {source} {digest}")


def file(stack: Stack, start: str) -> bytes:
    """A source's file as it was published, by the beginning of its hash."""
    from storage.archive import SOURCES

    names = [name.removeprefix(SOURCES) for name in stack.archive.names(SOURCES)]
    matching = [name for name in names if name.partition("/")[2].startswith(start)]
    if len(matching) != 1:
        count = f"{len(matching)} files" if matching else "No file"
        raise Problem(
            f"{count} in the archive with a hash that begins with {start}.",
            remedy="`history DATE` and `runs --json` name the files.",
            code=USAGE,
        )
    source, _, name = matching[0].partition("/")
    return stack.archive.file(source, name.removesuffix(".csv.gz"))


def _figure(name: str, value: int | None) -> str:
    return f"{name} not reported" if value is None else f"{value:,} {name}"

"""``as-of``: the table as it was believed at a moment."""

import datetime as dt
from pathlib import Path

import click

from ops.json_output import RowAnswer, as_json
from ops.options import JSON, MOMENT, Options, command
from ops.terminal import lines, say
from schemas.moment import written
from storage import csv_files

ANSWER = RowAnswer(many=True)
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@command("as-of")
@JSON
@click.argument("when", type=MOMENT)
@click.option("--out", type=OUT, help="Write it there instead of to stdout.")
def as_of(options: Options, as_data: bool, when: dt.datetime, out: Path | None) -> None:
    """The table as it was believed at WHEN. As CSV; WHEN is a moment like 2020-10-01T12:00 (UTC unless it
    says otherwise), or a date, which is its end."""
    if as_data and out:
        raise click.UsageError("--out writes CSV; for JSON redirect stdout")
    with options.stack(reading=True) as stack:
        rows = stack.tables.as_of(when)
    say(f"As believed at {written(when)}: {len(rows):,} days")
    if as_data:
        as_json(ANSWER, rows)
    elif out is None:
        lines(csv_files.days(rows), nl=False)
    else:
        out.write_text(csv_files.days(rows), encoding="utf-8")

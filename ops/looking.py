"""The commands that only look."""

# ruff: noqa: PLC0415  what is heavy is loaded by the command that needs it, so that --help answers at once

import datetime as dt
from pathlib import Path

import click

from ops.asked import DATE, DURATION_TYPE, MOMENT, Asked, options

JSON = click.option("--json", "as_data", is_flag=True, help="As JSON.")
OUT = click.Path(dir_okay=False, writable=True, path_type=Path)


@click.command()
@options
@JSON
@click.option("--watch", is_flag=True, help="Look again every 5 seconds, until Ctrl-C.")
@click.pass_context
def status(context: click.Context, as_data: bool, watch: bool) -> None:
    """Whether all is well, and what to do next; then dates, lag, last run. Exit code 4 where the last run
    failed, 5 while days are pending or a rebuild is under way."""
    import threading

    from ops import reading
    from ops.output import line

    with context.ensure_object(Asked).target() as target:
        code = reading.status(target, as_data)
        while watch:
            threading.Event().wait(5)
            line("")
            code = reading.status(target, as_data)
    context.exit(code)


@click.command()
@options
@JSON
@click.option("--limit", type=click.IntRange(1), default=30, show_default=True, help="How many.")
@click.pass_obj
def runs(asked: Asked, as_data: bool, limit: int) -> None:
    """The last runs, newest first, and what came of them."""
    from ops import reading

    with asked.target() as target:
        reading.runs(target, limit, as_data)


@click.command()
@options
@JSON
@click.option("--pending", is_flag=True, help="Only the dates that are pending. Exit code 5 if any is.")
@click.option("--revised", is_flag=True, help="Only the days that were entered more than once.")
@click.pass_context
def days(context: click.Context, as_data: bool, pending: bool, revised: bool) -> None:
    """The days of the record, as acknowledged."""
    from ops import reading

    if pending and revised:
        raise click.UsageError("give one of --pending and --revised")
    with context.ensure_object(Asked).target() as target:
        code = reading.days(target, pending, revised, as_data)
    context.exit(code)


@click.command()
@options
@JSON
@click.argument("date", type=DATE, required=False)
@click.option("--file", "sha256", help="Bring this source file, by the beginning of its hash, to stdout.")
@click.pass_obj
def history(asked: Asked, as_data: bool, date: dt.date | None, sha256: str | None) -> None:
    """Every value that DATE ever had: when, by which run, from which files."""
    from ops import reading

    if date is None and sha256 is None:
        raise click.UsageError("give a DATE, or --file HASH")
    with asked.target() as target:
        if sha256 is not None:
            reading.bring_file(target, sha256)
        elif date is not None:
            reading.history(target, date, as_data)


@click.command("as-of")
@options
@JSON
@click.argument("when", type=MOMENT)
@click.option("--out", type=OUT, help="Write it there instead of to stdout.")
@click.pass_obj
def as_of(asked: Asked, as_data: bool, when: dt.datetime, out: Path | None) -> None:
    """The table as it was believed at WHEN, as CSV: a moment like 2020-10-01T12:00 (UTC unless it says
    otherwise), or a date, which is its end."""
    from ops import reading

    if as_data and out:
        raise click.UsageError("--out writes CSV; for JSON redirect stdout")
    with asked.target() as target:
        reading.as_of(target, when, out, as_data)


@click.command()
@options
@JSON
@click.option(
    "--since", type=DURATION_TYPE, default="1h", show_default=True, help="How far back: 90s, 10m, 2h, 1d."
)
@click.option("--run", help="Only lines of this run: its name, or a part of it.")
@click.option("--tail", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.pass_obj
def logs(asked: Asked, as_data: bool, since: dt.timedelta, run: str | None, tail: bool) -> None:
    """What the functions said, of all three together. With --tail and --json a line of JSON each."""
    from ops import logs as reading

    with asked.target() as target:
        reading.logs(target, since, run, tail, as_data)


@click.command()
@options
@JSON
@click.option(
    "--views-a-day",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    help="Views of the dashboard that find nothing in its memory.",
)
@click.pass_context
def cost(context: click.Context, as_data: bool, views_a_day: int) -> None:
    """What a month of this stack costs on AWS, by a dated list of prices."""
    from ops import cost as counting

    with context.ensure_object(Asked).target() as target:
        code = counting.cost(target, views_a_day, as_data)
    context.exit(code)


@click.command("export-site")
@options
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def export_site(asked: Asked, folder: Path) -> None:
    """Write the record into FOLDER as a page without a server: chart, table, and the record as it stood at
    any date. Fit for GitHub Pages; opens from the disk as well."""
    from ops import exporting

    with asked.target() as target:
        exporting.export(target, folder)


COMMANDS = (status, runs, days, history, as_of, logs, cost, export_site)

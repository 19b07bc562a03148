"""``python -m local``: the whole system on this machine."""

import signal

if __name__ == "__main__":  # until there is a handler of ours, Ctrl-C ends it without a trace
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import datetime as dt
import importlib.util
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path

if importlib.util.find_spec("marshmallow") is None:
    sys.exit("Daybook's packages are not in this Python. Run: make setup. Then: .venv/bin/python -m local")

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ops.errors import DONE, INTERRUPTED, UNEXPECTED, Problem, of_files
from ops.terminal import lines, write_out_what_is_lacking

DATE = click.DateTime(["%Y-%m-%d"])
TIME = click.DateTime(["%H:%M"])
ARCHIVE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
STORE = click.option(
    "--store",
    type=click.Choice(["timestream", "dynamodb"]),
    help="Where the tables are. [default: as kept, or timestream]",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Daybook on this machine: no AWS account, no Docker."""


@main.command()
@click.option("--once", is_flag=True, help="End after the load; exit code 1 where its last run failed.")
@click.option("--fresh", is_flag=True, help="Forget what an earlier start kept.")
@click.option(
    "--sources",
    default="sample",
    show_default=True,
    help="sample (synthetic, no internet needed), live, history (the sources' real publishing history by its "
    "public commits), or two addresses or files: NYT,JHU.",
)
@click.option("--from", "start", type=DATE, help="history: date of the first run. [default: 2020-09-02]")
@click.option("--to", "end", type=DATE, help="history: date of the last run. [default: 2021-07-09]")
@click.option(
    "--history", is_flag=True, help="First enter the sources' public history, as `daybook backfill`."
)
@click.option("--state", type=FOLDER, default=Path(".daybook"), show_default=True, help="What is kept.")
@STORE
@click.option("--base", default="", hidden=True, help="history: another host with the same addresses.")
def up(
    once: bool,
    fresh: bool,
    sources: str,
    start: dt.datetime | None,
    end: dt.datetime | None,
    history: bool,
    state: Path,
    store: str | None,
    base: str,
) -> int:
    """Start the whole system: provisioned, loaded, daily runs, a summary."""
    if (start or end) and sources != "history":
        raise click.UsageError("--from and --to go with --sources history")
    if history and sources in ("sample", "history"):
        raise click.UsageError("--history goes with sources of today: live, or two addresses")
    from functions.history import dates
    from local import up as system
    from local.sources import feeds
    from local.sources.publisher import Publisher
    from local.stack.program import default

    with Publisher() as publisher:
        try:
            if sources == "sample":
                feed = feeds.synthetic(publisher)
            elif sources == "live":
                feed = feeds.live(default("nyt_url"), default("jhu_url"))
            elif sources == "history":
                listed = dates()
                first = start.date() if start else listed[0]
                last = end.date() if end else listed[-1]
                if last < first:
                    raise click.UsageError(f"--to {last} lies before --from {first}")
                feed = feeds.history(publisher, base or default("history_base"), state / "cache", first, last)
            else:
                feed = feeds.own(publisher, sources)
        except feeds.UnusableSources as error:
            raise click.UsageError(str(error)) from error
        if history and base:
            feed = replace(feed, config=feed.config | {"history_base": base})
        well = system.up(feed, state / feed.folder, Console(), once, store, fresh, history)
    return DONE if well else UNEXPECTED


@main.command()
@click.option("--nyt", required=True, type=ARCHIVE, help="Publishing history of The New York Times' file.")
@click.option("--jhu", required=True, type=ARCHIVE, help="Publishing history of the Johns Hopkins file.")
@click.option("--start", required=True, type=DATE, help="Date of the first run.")
@click.option("--end", required=True, type=DATE, help="Date of the last run.")
@click.option("--time", "time", default="12:00", type=TIME, show_default=True, help="Time of day, UTC.")
@click.option("--out", required=True, type=FOLDER, help="Where to write what the tables hold at the end.")
@click.option("--state", type=FOLDER, help="Keep archive and ledger here, for `daybook`.")
@STORE
def play(
    nyt: Path,
    jhu: Path,
    start: dt.datetime,
    end: dt.datetime,
    time: dt.datetime,
    out: Path,
    state: Path | None,
    store: str | None,
) -> None:
    """Play a publishing history: one run a day, each with its moment as now.

    An archive is a tar file with one member a version, named by its moment: 2020-09-04T012644Z.csv.
    """
    if end < start:
        raise click.UsageError(f"--end {end:%Y-%m-%d} lies before --start {start:%Y-%m-%d}")
    # Imported here, so that --help and a wrong option answer at once.
    from local import state as kept
    from local.clock import Clock
    from local.cloud import LocalCloud
    from local.play import (
        moments,
        notice_line,
        run_line,
        write_lines,
    )
    from local.play import (
        play as played_runs,
    )
    from local.sources import history
    from local.sources.feeds import publishing
    from local.sources.publisher import Publisher
    from storage import csv_files

    try:
        histories = history.read(nyt), history.read(jhu)
    except history.HistoryUnreadable as error:
        raise click.ClickException(str(error)) from error
    chosen = {"store": store} if store else {}
    when = moments(start.date(), end.date(), time.time())
    out.mkdir(parents=True, exist_ok=True)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        kept.alone(state) if state else nullcontext(),
        Publisher() as publisher,
        LocalCloud(Clock.virtual(when[0]), publisher.config() | chosen) as cloud,
        Progress(*columns, console=console, disable=not console.is_terminal) as progress,
    ):
        task = progress.add_task("playing", total=len(when))
        runs = []
        for played in played_runs(cloud, publishing(publisher, *histories), when):
            runs.append(played)
            progress.update(task, advance=1, description=f"{played.scheduled_at:%Y-%m-%d} {played.run.state}")
        daily, revisions = cloud.tables.daily(), cloud.tables.entries()
        (out / "days.csv").write_text(csv_files.days(daily), encoding="utf-8")
        (out / "revisions.csv").write_text(csv_files.revisions(revisions), encoding="utf-8")
        write_lines(out / "runs.jsonl", map(run_line, runs))
        write_lines(out / "notices.jsonl", filter(None, map(notice_line, cloud.emulator.publications)))
        if state is not None:
            kept.save(cloud, state)
    completed = sum(played.run.state == "completed" for played in runs)
    rejected = sum(played.run.state == "failed" for played in runs)
    click.echo(
        f"{len(runs)} runs: {completed} completed, {rejected} rejected. "
        f"{len(daily)} days, {len(revisions) - len(daily)} restated entries. In {out}"
    )


@main.command()
@click.option("--state", required=True, type=FOLDER, help="What `play --state`, or `up`, kept.")
def serve(state: Path) -> None:
    """The page of what is kept: the dashboard alone, without sources and runs, until Ctrl-C."""
    from local import kept, up
    from ops.errors import CONFIGURATION

    folder = kept.find(state) if state.is_dir() else None
    if folder is None:
        raise click.UsageError(f"there is no state of a local cloud in {state}")
    if place := kept.running(folder):
        problem = f"A local cloud runs on {folder} (process {place['pid']}), with a page of its own."
        raise Problem(problem, code=CONFIGURATION)
    never = str(10**6)  # it is a record of long ago
    with (
        kept.restored(folder, stale_after_hours=never) as (cloud, description),
        up.serving(cloud) as dashboard,
    ):
        lines(description, err=True)
        dashboard.ready()
        lines(f"The dashboard is at {dashboard.address}. Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            threading.Event().wait()


@main.command()
@click.argument("files", nargs=-1, required=True, type=ARCHIVE)
@click.option("--out", type=FOLDER, help="Write what each came to: daily, entries, runs, notices, log.")
@click.option(
    "--store",
    type=click.Choice(["timestream", "dynamodb"]),
    help="Only on this store. [default: as each file says]",
)
def scenario(files: tuple[Path, ...], out: Path | None, store: str | None) -> None:
    """Play scenarios (docs/scenarios.md) and check the invariants and what each expects.

    Exit code 1 where anything does not hold, or a file is not in the language."""
    from local import scenario as scenarios

    try:
        read = [(path, scenarios.scenario(path)) for path in files]
    except scenarios.Mistake as error:
        raise click.ClickException(str(error)) from error
    failed = 0

    def told(path: Path, store: str, outcome: scenarios.Outcome) -> None:
        nonlocal failed
        failed += bool(outcome.problems)
        click.echo(f"{'FAILS' if outcome.problems else 'holds'}  {path} on {store}")
        for problem in outcome.problems:
            click.echo(f"  {problem}")
        for call in outcome.missed:
            click.echo(f"  note: no such call was made: {call}")

    scenarios.play_all(read, [store] if store else ["timestream", "dynamodb"], out, told)
    sys.exit(1 if failed else 0)


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code; what a user can mend is said in a line on stderr."""
    # Ended by a supervisor as by Ctrl-C, and from a script's background as well: nothing is left running.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    write_out_what_is_lacking()
    try:
        return main.main(arguments, prog_name="python -m local", standalone_mode=False) or DONE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except Problem as problem:
        lines(str(problem), err=True)
        return problem.code
    except OSError as error:
        problem = of_files(error)
        if problem is None:
            raise
        lines(str(problem), err=True)
        return problem.code
    except (click.Abort, KeyboardInterrupt):
        lines("Ended before it was through. What was kept stands; the next start goes on from there.")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(run())

"""``python -m local up``: the whole system on this machine, from its first run to its dashboard."""

import datetime as dt
import shutil
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local import sample, state
from local.clock import Clock
from local.cloud import LocalCloud
from local.history import History
from local.outbox import Outbox
from local.play import Played, play
from local.publisher import Publisher
from schemas.run import COMPLETED

PEOPLE = {"emails": '["you@example.com"]', "phones": '["+12025550143"]'}
ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Told:
    """What a person is shown at the end."""

    days: int
    restated: int
    last_acknowledged: dt.date | None
    warnings: tuple[str, ...]
    sent: dict[str, int]


def up_with_history(
    name: str,
    label: str,
    histories: tuple[History, History],
    moments: Iterable[dt.datetime],
    folder: Path,
    console: Console,
    wait: bool,
) -> None:
    """Play what of this publishing history has not been played yet, sum up, and wait for Ctrl-C."""
    nyt, jhu = histories
    everything = list(moments)
    with ExitStack() as stack:
        publisher = stack.enter_context(Publisher())
        last = state.last_run(folder)
        with console.status("Starting the local cloud …"):
            cloud = stack.enter_context(
                LocalCloud(
                    Clock.virtual(last or everything[0]), publisher.config() | PEOPLE | {"label": label}
                )
            )
            outbox = Outbox(folder / "outbox", cloud.stack.subscriptions)
            cloud.emulator.on_publish(outbox.deliver)
            replayed = state.restore(cloud, folder)
        remaining = [moment for moment in everything if last is None or moment > last]
        if replayed:
            console.out(f"Started again: {replayed:,} events replayed from the archive.")
        if not remaining:
            remaining = [(last or everything[-1]) + ONE_DAY]
        _announce(console, name, label, remaining, bool(replayed))
        _play(console, cloud, publisher, nyt, jhu, remaining, lambda: state.save(cloud, folder))
        _sum_up(console, cloud, outbox, folder)
        if wait:
            _wait(console)


def _announce(console: Console, name: str, label: str, moments: list[dt.datetime], again: bool) -> None:
    what = f"{name} ({label}: no figure of it is real)" if label else name
    first, last = moments[0].date(), moments[-1].date()
    span = f"{first}" if first == last else f"{first} to {last}, one run a day"
    console.out(f"Sources: {what}. {'Next run' if again else 'Runs'}: {span}.")


def _play(
    console: Console,
    cloud: LocalCloud,
    publisher: Publisher,
    nyt: History,
    jhu: History,
    moments: list[dt.datetime],
    after_each: Callable[[], None],
) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("runs", total=len(moments))
        for played in play(cloud, publisher, nyt, jhu, moments):
            after_each()
            progress.console.out(_line(played))
            progress.update(task, advance=1)


def _line(played: Played) -> str:
    run = played.run
    when = f"{played.scheduled_at:%Y-%m-%d %H:%M}"
    if run.state != COMPLETED:
        more = f" (and {run.reason_count - 1} more)" if run.reason_count > 1 else ""
        return f"{when}  {run.state}: {run.reasons[0] if run.reasons else ''}{more}"
    if not run.pending:
        news = "nothing pending"
    else:
        news = f"{len(run.inserted):>3} inserted, {len(run.updated):>3} updated"
    begun = [warning.text for warning in run.warnings if warning.code in run.begun]
    warned = "".join(f"\n{'':18}warning: {text}" for text in begun)
    return f"{when}  {news}, through {played.last_acknowledged}{warned}"


def _sum_up(console: Console, cloud: LocalCloud, outbox: Outbox, folder: Path) -> None:
    daily, revisions = cloud.reader.daily(), cloud.reader.revisions()
    head = cloud.ledger.head()
    console.out("")
    console.out(f"Days in the record       {len(daily):>6,}")
    console.out(f"Restatements entered     {sum(row.revision > 1 for row in revisions):>6,}")
    console.out(f"Last acknowledged date   {head.last_acknowledged}")
    for warning in head.warnings:
        console.out(f"Standing warning         {warning.text}")
    for person, count in sorted(outbox.sent.items()):
        console.out(f"Sent to {person:<22} {count} message{'' if count == 1 else 's'}")
    console.out(f"Their texts              {folder / 'outbox'}")


def _wait(console: Console) -> None:
    console.out("\nCtrl-C ends it.")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.out("Ended; nothing is left running.")


def fresh(folder: Path) -> None:
    """Forget what was kept."""
    shutil.rmtree(folder, ignore_errors=True)


def up_with_sample(folder: Path, console: Console, wait: bool) -> None:
    """The synthetic publishing history, played so that a person sees what happens."""
    nyt, jhu = sample.histories()
    moments = [moment + dt.timedelta(minutes=30) for moment in nyt.moments]
    up_with_history("sample", sample.LABEL, (nyt, jhu), moments, folder, console, wait)

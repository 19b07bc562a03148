"""``python -m local up``: the whole system on this machine, from its first run to Ctrl-C."""

import datetime as dt
import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from functions import history as listed
from local import state
from local.aws.invoking import let_invoke
from local.cloud import LocalCloud
from local.dashboard import Dashboard
from local.outbox import Outbox
from local.play import Played, play
from local.scheduler import next_time
from local.sources import sample
from local.sources.feeds import Feed
from ops import backfilling
from ops.stack import Stack
from ops.terminal import escaped
from schemas.ledger import COMPLETED

PEOPLE = {"emails": '["you@example.com"]', "phones": '["+12025550143"]'}
ONE_DAY = dt.timedelta(days=1)
RUNNING = "running.json"  # in the state's folder, for `daybook`
INDENT = " " * 18
PORT = 8050  # Dash's own; where it is taken, the next free one


def up(
    feed: Feed,
    folder: Path,
    console: Console,
    once: bool,
    store: str | None = None,
    fresh: bool = False,
    history: bool = False,
) -> bool:
    """Provision, take up what was kept in ``folder``, make the runs that are due, sum up; then wait and,
    with sources that go on publishing, run by the schedule. ``store``: where the tables are; as before unless
    said. ``fresh``: forget what was kept. ``history``: enter the sources' public history first. Returns
    whether the last run was completed."""
    with ExitStack() as stack:
        stack.enter_context(state.alone(folder))
        if fresh:
            state.forget(folder)
        with console.status("Starting the local cloud …"):
            last = state.last_run(folder)
            synthetic = "true" if feed.label == sample.LABEL else "false"
            config = feed.config | PEOPLE | {"label": feed.label, "synthetic": synthetic}
            if chosen := store or state.config(folder).get("store"):
                config |= {"store": chosen}
            if feed.moments:  # a history of long ago, played to its end, is not late
                config |= {"stale_after_hours": str(10**6)}
            cloud = stack.enter_context(LocalCloud(feed.clock(last), config))
            outbox = Outbox(folder / "outbox", cloud.stack.subscriptions)
            cloud.emulator.on_publish(outbox.deliver)
            replayed = state.restore(cloud, folder)
            asked = stack.enter_context(reachable(cloud, folder))
            served = None if once else stack.enter_context(serving(cloud))
        if replayed:
            console.out(f"Started again: {replayed:,} events replayed from the archive.")

        def keep() -> None:
            state.save(cloud, folder)

        if history or cloud.ledger.head().is_backfilling:
            _enter_history(cloud, keep)
        due = _due(feed, last, cloud)
        _announce(console, feed, due)

        well = _run(console, cloud, feed, due[:1], keep)
        if served:
            served.ready()
            if served.port != PORT:
                console.out(f"Port {PORT} is taken by another program.", highlight=False)
            console.out(f"The dashboard is at {served.address}", highlight=False)
        well = _run(console, cloud, feed, due[1:], keep) if due[1:] else well
        _sum_up(console, cloud, outbox, folder)
        if served:
            console.out(f"{'The dashboard is at':<28}{served.address}", highlight=False)
            _wait(console, cloud, feed, keep, asked)
            return True
        return well


@contextmanager
def serving(cloud: LocalCloud) -> Iterator[Dashboard]:
    """The dashboard, starting beside the first run."""
    environment = cloud.stack.exports["dashboard_environment"]
    served = Dashboard(environment, cloud.emulator.environment(), PORT)
    try:
        yield served
    finally:
        served.close()


@contextmanager
def reachable(cloud: LocalCloud, folder: Path) -> Iterator[threading.Event]:
    """Say in the folder where this cloud is, and let its functions be invoked from outside, while it runs.
    The event is set when that was asked for and has to be carried on."""
    asked = threading.Event()
    let_invoke(cloud, asked.set)
    folder.mkdir(parents=True, exist_ok=True)
    said = {"endpoint": cloud.emulator.endpoint, "stack": cloud.stack.exports["stack"], "pid": os.getpid()}
    (folder / RUNNING).write_text(json.dumps(said) + "\n", encoding="utf-8")
    try:
        yield asked
    finally:
        (folder / RUNNING).unlink(missing_ok=True)


def attend(cloud: LocalCloud, asked: threading.Event, keep: Callable[[], None]) -> None:
    """Carry to its end what was asked for from outside, and keep what came of it."""
    if not asked.is_set():
        return
    asked.clear()
    cloud.settle(until=cloud.clock.now() + ONE_DAY - dt.timedelta(minutes=1))
    keep()


def _enter_history(cloud: LocalCloud, keep: Callable[[], None]) -> None:
    """As ``daybook backfill`` does. Raises Problem where it can't be entered, or where it broke off."""

    class Lambda:
        """Lambda's API; what is asked for has come to its end, and is kept, when it answers."""

        def invoke(self, **request: Any) -> Any:
            cloud.client("lambda").invoke(**request)
            cloud.settle(until=cloud.clock.now() + ONE_DAY)
            keep()

    def client(service: str) -> Any:
        return Lambda() if service == "lambda" else cloud.client(service)

    stack = Stack("this local cloud", cloud.stack.exports, client, cloud.clock.now)
    dates = listed.dates()
    if backfilling.begin(stack, dates):
        backfilling.go_through(stack, dates)


def _due(feed: Feed, last: dt.datetime | None, cloud: LocalCloud) -> list[dt.datetime]:
    """The runs that have not been made; when all have, one more, which finds whether all is well."""
    if not feed.moments:
        return [cloud.clock.now()]
    remaining = [moment for moment in feed.moments if last is None or moment > last]
    return remaining or [max(feed.moments[-1], last or feed.moments[-1]) + ONE_DAY]


def _announce(console: Console, feed: Feed, due: Sequence[dt.datetime]) -> None:
    what = f"{feed.name} ({feed.label}: no figure of it is real)" if feed.label else feed.name
    span = f"{due[0].date()}" if len(due) == 1 else f"{due[0].date()} to {due[-1].date()}, one run a day"
    console.out(f"Sources: {what}. Runs: {span}.")
    if feed.credit:
        console.out(feed.credit)


def _run(
    console: Console, cloud: LocalCloud, feed: Feed, due: Sequence[dt.datetime], keep: Callable[[], None]
) -> bool:
    """Whether the last of them was completed."""
    well = True
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("runs", total=len(due))
        for played in play(cloud, feed.publish, due):
            keep()
            progress.console.out(escaped(_line(played)), highlight=False)
            progress.update(task, advance=1)
            well = played.run.state == COMPLETED
    return well


def _line(played: Played) -> str:
    run = played.run
    when = f"{played.scheduled_at:%Y-%m-%d %H:%M}"
    if run.state != COMPLETED:
        more = f" (and {run.reason_count - 1} more)" if run.reason_count > 1 else ""
        return f"{when}  {run.state}: {run.reasons[0] if run.reasons else ''}{more}"
    news = (
        f"{len(run.inserted):>3} inserted, {len(run.updated):>3} updated"
        if run.pending
        else "nothing pending"
    )
    begun = [warning.text for warning in run.warnings if warning.code in run.begun]
    warned = "".join(f"\n{INDENT}warning: {text}" for text in begun)
    return f"{when}  {news}, through {played.last_acknowledged}{warned}"


def _sum_up(console: Console, cloud: LocalCloud, outbox: Outbox, folder: Path) -> None:
    daily, revisions, head = cloud.tables.daily(), cloud.tables.entries(), cloud.ledger.head()
    facts = [
        ("Days in the record", f"{len(daily):,}"),
        ("Restatements entered", f"{len(revisions) - len(daily):,}"),
        ("Last acknowledged date", head.last_acknowledged or "none yet"),
        *(("Standing warning", warning.text) for warning in head.told),
        *((f"Sent to {person}", _messages(count)) for person, count in sorted(outbox.sent.items())),
        ("Their texts are in", folder / "outbox"),
    ]
    console.out("\n" + "\n".join(f"{name:<28}{value}" for name, value in facts), highlight=False)


def _messages(count: int) -> str:
    return f"{count} message{'' if count == 1 else 's'}"


def _wait(
    console: Console, cloud: LocalCloud, feed: Feed, keep: Callable[[], None], asked: threading.Event
) -> None:
    try:
        if feed.moments:
            console.out("\nThis history has been played to its end. Ctrl-C ends it.")
            while asked.wait():
                attend(cloud, asked, keep)
        (schedule,) = cloud.stack.schedules
        while moment := next_time(schedule.expression, schedule.timezone, cloud.clock.now()):
            console.out(f"\nThe next run is at {moment:%Y-%m-%d %H:%M} UTC. Ctrl-C ends it.")
            while cloud.clock.now() < moment:
                asked.wait(min(60.0, max(0.1, (moment - cloud.clock.now()).total_seconds())))
                attend(cloud, asked, keep)
            _run(console, cloud, feed, [moment], keep)
    except KeyboardInterrupt:
        keep()  # what `daybook` entered meanwhile, like an acceptance
        console.out("\nEnded. Nothing is left running; the next start goes on from here.")

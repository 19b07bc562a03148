"""The commands that change something."""

# ruff: noqa: PLC0415  what is heavy is loaded by the command that needs it, so that --help answers at once

import datetime as dt

import click

from ops.asked import BOUND, DATE, Asked, Bound, options
from ops.looking import JSON
from ops.output import line


@click.command()
@options
@JSON
@click.option("--wait", is_flag=True, help="Follow it to its report.")
@click.option("--patience", type=float, default=600, show_default=True, help="Seconds to wait at most.")
@click.pass_context
def run(context: click.Context, as_data: bool, wait: bool, patience: float) -> None:
    """Ask for a run now. With --wait: exit code 4 if its files were refused, 5 if days stay pending."""
    from ops import running

    with context.ensure_object(Asked).target() as target:
        code = running.run(target, wait, patience, as_data)
    context.exit(code)


@click.command()
@options
@JSON
@click.option("--from", "first", type=BOUND, help="Where to begin: a moment, a date, a sequence number.")
@click.option("--to", "last", type=BOUND, help="Where to end, inclusive; a date is its whole day, UTC.")
@click.option(
    "--source",
    type=click.Choice(["archive", "stream"]),
    default="archive",
    show_default=True,
    help="The permanent log, or what the stream retains.",
)
@click.option("--dry-run", is_flag=True, help="Only count.")
@click.option(
    "--rebuild", is_flag=True, help="Empty tables and day entries first; asks for the stack's name."
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.pass_obj
def replay(
    asked: Asked,
    as_data: bool,
    first: Bound | None,
    last: Bound | None,
    source: str,
    dry_run: bool,
    rebuild: bool,
    yes: bool,
) -> None:
    """Feed events to the consumer again, beside live runs too; nothing is sent. From the archive, tables and
    ledger are made to follow the log, and the bounds are when a day was entered; from the stream, records are
    decided like live ones, and the bounds are when they arrived there, or sequence numbers.

    --rebuild serves after a loss, and after a change of the mapping from event to row. Exit code 7, with
    nothing emptied, where the log lacks something that ledger or tables have. Interrupted, it is ended by the
    same command."""
    if source == "archive" and any(bound and bound.sequence for bound in (first, last)):
        raise click.UsageError("sequence numbers are the stream's: --source stream")
    if rebuild and (first or last or source != "archive"):
        raise click.UsageError("--rebuild takes the whole archive: without --from, --to and --source stream")
    if first and last and first.lies_after(last):
        raise click.UsageError("--from lies after --to")
    from ops import replaying

    with asked.target() as target:
        if rebuild and not dry_run:
            if not yes:
                line(f"This empties the tables and day entries of {target.description}.", err=True)
                line("They are filled from the log. Nothing of the log is touched.", err=True)
                name = target.facts["stack"]
                if click.prompt(f"Type the stack's name ({name}) to go on", err=True) != name:
                    raise click.UsageError("that is not its name; nothing was changed")
            count = replaying.rebuild(target)
        else:
            count = replaying.replay(target, source, (first, last), dry_run)
        target.keep()
        replaying.tell(target, count, dry_run, as_data)


@click.command()
@options
@JSON
@click.argument("date", type=DATE)
@click.option("--reason", required=True, help="Why it is to be believed; kept in the ledger.")
@click.pass_context
def accept(context: click.Context, as_data: bool, date: dt.date, reason: str) -> None:
    """Take responsibility for what is held back as unbelievable for DATE. It holds for these values only,
    and the next report names it."""
    if not reason.strip():
        raise click.UsageError("a reason has words")
    from ops import accept as accepting

    with context.ensure_object(Asked).target() as target:
        code = accepting.accept(target, date, reason.strip(), as_data)
    context.exit(code)


@click.group()
def notify() -> None:
    """What people are sent."""


@notify.command()
@options
@JSON
@click.pass_context
def test(context: click.Context, as_data: bool) -> None:
    """Send a marked message to each topic. Exit code 5 if somebody hasn't confirmed, or nobody subscribes."""
    from ops import notify as telling

    with context.ensure_object(Asked).target() as target:
        code = telling.test(target, as_data)
    context.exit(code)


COMMANDS = (run, replay, accept, notify)

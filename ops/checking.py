"""The commands that examine the whole."""

# ruff: noqa: PLC0415  what is heavy is loaded by the command that needs it, so that --help answers at once

from contextlib import ExitStack

import click

from ops.asked import Asked, options
from ops.looking import JSON
from ops.output import lines


@click.command()
@options
@JSON
@click.option("--deep", is_flag=True, help="Also against freshly fetched sources.")
@click.pass_context
def verify(context: click.Context, as_data: bool, deep: bool) -> None:
    """Whether log, ledger, tables and archive agree. Exit code 7 and a list if they don't; with --deep 5 if
    the sources have published something since."""
    from ops import verify as verifying

    with context.ensure_object(Asked).target() as target:
        code = verifying.verify(target, deep, as_data)
    context.exit(code)


@click.command()
@options
@JSON
@click.pass_context
def doctor(context: click.Context, as_data: bool) -> None:
    """What stands in the way: PASS, WARN or FAIL for Python, account, tables, mapping, stream,
    subscriptions and sources, and the command that mends each. Exit code 3 if something fails."""
    from ops import doctor as looking

    asked = context.ensure_object(Asked)
    with ExitStack() as stack:
        code = looking.doctor(lambda: stack.enter_context(asked.target()), as_data)
    context.exit(code)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """What SHELL needs to complete `daybook`, which is .venv/bin/daybook and the same as `python -m ops`."""
    from ops import completion as completing

    lines(completing.script(shell, context.find_root().command))


COMMANDS = (verify, doctor, completion)

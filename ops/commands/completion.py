"""``completion``: what a shell needs to complete ``daybook``."""

import click
from click.shell_completion import get_completion_class

from ops.terminal import lines


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """What SHELL needs to complete `daybook`."""
    root = context.find_root()
    if kind := get_completion_class(shell):
        lines(kind(root.command, {}, root.info_name or "", "_DAYBOOK_COMPLETE").source())

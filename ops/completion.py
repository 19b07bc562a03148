"""``completion``: what a shell needs to complete ``daybook``, the same commands under one word."""

import click
from click.shell_completion import get_completion_class

from ops.errors import USAGE, Problem

NAME = "daybook"  # .venv/bin/daybook, made by `make setup`


def script(shell: str, command: click.Command) -> str:
    """The shell's own words. Raises Problem for a shell that click doesn't know."""
    kind = get_completion_class(shell)
    if kind is None:
        raise Problem(f"No completion for {shell}.", "", "There is one for bash, zsh and fish.", USAGE)
    return kind(command, {}, NAME, "_DAYBOOK_COMPLETE").source()

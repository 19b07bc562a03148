"""The file of defaults: ``daybook.toml`` here, or ``daybook/daybook.toml`` in the user's configuration.

Its names are those of the options: ``stack = "prod"`` for all commands, ``[runs]`` and below it
``limit = 5`` for one. An option overrules its variable, the variable the file, the file the default.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

import click

from ops.errors import CONFIGURATION, Problem

FILE = "daybook.toml"


def read(main: click.Group) -> dict[str, Any]:
    """As click's default map; empty where there is no file. Raises Problem naming what is wrong in it."""
    path = next((path for path in _places() if path.is_file()), None)
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(
            f"{path} can't be read: {error}", "", "It is TOML: name = value", CONFIGURATION
        ) from error
    problems = [*_strangers(main, found)]
    if problems:
        known = "See the options: python -m ops COMMAND --help"
        raise Problem(f"{path}: {'; '.join(problems)}", "Nothing was done.", known, CONFIGURATION)
    return found


def _places() -> list[Path]:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"  # noqa: TID251 the user's own
    return [Path(FILE), Path(home) / "daybook" / FILE]


def _strangers(command: click.Command, found: dict[str, Any]) -> list[str]:
    """What is no option of the command, nor a command of the group."""
    options = {name.lstrip("-").replace("-", "_") for option in command.params for name in option.opts}
    commands = command.commands if isinstance(command, click.Group) else {}
    problems = []
    for name, value in found.items():
        if isinstance(value, dict) and name in commands:
            problems += [f"[{name}] {problem}" for problem in _strangers(commands[name], value)]
        elif name not in options or isinstance(value, dict):
            problems.append(
                f"{name} is neither a command nor an option" if commands else f"{name} is no option"
            )
    return problems

"""Options that every command takes, kinds of values, and the file of the user's own defaults.

The file is ``daybook.toml`` here, or ``daybook/daybook.toml`` in the user's configuration. Its names are
those of the options: ``stack = "prod"`` for all commands, ``[runs]`` and below it ``limit = 5`` for one. An
option overrules its variable, the variable the file, the file the default.
"""

import datetime as dt
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from ops.errors import CONFIGURATION, Problem
from schemas.moment import DATE_LENGTH, EPOCH, MILLISECOND, ONE_DAY, as_of

if TYPE_CHECKING:
    from ops.stack import Stack

FILE = "daybook.toml"
LAST = ONE_DAY - MILLISECOND
SPAN = re.compile(r"([0-9]{1,6})([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
SOURCES = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)
JSON = click.option("--json", "as_data", is_flag=True, help="As JSON.")


@dataclass
class Options:
    """``--state``, ``--stack`` and ``--debug``, by where they were given. ``handed`` is a stack that takes
    the place of any."""

    handed: "Stack | None" = None
    given: dict[ParameterSource, dict[str, Any]] = field(default_factory=dict)

    @property
    def debug(self) -> bool:
        return any("debug" in values for values in self.given.values())

    def stack(self, reading: bool = False) -> "AbstractContextManager[Stack]":
        """Open the stack that is meant; for ``reading`` alone a kept state is read where it lies."""
        from ops.find_stack import opened

        if self.handed:
            return nullcontext(self.handed)
        for source in SOURCES:
            values = self.given.get(source, {})
            state, stack = values.get("state"), values.get("stack")
            if state and stack:
                raise click.UsageError("--state is a local cloud's, --stack one on AWS: give one of them")
            if state or stack:
                return opened(state, stack, reading)
        return opened(None, None, reading)


def shared(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that stand before the command or after it; what stands after it overrules."""

    def take(context: click.Context, option: click.Parameter, value: Any) -> None:
        source = context.get_parameter_source(option.name or "")
        if value and source:
            context.ensure_object(Options).given.setdefault(source, {})[option.name or ""] = value

    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    for option in (
        click.option(
            "--debug", is_flag=True, expose_value=False, callback=take, help="Show where an error came from."
        ),
        click.option(
            "--stack", envvar="DAYBOOK_STACK", expose_value=False, callback=take, help="A stack on AWS."
        ),
        click.option(
            "--state",
            type=folder,
            envvar="DAYBOOK_STATE",
            expose_value=False,
            callback=take,
            help="A local cloud's folder.",
        ),
    ):
        command = option(command)
    return command


def command(name: str | None = None) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a function a command that takes the shared options, and ``Options`` as its first argument. It may
    return an exit code."""
    return lambda function: click.command(name)(shared(click.pass_obj(function)))


class Kind(click.ParamType):
    """A value that one function makes of a text; its ValueError says what is wrong."""

    def __init__(self, name: str, read: Callable[[str], Any], example: str) -> None:
        self.name, self._read, self._example = name, read, example

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except ValueError:
            self.fail(f"{value!r} is not {self._example}", param, ctx)


@dataclass(frozen=True)
class Bound:
    """Where a replay begins or ends: a span of time (a moment is a short one), or a sequence number."""

    start: dt.datetime
    end: dt.datetime
    sequence: str = ""

    def lies_after(self, last: "Bound") -> bool:
        """Whether it does. False for a moment and a sequence number, which can't be compared."""
        if self.sequence and last.sequence:
            return int(self.sequence) > int(last.sequence)
        return not (self.sequence or last.sequence) and self.start > last.end


def _span(text: str) -> dt.timedelta:
    match = SPAN.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return dt.timedelta(**{UNITS[match[2]]: int(match[1])})


def _bound(text: str) -> Bound:
    if text.isdecimal():
        return Bound(EPOCH, EPOCH, text)
    end = as_of(text)
    return Bound(end - LAST if len(text) == DATE_LENGTH else end, end)


MOMENT = Kind("moment", as_of, "a moment like 2020-12-31 or 2020-12-31T12:00")
DATE = Kind("date", dt.date.fromisoformat, "a date like 2020-12-31")
DURATION = Kind("duration", _span, "a span like 90s, 10m, 2h or 1d")
BOUND = Kind("bound", _bound, "a moment like 2020-12-31 or 2020-12-31T12:00, nor a sequence number")


def defaults(main: click.Group) -> dict[str, Any]:
    """The file as click's default map; empty where there is no file. Raises Problem naming what is wrong."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"  # noqa: TID251 the user's own
    places = (Path(FILE), Path(home) / "daybook" / FILE)
    path = next((path for path in places if path.is_file()), None)
    if path is None:
        return {}
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Problem(
            f"{path} can't be read: {error}", "", "It is TOML: name = value", CONFIGURATION
        ) from error
    if problems := [*_strangers(main, values, click.Context(main))]:
        known = "See the options: daybook COMMAND --help"
        raise Problem(f"{path}: {'; '.join(problems)}", "Nothing was done.", known, CONFIGURATION)
    return values


def _strangers(command: click.Command, values: dict[str, Any], context: click.Context) -> Iterator[str]:
    """What is no option of the command, nor a command of the group."""
    options = {name.lstrip("-").replace("-", "_") for option in command.params for name in option.opts}
    group = command if isinstance(command, click.Group) else None
    for name, value in values.items():
        inner = group and group.get_command(context, name)
        if inner and isinstance(value, dict):
            yield from (f"[{name}] {problem}" for problem in _strangers(inner, value, context))
        elif name not in options or isinstance(value, dict):
            yield f"{name} is neither a command nor an option" if group else f"{name} is no option"

"""What every command takes: which stack, and how much is said when something goes wrong."""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ops.output import say
from schemas.moment import EPOCH, moment

if TYPE_CHECKING:
    from ops.target import Target

LAST = dt.timedelta(days=1) - dt.timedelta(milliseconds=1)
# What is said later overrules what is said earlier in this list; at one rank, the command what stands before.
RANKS = (
    click.core.ParameterSource.DEFAULT,
    click.core.ParameterSource.DEFAULT_MAP,  # the file
    click.core.ParameterSource.ENVIRONMENT,
    click.core.ParameterSource.COMMANDLINE,
)
DURATION = re.compile(r"([0-9]+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
FOLDER = click.Path(file_okay=False, path_type=Path)


@dataclass
class Asked:
    """The options that may stand before the command or after it."""

    state: Path | None = None
    stack: str | None = None
    debug: bool = False
    ranks: dict[str, int] = field(default_factory=dict)  # of whoever said it

    def take(self, name: str, value: Any, rank: int) -> None:
        if rank >= self.ranks.get(name, 0):
            setattr(self, name, value)
            self.ranks[name] = rank

    def target(self) -> "AbstractContextManager[Target]":
        """The stack that is meant, open."""
        from ops.target import opened  # noqa: PLC0415 so that --help loads no SDK

        state, stack = self.state, self.stack
        if state and stack:
            if self.ranks["state"] == self.ranks["stack"]:
                raise click.UsageError("--state is a local cloud's, --stack one on AWS: give one of them")
            if self.ranks["state"] > self.ranks["stack"]:
                stack = None
            else:
                state = None
        return opened(state, stack, say)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; each also has a variable, which the option overrules."""

    def take(context: click.Context, option: click.Parameter, value: Any) -> None:
        asked = context.ensure_object(Asked)
        source = context.get_parameter_source(option.name or "")
        if option.name and value and source:
            asked.take(option.name, value, RANKS.index(source))

    for option in (
        click.option("--debug", is_flag=True, help="Show where an error came from."),
        click.option("--stack", envvar="DAYBOOK_STACK", help="A stack on AWS."),
        click.option("--state", type=FOLDER, envvar="DAYBOOK_STATE", help="A local cloud's folder."),
    ):
        command = option(command)
    for parameter in command.__click_params__[-3:]:  # type: ignore[attr-defined]
        parameter.expose_value = False
        parameter.callback = take
    return command


class Moment(click.ParamType):
    """A moment: ISO 8601, in UTC unless it says another zone; a date alone is its end."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.datetime:
        if isinstance(value, dt.datetime):
            return value
        try:
            if len(value) == len("2020-12-31"):
                return dt.datetime.combine(dt.date.fromisoformat(value), dt.time(), dt.UTC) + LAST
            found = dt.datetime.fromisoformat(value)
            return moment((found if found.tzinfo else found.replace(tzinfo=dt.UTC)).isoformat())
        except ValueError:
            self.fail(f"{value!r} is neither 2020-12-31 nor 2020-12-31T12:00", param, ctx)


class Date(click.ParamType):
    """A date of the record."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        if isinstance(value, dt.date):
            return value
        try:
            return dt.date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date like 2020-12-31", param, ctx)


class Duration(click.ParamType):
    """A span of time: a number and s, m, h or d."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:
        if isinstance(value, dt.timedelta):
            return value
        found = DURATION.fullmatch(value)
        if found is None:
            self.fail(f"{value!r} is not a span like 90s, 10m, 2h or 1d", param, ctx)
        return dt.timedelta(**{UNITS[found[2]]: int(found[1])})


@dataclass(frozen=True)
class Bound:
    """Where a replay begins or ends: a span of time (a moment is a short one), or a sequence number."""

    start: dt.datetime
    end: dt.datetime
    sequence: str = ""

    def lies_after(self, last: "Bound") -> bool:
        """False for a moment and a sequence number, which can't be compared."""
        if self.sequence and last.sequence:
            return int(self.sequence) > int(last.sequence)
        return not (self.sequence or last.sequence) and self.start > last.end


class BoundType(click.ParamType):
    """A moment, a date, or a sequence number, which is nothing but digits."""

    name = "bound"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Bound:
        if isinstance(value, Bound):
            return value
        if value.isdecimal():
            return Bound(EPOCH, EPOCH, value)
        end = MOMENT.convert(value, param, ctx)
        return Bound(end - LAST if len(value) == len("2020-12-31") else end, end)


MOMENT = Moment()
DATE = Date()
DURATION_TYPE = Duration()
BOUND = BoundType()

"""How an answer is shown: for people in columns, for programs as JSON; progress goes to stderr."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

Cells = Sequence[Any]
Progress = Any


def say(text: str) -> None:
    """A word about what is going on, away from the data."""
    click.echo(text, err=True)


def as_json(value: Any) -> None:
    click.echo(json.dumps(value, default=str, ensure_ascii=False))


def table(header: Cells, rows: Iterable[Cells]) -> None:
    """Columns as wide as they need to be, numbers to the right."""
    lines = [[_cell(cell) for cell in row] for row in rows]
    kinds = [all(_is_number(line[place]) for line in lines) and bool(lines) for place in range(len(header))]
    widths = [max(len(line[place]) for line in [list(header), *lines]) for place in range(len(header))]
    for line in [list(header), *lines]:
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, kinds, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def facts(pairs: Mapping[str, Any]) -> None:
    """A line each: what, and its value; several values stand below one another."""
    width = max(map(len, pairs)) + 2
    for name, value in pairs.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for number, one in enumerate(values):
            click.echo(f"{'' if number else name:<{width}}{_cell(one)}")


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _is_number(text: str) -> bool:
    return text == "–" or text.replace(",", "").replace(".", "", 1).isdigit()


@contextmanager
def counting(what: str, total: int) -> Iterator[Any]:
    """A bar on stderr where that is a terminal; ``update(n)`` moves it."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with click.progressbar(length=total, label=what, file=sys.stderr) as bar:
        yield bar.update

"""How an answer is shown: for people in columns, for programs as JSON; progress goes to stderr."""

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

Cells = Sequence[Any]
Progress = Any


def shown(text: str, keep: str = "\n\t") -> str:
    """As a terminal may get it: a control character in a value would act there, so it is written out."""
    return "".join(c if c.isprintable() or c in keep else _written_out(c) for c in text)


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode()


def line(text: object, err: bool = False) -> None:
    """One line, whatever is in it."""
    click.echo(shown(str(text), keep=""), err=err)


def lines(text: str, err: bool = False, nl: bool = True) -> None:
    """A text of several."""
    click.echo(shown(text), err=err, nl=nl)


def write_out_what_is_lacking() -> None:
    """Have characters that a terminal's encoding lacks written out, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """A word about what is going on, away from the data."""
    lines(text, err=True)


def as_json(value: Any) -> None:
    """In ASCII: whatever the terminal's encoding is, it is JSON."""
    click.echo(json.dumps(value, default=str))


def table(header: Cells, rows: Iterable[Cells]) -> None:
    """Columns as wide as they need to be, numbers to the right."""
    body = [[_cell(cell) for cell in row] for row in rows]
    kinds = [all(_is_number(row[place]) for row in body) and bool(body) for place in range(len(header))]
    widths = [max(len(row[place]) for row in [list(header), *body]) for place in range(len(header))]
    for row in [list(header), *body]:
        cells = [
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(row, widths, kinds, strict=True)
        ]
        line("  ".join(cells).rstrip())


def facts(pairs: Mapping[str, Any]) -> None:
    """A line each: what, and its value; several values stand below one another."""
    width = max(map(len, pairs)) + 2
    for name, value in pairs.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        for number, one in enumerate(values):
            line(f"{'' if number else name:<{width}}{_cell(one)}")


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

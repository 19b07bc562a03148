"""Lines, columns and progress on a terminal. Values are escaped: a control character would act there."""

import io
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDE = 10_000  # columns of what is no terminal: nothing is folded there
SECONDS = 10  # between two words about a wait where stderr is no terminal


def escaped(text: object, keep: str = "\n\t") -> str:
    """The text with its control characters written out, but for those to keep."""
    return "".join(
        c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in str(text)
    )


def line(text: object, err: bool = False) -> None:
    """Write a text on one line, whatever is in it."""
    click.echo(escaped(text, keep=""), err=err)


def lines(text: str, err: bool = False, nl: bool = True) -> None:
    """Write a text of several lines."""
    click.echo(escaped(text), err=err, nl=nl)


def say(text: str) -> None:
    """Write about what is going on, away from the data."""
    lines(text, err=True)


def write_out_what_is_lacking() -> None:
    """Have characters that a terminal's encoding lacks written out, instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write columns as wide as they need to be, numbers to the right."""
    body = [[_cell(cell) for cell in row] for row in rows]
    columns = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    for place, name in enumerate(header):
        is_number = bool(body) and all(_is_number(row[place]) for row in body)
        columns.add_column(Text(name), justify="right" if is_number else "left", overflow="fold")
    for row in body:
        columns.add_row(*map(Text, row))
    _print(columns)


def facts(pairs: Mapping[str, Any]) -> None:
    """Write a line each: what, and its value; several values stand below one another."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        grid.add_row(Text(name), Text("\n".join(map(_cell, values))))
    _print(grid)


def _print(table: Table) -> None:
    console = Console(width=None if sys.stdout.isatty() else WIDE, color_system=None)
    with console.capture() as capture:
        console.print(table)
    click.echo("\n".join(row.rstrip() for row in capture.get().splitlines()))


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return f"{value:,}" if is_number else escaped(value, keep="")


def _is_number(text: str) -> bool:
    return text == "–" or text.replace(",", "").replace(".", "", 1).isdigit()


@contextmanager
def progress(what: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show on stderr how far a wait is; ``move(count, what)`` advances it, and may say something else. Where
    stderr is no terminal, a line does so every ten seconds."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console, ended = Console(stderr=True), threading.Event()
    counted = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) if total else (SpinnerColumn(),)
    columns = (TextColumn("{task.description}", markup=False), *counted, TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(escaped(what), total=total)

        def move(count: int = 1, what: str | None = None) -> None:
            bars.update(task, advance=count, description=what and escaped(what))

        def tell() -> None:
            while not ended.wait(SECONDS):
                state = bars.tasks[0]
                done = f": {state.completed:,.0f} of {total:,}" if total else ""
                left = f", about {state.time_remaining:.0f} s left" if state.time_remaining else ""
                say(f"{state.description}{done}, {state.elapsed or 0:.0f} s so far{left}")

        teller = threading.Thread(target=tell, daemon=True)
        if not console.is_terminal:
            teller.start()
        try:
            yield move
        finally:
            ended.set()
            if teller.ident:
                teller.join()

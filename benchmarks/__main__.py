"""``python -m benchmarks``: the goals, measured on this machine. Prints a table, writes ``results.json``."""

import importlib
import json
import os
import platform
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.measure import Figure

NAMES = ("fetching", "consuming", "starting", "loading", "growing", "viewing", "answering", "running")
RESULTS = Path(__file__).resolve().parent / "results.json"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=RESULTS, help="The figures.")
def main(names: tuple[str, ...], out: Path) -> None:
    """Measure these, or all; with some, the others' figures stay as they were written."""
    known = json.loads(out.read_text(encoding="utf-8"))["figures"] if out.exists() else {}
    console = Console(width=None if sys.stdout.isatty() else 160)
    missed = 0
    for name in names or NAMES:
        table = Table(title=name, title_justify="left", box=None, pad_edge=False)
        for column in ("what", "measured", "goal", ""):
            table.add_column(column, justify="right" if column in {"measured", "goal"} else "left")
        found: list[Figure] = []
        with console.status(f"{name} …"):
            for figure in importlib.import_module(f"benchmarks.{name}").figures():
                found.append(figure)
                table.add_row(*_cells(figure), style=None if figure.met else "red")
        console.print(table, "")
        missed += sum(not figure.met for figure in found)
        known[name] = [vars(figure) | {"met": figure.met} for figure in found]
    machine = {
        "processors": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
    }
    out.write_text(
        json.dumps({"machine": machine, "figures": known}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    console.print(f"{missed} goals missed." if missed else "Every goal is met.")
    sys.exit(bool(missed))


def _cells(figure: Figure) -> tuple[str, str, str, str]:
    goal = "" if figure.goal is None else f"≤ {figure.goal:,g}"
    shown = f"{figure.value:,.2f}" if figure.value < 100 else f"{figure.value:,.0f}"
    return figure.name, f"{shown} {figure.unit}", goal, figure.note


if __name__ == "__main__":
    main()

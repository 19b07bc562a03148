"""``python -m benchmarks.published``: what the sources' publishing history shows, as docs/published.json and
two plots. Needs the history: DAYBOOK_DATA. Counts only; none of the sources' figures is written down."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import click

from benchmarks.browser import browser
from benchmarks.headline import follow, size
from benchmarks.history import END, START, archived
from benchmarks.inputs import ROOT
from dashboard.routes.http import plotly_script
from functions.history import NOON
from local.play import moments
from local.sources.history import History

OUT = ROOT / "docs" / "published.json"
PLOTS = ROOT / "docs" / "plots"
COLOURS = {"newest date": "#D55E00", "Daybook": "#0072B2"}


def counts(nyt: History, jhu: History) -> dict[str, float]:
    """What the text says of the history, by name."""
    restated = [len(days) for _, days in restatements(nyt)]
    newest, ours, refused = follow(nyt, jhu)
    last = newest.wrong[-1]
    return {
        "versions": len(nyt.files),
        "versions_that_restate": sum(map(bool, restated)),
        "most_days_restated_at_once": max(restated),
        "runs": len(moments(START, END, NOON)),
        "runs_refused": refused,
        "days": len(ours.days),
        "newest_date_wrong": last,
        "newest_date_wrong_percent": round(100 * last / len(ours.days)),
        "newest_date_most_wrong": max(newest.wrong),
        "daybook_wrong": ours.wrong[-1],
        "days_without_recoveries": sum(day.recovered is None for day in ours.days.values()),
        **size(newest, ours.days),
    }


def restatements(nyt: History) -> Iterator[tuple[dt.datetime, list[str]]]:
    """Each version's moment, and the dates of which it says something else than the version before."""
    before: dict[str, str] = {}
    for moment, file in zip(nyt.moments, nyt.files, strict=True):
        rows = dict(line.split(",", 1) for line in file.decode().split()[1:])
        yield moment, [date for date, text in rows.items() if before.get(date, text) != text]
        before = rows


def plots(nyt: History, jhu: History) -> dict[str, dict[str, Any]]:
    """By file name: plotly figures."""
    found = [(moment, len(days)) for moment, days in restatements(nyt) if days]
    newest, ours, _ = follow(nyt, jhu)
    dates = [moment.date().isoformat() for moment in moments(START, END, NOON)]
    return {
        "restated": _figure(
            "Days that a version of us.csv restated (logarithmic)",
            [
                {
                    "type": "bar",
                    "x": [moment.isoformat() for moment, _ in found],
                    "y": [days for _, days in found],
                    "width": 16 * 3_600_000,
                    "marker": {"color": COLOURS["Daybook"]},
                }
            ],
            {"type": "log", "dtick": 1},
        ),
        "wrong": _figure(
            "Days in the table that were not as published, after each day's run",
            [
                _line(name, dates, wrong)
                for name, wrong in (("newest date", newest.wrong), ("Daybook", ours.wrong))
            ],
            {"rangemode": "tozero"},
        ),
    }


def _line(name: str, dates: list[str], wrong: list[int]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines+text",
        "x": dates,
        "y": wrong,
        "line": {"color": COLOURS[name], "width": 3},
        "text": [""] * (len(dates) - 1) + [f"{name}: {wrong[-1]}"],
        "textposition": "top left",
        "textfont": {"color": COLOURS[name], "size": 14},
        "cliponaxis": False,
    }


def _figure(title: str, traces: list[dict[str, Any]], axis: dict[str, Any]) -> dict[str, Any]:
    credit = "Publishing history: The New York Times (github.com/nytimes/covid-19-data), Johns Hopkins CSSE"
    return {
        "data": traces,
        "layout": {
            "title": {"text": title, "x": 0.02, "font": {"size": 17}},
            "font": {"family": "Helvetica, Arial, sans-serif", "color": "#1f2328"},
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "showlegend": False,
            "margin": {"l": 50, "r": 20, "t": 50, "b": 60},
            "xaxis": {"type": "date", "showgrid": False, "linecolor": "#57606a"},
            "yaxis": {"gridcolor": "#e3e1da", **axis},
            "annotations": [
                {
                    "text": credit,
                    "xref": "paper",
                    "yref": "paper",
                    "x": 0,
                    "y": -0.17,
                    "showarrow": False,
                    "font": {"size": 11, "color": "#57606a"},
                }
            ],
        },
    }


def _drawn(figures: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Each figure as SVG, drawn by the dashboard's own plotly."""
    plotly = plotly_script().decode()
    script = """figure => Plotly.toImage(figure, {format: "svg", width: 860, height: 400})"""
    found = {}
    with browser() as chromium:
        page = chromium.new_page()
        page.add_script_tag(content=plotly)
        for name, figure in figures.items():
            address = page.evaluate(script, figure)
            found[name] = _svg(address)
    return found


def _svg(address: str) -> str:
    head, _, body = address.partition(",")
    return base64.b64decode(body).decode() if head.endswith("base64") else unquote(body)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Write docs/published.json and the plots of the blog post."""
    histories = archived()
    found = counts(*histories)
    OUT.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    PLOTS.mkdir(exist_ok=True)
    for name, text in _drawn(plots(*histories)).items():
        (PLOTS / f"{name}.svg").write_text(text + "\n", encoding="utf-8")
    for name, value in found.items():
        click.echo(f"{name:<36}{value:>8,}")


if __name__ == "__main__":
    main()

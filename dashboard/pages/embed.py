"""The chart of a view as a page without a script, which other sites may show in a frame. Pure."""

from dataclasses import replace

from dash import html
from dash.development.base_component import Component

from dashboard import chart, series, svg, text
from dashboard.pages import frame
from dashboard.series import NAMES, SERIES, Seen
from dashboard.view import View

PATH = "/embed"


def needs(view: View) -> dict[str, bool]:
    """What of the record is read for this page."""
    return {"entries": view.asof is not None or view.known is not None}


def description(seen: Seen) -> str:
    """What the chart shows, and as known when."""
    dates = seen.now.dates
    days = f" {text.date(dates[0])} to {text.date(dates[-1])}." if dates else ""
    return f"{text.title(seen.view)}.{days} {text.CREDIT}"


def content(seen: Seen, *, synthetic: bool) -> Component:
    """The chart as it is before any script has run."""
    view = seen.view
    known = (
        "" if view.asof is None else f", as known when {text.date(view.asof)} ended. Dotted: what is said now"
    )
    picture = html.P("There are no figures of these days.")
    if seen.now.dates:
        drawn = chart.chart(replace(seen, milestones=()), synthetic=synthetic)  # their list has no room
        picture = svg.drawing(drawn, role="img", aria_label=_described(seen))
    return html.Main(
        [
            *([frame.made_up()] if synthetic else []),
            html.H1(text.title(view) + known),
            picture,
            html.P([html.A("Daybook", href="/" + view.query(), target="_top"), f". {text.CREDIT}"]),
        ],
        className="framed",
    )


def _described(seen: Seen) -> str:
    """Each series' first and last figure of these days."""
    shown, sentences = seen.then or seen.now, []
    for name in SERIES:
        figures = zip(shown.dates, shown.figures[name], strict=True)
        known = [(date, value) for date, value in figures if value is not None]
        places = series.decimals(name, seen.view)
        ends = ", ".join(
            f"{text.number(value, places)} on {text.date(date)}" for date, value in (known[:1] + known[-1:])
        )
        sentences.append(f"{NAMES[name]}, {text.unit(name, seen.view)}: {ends or 'no figure of these days'}.")
    return " ".join(sentences)

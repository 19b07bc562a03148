"""The chart of a view as a page without a script, which other sites may show in a frame. Pure."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import drawing, series, text
from dashboard.pages import frame
from dashboard.series import NAMES, SERIES, Seen
from dashboard.view import LOG, NEW, View

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
    """A panel a series; where the record as it stood is asked for, today's is the pale line."""
    view = seen.view
    known = (
        "" if view.asof is None else f", as known when {text.date(view.asof)} ended. Pale: what is said now"
    )
    panels = html.P("There are no figures of these days.")
    if seen.now.dates:
        panels = html.Div([_panel(seen, name) for name in SERIES], className="panels")
    return html.Main(
        [
            *([frame.made_up()] if synthetic else []),
            html.H1(text.title(view) + known),
            panels,
            html.P([html.A("Daybook", href="/" + view.query(), target="_top"), f". {text.CREDIT}"]),
        ],
        className="framed",
    )


def _panel(seen: Seen, name: str) -> Any:
    sides = (
        [seen.now.figures[name]] if seen.then is None else [seen.now.figures[name], seen.then.figures[name]]
    )
    known = [
        (date, value) for date, value in zip(seen.now.dates, sides[-1], strict=True) if value is not None
    ]
    heading = html.Figcaption([html.B(NAMES[name]), f" {text.heading(name, seen.view)}"])
    if not known:
        return html.Figure([heading, html.P("no figure of these days", className="silence")])
    (first, least), (last, most) = known[0], known[-1]
    places = series.decimals(name, seen.view)
    described = (
        f"{NAMES[name]}, {text.unit(name, seen.view)}: {text.number(least, places)} on {text.date(first)}, "
        f"{text.number(most, places)} on {text.date(last)}"
    )
    drawn = drawing.panel(
        seen.now.dates,
        sides,
        name,
        described,
        log=seen.view.scale == LOG and name != "fatality",
        bars=seen.view.show == NEW and name != "fatality" and len(sides) == 1,
    )
    return html.Figure([heading, drawn])

"""The page that stands before anything is read, and every id in it."""

import datetime as dt

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from dashboard import choice, words
from dashboard.parts import aria

# Where we are, and what makes a page be drawn again.
URL, TICK, AGAIN, VERSION = "url", "tick", "again", "version"
# What the script shows when the server is silent.
ALERT = "alert"
# Both pages.
BADGES, BANNERS, RECORD, STATUS, ELSEWHERE = "badges", "banners", "record", "status", "elsewhere"
# The record.
SHOW, SCALE, PER, SPAN, START, END, ASOF = "show", "scale", "per", "span", "start", "end", "asof"
TILES, BELIEVED, NOTES, CHART, PNG = "tiles", "believed", "notes", "chart", "png"
DRAWING, PICTURE, RESTATED, TABLE = "drawing", "picture", "restated", "table"
DOWNLOADS, PROVENANCE = "downloads", "provenance"
# The status page.
ASSESSMENT, DAY, HISTORY = "assessment", "day", "history"

CONTROLS = (SHOW, SCALE, PER, SPAN, START, END, ASOF, DAY)

REFRESH_SECONDS = 60


def page(refresh_seconds: float = REFRESH_SECONDS) -> Component:
    return html.Div(
        [
            dcc.Location(id=URL, refresh=False),
            dcc.Interval(id=TICK, interval=int(refresh_seconds * 1000)),
            dcc.Store(id=AGAIN),
            dcc.Store(id=VERSION),
            html.A("To the content", href="#content", className="skip"),
            html.Div(id=BANNERS),
            html.Div(id=ALERT, role="alert", className="alert"),
            _masthead(),
            html.Main(
                [_record(), _status(), html.Section(id=ELSEWHERE, hidden=True)],
                id="content",
                tabIndex=-1,
            ),
            html.Footer(_footer(), id=PROVENANCE),
        ],
        className="sheet",
    )


def _masthead() -> Component:
    return html.Header(
        [
            html.Div(
                [
                    html.A("Daybook", href="/", className="name"),
                    html.P("The U.S. COVID-19 record, with every correction kept", className="motto"),
                ]
            ),
            html.Nav(
                [html.A("The record", href="/"), html.A("Status", href="/status")],
                **aria(label="Pages"),
            ),
            html.Div(id=BADGES, className="badges"),
        ],
        className="masthead",
    )


def _record() -> Component:
    return html.Section(
        [
            html.H1("COVID-19 in the United States", className="headline"),
            html.Div(id=TILES, className="tiles"),
            html.Div(
                [
                    html.Form(
                        [
                            _switch(
                                SHOW,
                                "Figures",
                                {
                                    choice.TOTAL: "Cumulative",
                                    choice.NEW: "New a day",
                                    choice.AVERAGE: "7-day average",
                                },
                                choice.TOTAL,
                            ),
                            _switch(
                                SCALE,
                                "Scale",
                                {choice.LINEAR: "Linear", choice.LOG: "Logarithmic"},
                                choice.LINEAR,
                            ),
                            _switch(
                                PER,
                                "Counted in",
                                {choice.COUNT: "Persons", choice.PER_100K: "Per 100,000"},
                                choice.COUNT,
                            ),
                            _switch(
                                SPAN,
                                "Period",
                                {"": "All", "365": "A year", "90": "90 days", "30": "30 days"},
                                "",
                            ),
                            html.Fieldset(
                                [
                                    html.Legend("Or from date to date"),
                                    html.Div(
                                        [_date(START, "From"), _date(END, "To")],
                                        className="dates",
                                    ),
                                ]
                            ),
                            html.Fieldset(
                                [
                                    html.Legend("As it was believed"),
                                    html.Div(_date(ASOF, "At the end of"), className="dates"),
                                ]
                            ),
                        ],
                        className="controls",
                        **aria(label="What the chart shows"),
                    ),
                    html.Div(id=BELIEVED, role="status"),
                    _picture(),
                ],
                id=DRAWING,
                hidden=True,
            ),
            html.Div(id=RESTATED),
            html.Div(id=TABLE),
        ],
        id=RECORD,
        hidden=True,
    )


def _picture() -> Component:
    nothing = {"data": [], "layout": {"xaxis": {"visible": False}, "yaxis": {"visible": False}}}
    graph = dcc.Graph(
        id=CHART,
        figure=nothing,
        responsive=True,
        config={"displayModeBar": False, "responsive": True, "doubleClick": False},
    )
    return html.Div(
        [
            html.Figure([html.Div(graph, className="chart"), html.Figcaption(id=NOTES, className="notes")]),
            html.Div(
                [
                    html.Span("Take it home:"),
                    html.Span(id=DOWNLOADS),
                    html.Button("PNG", id=PNG, type="button", className="link"),
                ],
                className="downloads",
            ),
        ],
        id=PICTURE,
    )


def _status() -> Component:
    return html.Section(
        [
            html.H1("The state of the pipeline", className="headline"),
            html.Div(id=ASSESSMENT),
            html.H2("The history of a day"),
            html.Div(_date(DAY, "Date"), className="dates"),
            html.Div(id=HISTORY),
        ],
        id=STATUS,
        hidden=True,
    )


def _switch(name: str, legend: str, options: dict[str, str], value: str) -> Component:
    return html.Fieldset(
        [
            html.Legend(legend),
            dbc.RadioItems(
                id=name,
                name=name,  # one group to the browser: arrow keys move within it
                options=[{"label": label, "value": key} for key, label in options.items()],
                value=value,
                className="switch",
            ),
        ]
    )


def _date(name: str, label: str) -> Component:
    return html.Span(
        [
            html.Label(label, htmlFor=name),
            dbc.Input(
                id=name,
                type="date",  # pyright: ignore[reportArgumentType] documented, and tried, but not in its stub
                value="",
                max=dt.date.max.isoformat(),  # without it a year has six digits
            ),
        ]
    )


def _footer() -> list[Component]:
    return [html.P(words.CREDIT)]

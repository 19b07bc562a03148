"""The dashboard: a Dash application around a ledger and its tables, and the one that gunicorn serves."""

import datetime as dt
import re
from dataclasses import replace
from functools import cache
from typing import Any

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update
from flask import Flask, request
from markupsafe import escape

from dashboard import citing, pages, view
from dashboard.cache import PATIENCE, Clock, Desk, LedgerReads, TableReads
from dashboard.markup import element
from dashboard.pages import PAGES, frame, ids, record
from dashboard.routes import data, history, http, vintages
from dashboard.settings import Settings
from storage.aws import client
from storage.ledger import Ledger
from storage.tables import open_tables

INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        {%css%}
    </head>
    <body>
        {%app_entry%}
        {%first%}
        <noscript><p class="sheet">To move through the record needs JavaScript. The figures don't: they are at
        <a href="/data/days.csv">/data/days.csv</a>, the pipeline's state at
        <a href="/status.json">/status.json</a>.</p></noscript>
        <div>
            {%config%}
            {%scripts%}
            {%renderer%}
        </div>
    </body>
</html>"""


SECTIONS = (*(page.SECTION for page in PAGES.values()), ids.ELSEWHERE)
CONTENT = (*frame.CONTENT, *(name for page in PAGES.values() for name in page.CONTENT), ids.ELSEWHERE)

# Scripts that Dash would have every page load: what browsers lacked long ago, and a table of its own.
NEEDLESS = re.compile(r'<script src="[^"]*/(?:polyfill@|dash_table/)[^"]*"></script>\n?')
PATIENCE_FOR_FIRST = 0.5  # seconds that the page's first bytes wait for the record


class Application(Dash):
    """Dash with a title for each page, and with what the page says before any script has run."""

    desk: Desk

    def interpolate_index(self, **parts: Any) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        page = pages.at(request.path)
        title = f"Daybook: {(page or record).TITLE}"
        if page is record and request.args:
            title = citing.heading(view.read(request.query_string.decode("ascii", "replace")))
        parts["title"] = str(escape(title))
        parts["metas"] += str(element("meta", property="og:title", content=title) + frame.HEAD)
        parts["scripts"] = NEEDLESS.sub("", parts["scripts"])
        return (
            super().interpolate_index(**parts).replace("{%first%}", self._first() if page is record else "")
        )

    def _first(self) -> str:
        """The record as a sibling of the root in which the page grows: assets/daybook.js hides it."""
        asked = view.read(request.query_string.decode("ascii", "replace"))
        snapshot = self.desk.look(
            entries=asked.asof is not None or asked.known is not None, patience=PATIENCE_FOR_FIRST
        )
        return f'<div id="first" class="sheet">{record.first(snapshot, asked)}</div>' if snapshot.rows else ""


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 the only clock of the page; all else gets the time as an argument


def create_app(
    ledger: LedgerReads,
    tables: TableReads,
    settings: Settings,
    clock: Clock = now,
    refresh_seconds: float = frame.REFRESH_SECONDS,
    patience: tuple[float, float] = PATIENCE,
) -> Dash:
    """The dashboard of one stack. Nothing is read before somebody looks."""
    app = Application(
        "dashboard",
        assets_folder=str(http.ASSETS),
        external_scripts=[{"src": http.PLOTLY_URL}],
        index_string=INDEX,
        update_title="",
        meta_tags=[
            {"name": "color-scheme", "content": "light dark"},
            {"name": "description", "content": "The U.S. COVID-19 record, with every correction kept."},
        ],
        enable_mcp=False,
    )
    app.layout = frame.layout(
        pages.LINKS,
        [page.section() for page in PAGES.values()],
        refresh_seconds,
    )
    desk = app.desk = Desk(ledger, tables, settings, clock, patience)
    _callbacks(app, desk)
    data.register(app.server, desk)
    vintages.register(app.server, desk)
    history.register(app.server, desk, [app.get_asset_url(name) for name in http.STYLES])
    http.register(app, desk)
    return app


def _callbacks(app: Dash, desk: Desk) -> None:
    search = ids.URL, "search"
    controls = {name: (name, "value") for name in ids.CONTROLS}

    @app.callback(
        output=(Output(*search), {name: Output(*control) for name, control in controls.items()}),
        inputs=(
            Input(*search),
            {name: Input(*control) for name, control in controls.items()},
            Input(ids.AGAIN, "data"),
        ),
    )
    def controls_and_address(query: Any, texts: dict[str, Any], _again: Any) -> Any:
        """The address as the controls say, or the controls as the address says: whichever moved."""
        moved = ctx.triggered_id
        asked = view.read(query)
        chosen = asked
        if moved not in (None, ids.URL):
            chosen = replace(view.moved(texts, moved), known=asked.known)
        address = no_update if chosen.query() == asked.query() else chosen.query()
        # Nothing is written into a field needlessly, and nothing into the one that moved: its reader may
        # still be typing.
        return address, {
            name: no_update if value == texts[name] or name == moved else value
            for name, value in chosen.texts().items()
        }

    app.clientside_callback(
        ClientsideFunction("daybook", "keep"), Input(ids.ENTRIES, "data"), Input(ids.TEMPLATE, "data")
    )

    @app.callback(
        output={
            "content": {name: Output(*frame.PROPERTIES.get(name, (name, "children"))) for name in CONTENT},
            "hidden": {name: Output(name, "hidden") for name in SECTIONS},
        },
        inputs=(
            Input(ids.URL, "pathname"),
            Input(*search),
            Input(ids.TICK, "n_intervals"),
            Input(ids.AGAIN, "data"),
            State(ids.VERSION, "data"),
        ),
    )
    def everything_drawn(path: Any, query: Any, _tick: Any, _again: Any, drawn: Any) -> Any:
        """Everything that depends on what there is, on the page and on what was chosen."""
        page, asked = pages.at(path), view.read(query)
        snapshot = desk.look(**(page.needs(asked) if page else {}))
        values = dict.fromkeys(CONTENT, no_update)
        if ctx.triggered_id == ids.TICK and drawn == frame.version(snapshot):
            return {"content": values, "hidden": dict.fromkeys(SECTIONS, no_update)}
        around = frame.content(snapshot, state=page is not None and page.SECTION == ids.STATUS)
        values |= around
        values |= page.content(snapshot, asked) if page else {ids.ELSEWHERE: frame.nothing_here()}
        if around[ids.VERSION] == drawn:
            values[ids.ENTRIES] = no_update  # the page has them
        section = page.SECTION if page else ids.ELSEWHERE
        return {"content": values, "hidden": {name: name != section for name in SECTIONS}}


@cache
def served() -> Flask:
    """The stack's dashboard, as the environment names it."""
    settings = Settings.read()
    ledger = Ledger(client("dynamodb"), settings.ledger_table)
    server = create_app(ledger, open_tables(vars(settings), client), settings).server
    http.warm(server)
    return server


def __getattr__(name: str) -> Any:
    """``application``, which gunicorn serves, is made when it is first asked for: an import does nothing."""
    if name == "application":
        return served()
    raise AttributeError(name)

"""The dashboard: a Dash application around a ledger and its tables, and the one that gunicorn serves."""

import datetime as dt
from functools import cache
from typing import Any

from dash import Dash
from flask import Flask, request

from dashboard import callbacks, layout, routes
from dashboard.cache import PATIENCE, Clock, Desk, LedgerReads, TableReads
from dashboard.pages import STATUS, Pages
from dashboard.settings import Settings
from storage.aws import client
from storage.ledger import Ledger
from storage.tables import open_tables

INDEX = """<!DOCTYPE html>
<html lang="en">
    <head>
        {%metas%}
        <title>{%title%}</title>
        {%favicon%}
        {%css%}
    </head>
    <body>
        {%app_entry%}
        <noscript><p class="sheet">The chart needs JavaScript. The figures don't: they are at
        <a href="/data/latest.csv">/data/latest.csv</a>, the pipeline's state at
        <a href="/status.json">/status.json</a>.</p></noscript>
        <div>
            {%config%}
            {%scripts%}
            {%renderer%}
        </div>
    </body>
</html>"""


class Application(Dash):
    """Dash with a title for each page."""

    def interpolate_index(self, **parts: Any) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        parts["title"] = "Daybook: the pipeline's state" if request.path == STATUS else self.title
        return super().interpolate_index(**parts)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 the one place; everything else is told


def create_app(
    ledger: LedgerReads,
    tables: TableReads,
    settings: Settings,
    clock: Clock = now,
    refresh_seconds: float = layout.REFRESH_SECONDS,
    patience: tuple[float, float] = PATIENCE,
) -> Dash:
    """The dashboard of one stack. Nothing is read before somebody looks."""
    app = Application(
        "dashboard",
        assets_folder=str(routes.ASSETS),
        external_scripts=[{"src": routes.PLOTLY_URL}],
        index_string=INDEX,
        title="Daybook: the U.S. COVID-19 record",
        update_title="",
        meta_tags=[
            {"name": "color-scheme", "content": "light dark"},
            {"name": "description", "content": "The U.S. COVID-19 record, with every correction kept."},
        ],
        enable_mcp=False,
    )
    app.layout = layout.page(refresh_seconds)
    pages = Pages(Desk(ledger, tables, clock, patience), settings)
    callbacks.register(app, pages)
    routes.register(app, pages)
    return app


@cache
def served() -> Flask:
    """The stack's dashboard, as the environment names it."""
    settings = Settings.read()
    ledger = Ledger(client("dynamodb"), settings.ledger_table)
    server = create_app(ledger, open_tables(vars(settings), client), settings).server
    routes.warm(server)
    return server


def __getattr__(name: str) -> Any:
    """``application``, which gunicorn serves, is made when it is first asked for: an import does nothing."""
    if name == "application":
        return served()
    raise AttributeError(name)

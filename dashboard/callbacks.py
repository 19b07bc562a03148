"""Who speaks to whom, and nothing else."""

from dash import Dash, Input, Output, State

from dashboard import layout
from dashboard.pages import DRAWN, Pages


def register(app: Dash, pages: Pages) -> None:
    search = layout.URL, "search"
    controls = [(name, "value") for name in layout.CONTROLS]

    @app.callback(
        Output(*search),
        *(Output(*control) for control in controls),
        Input(*search),
        *(Input(*control) for control in controls),
        Input(layout.AGAIN, "data"),
    )
    def controls_and_address(search: object, *values: object) -> object:
        return pages.controls(search, *values[:-1])

    @app.callback(
        *DRAWN,
        Input(layout.URL, "pathname"),
        Input(*search),
        Input(layout.TICK, "n_intervals"),
        Input(layout.AGAIN, "data"),
        State(layout.VERSION, "data"),
    )
    def everything_drawn(*values: object) -> object:
        return pages.draw(*values)

"""Four months of the sources' publishing history, which headline, plots and alternatives are about."""

import datetime as dt

import click

from benchmarks.inputs import DATA
from local.sources import history
from local.sources.history import History

START, END, NOON = dt.date(2020, 9, 2), dt.date(2020, 12, 31), dt.time(12)


def read() -> tuple[History, History]:
    """Both histories: the New York Times' national file, Johns Hopkins by country."""
    published = DATA / "published"
    if not published.is_dir():
        raise click.ClickException(f"no publishing history in {published}: set DAYBOOK_DATA")
    nyt, jhu = (published / f"{name}.tar.xz" for name in ("nyt_us", "jhu_countries_aggregated"))
    return history.read(nyt), history.read(jhu)

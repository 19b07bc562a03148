"""Four months of the sources' publishing history, which headline, plots and alternatives are about."""

import datetime as dt

import click

from benchmarks.inputs import DATA, ROOT
from functions.history import NOON, commits
from local.play import moments
from local.sources import download, history
from local.sources.feeds import Versions
from local.sources.history import History
from local.stack.program import default
from ops.terminal import progress

START, END = dt.date(2020, 9, 2), dt.date(2020, 12, 31)
CACHE = ROOT / ".daybook" / "history"


def archived() -> tuple[History, History]:
    """Every version of both: the New York Times' national file, Johns Hopkins by country."""
    published = DATA / "published"
    if not published.is_dir():
        raise click.ClickException(f"no publishing history in {published}: set DAYBOOK_DATA")
    nyt, jhu = (published / f"{name}.tar.xz" for name in ("nyt_us", "jhu_countries_aggregated"))
    return history.read(nyt), history.read(jhu)


def read() -> tuple[Versions, Versions]:
    """The archives where they are; otherwise each noon's version by its public commit, fetched once.

    Raises download.Unreachable.
    """
    if (DATA / "published").is_dir():
        return archived()
    base = default("history_base")
    nyt, jhu = (download.CommitHistory(each, base, CACHE) for each in commits().values())
    runs = moments(START, END, NOON)
    with progress(f"Fetching the history into {CACHE}: some 200 MB, once", len(runs)) as move:
        for moment in runs:
            nyt.at(moment)
            jhu.at(moment)
            move(1)
    return nyt, jhu

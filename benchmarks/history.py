"""Four months of the sources' publishing history, which headline, plots and alternatives are about."""

import datetime as dt
from typing import Protocol

import click

from benchmarks.inputs import DATA, ROOT
from local.play import moments
from local.sources import download, history
from local.sources.history import History
from ops.terminal import progress

START, END, NOON = dt.date(2020, 9, 2), dt.date(2020, 12, 31), dt.time(12)
CACHE = ROOT / ".daybook" / "history"


class Versions(Protocol):
    """Every version of a file, by the moment of its publication."""

    def at(self, moment: dt.datetime, /) -> bytes | None: ...


def archived() -> tuple[History, History]:
    """Every version of both: the New York Times' national file, Johns Hopkins by country."""
    published = DATA / "published"
    if not published.is_dir():
        raise click.ClickException(f"no publishing history in {published}: set DAYBOOK_DATA")
    nyt, jhu = (published / f"{name}.tar.xz" for name in ("nyt_us", "jhu_countries_aggregated"))
    return history.read(nyt), history.read(jhu)


def read(base: str = download.RAW) -> tuple[Versions, Versions]:
    """The archives where they are; otherwise each noon's version by its public commit, fetched once.

    Raises download.Unreachable.
    """
    if (DATA / "published").is_dir():
        return archived()
    nyt, jhu = (download.commits(source, base, CACHE) for source in ("nyt", "jhu"))
    runs = moments(START, END, NOON)
    with progress(
        f"Fetching the history into {CACHE.relative_to(ROOT)}: some 250 MB, once", len(runs)
    ) as move:
        for moment in runs:
            nyt.at(moment)
            jhu.at(moment)
            move(1)
    return nyt, jhu

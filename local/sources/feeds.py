"""What feeds the local cloud: the sample, the live addresses, the real history, or files of one's own."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import functions.history
from local.clock import Clock
from local.play import moments
from local.sources import download, sample
from local.sources.publisher import Publisher

CREDIT = (
    "Cases and deaths: The New York Times (non-commercial use). Recoveries: CSSE at Johns Hopkins "
    "University, by way of datasets/covid-19 (CC BY 4.0)."
)


class Versions(Protocol):
    """Every version of a file, by the moment of its publication."""

    def at(self, moment: dt.datetime, /) -> bytes | None: ...


@dataclass(frozen=True)
class Feed:
    """``moments`` are the runs to make, on a virtual clock; none: one run now, then by the schedule."""

    name: str
    config: dict[str, str]
    publish: Callable[[dt.datetime], None]
    moments: Sequence[dt.datetime] = ()
    label: str = ""
    credit: str = ""
    own: str = ""  # which pair of one's own it is

    @property
    def folder(self) -> str:
        """Where its state is kept, below the others'."""
        return self.name if not self.own else f"own-{hashlib.sha256(self.own.encode()).hexdigest()[:8]}"

    def clock(self, last_run: dt.datetime | None) -> Clock:
        """Where time begins: at the first run, or where an earlier start ended."""
        return Clock.virtual(last_run or self.moments[0]) if self.moments else Clock.real()


class UnusableSources(Exception):
    """What was asked for can't be a pair of sources; the text says what can."""


def publishing(publisher: Publisher, nyt: Versions, jhu: Versions) -> Callable[[dt.datetime], None]:
    """Have the publisher serve what had been published by a moment."""

    def publish(moment: dt.datetime) -> None:
        for name, versions in (("nyt", nyt), ("jhu", jhu)):
            found = versions.at(moment)
            publisher.files.pop(name, None)
            if found is not None:
                publisher.files[name] = found

    return publish


def synthetic(publisher: Publisher) -> Feed:
    """The sample: a year's first wave after the other, none of it real."""
    nyt, jhu = sample.histories()
    runs = [moment + dt.timedelta(minutes=30) for moment in nyt.moments]
    return Feed("sample", publisher.config(), publishing(publisher, nyt, jhu), runs, sample.LABEL)


def live(nyt_url: str, jhu_url: str) -> Feed:
    """The two addresses. Raises download.Unreachable where nobody answers there."""
    for url in (nyt_url, jhu_url):
        download.reach(url)
    return Feed("live", {"nyt_url": nyt_url, "jhu_url": jhu_url}, _nothing, credit=CREDIT)


def history(publisher: Publisher, base: str, cache: Path, start: dt.date, end: dt.date) -> Feed:
    """The sources' real publishing history, each version by its public commit, one run a day."""
    nyt, jhu = (
        download.CommitHistory(commits, base, cache) for commits in functions.history.commits().values()
    )
    return Feed(
        "history",
        publisher.config(),
        publishing(publisher, nyt, jhu),
        moments(start, end, functions.history.NOON),
        credit=CREDIT,
    )


def own(publisher: Publisher, pair: str) -> Feed:
    """Two addresses or two files, The New York Times' first. Raises UnusableSources, download.Unreachable."""
    places = [place.strip() for place in pair.split(",")]
    if len(places) != 2 or not all(places):
        raise UnusableSources(
            f"{pair!r} is neither sample, live nor history, nor two addresses or files with a comma between"
        )
    if all(urlsplit(place).scheme in ("http", "https") for place in places):
        for url in places:
            download.reach(url)
        hosts = sorted({str(urlsplit(url).hostname) for url in places})
        plain = sorted({str(urlsplit(url).hostname) for url in places if url.startswith("http://")})
        config = dict(zip(("nyt_url", "jhu_url"), places, strict=True))
        config |= {"allowed_hosts": _list(hosts), "insecure_hosts": _list(plain)}
        return Feed("own", config, _nothing, own=pair)
    files = [Path(place) for place in places]
    if missing := [str(path) for path in files if not path.is_file()]:
        raise UnusableSources(f"no such file: {', '.join(missing)}")
    publisher.files.update(zip(("nyt", "jhu"), files, strict=True))  # read again for each request
    return Feed("own", publisher.config(), _nothing, own=pair)


def _nothing(moment: dt.datetime) -> None:
    """Others publish."""


def _list(hosts: list[str]) -> str:
    return "[" + ", ".join(f'"{host}"' for host in hosts) + "]"

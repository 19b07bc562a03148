"""What the sources publish in the model: a dict of figures, the files that say it, and how files break."""

import datetime as dt
from collections.abc import Callable

from builders import jhu, nyt

Figures = tuple[int, int, int | None]  # cases, deaths, recovered; None is published as 0 and not reported
Files = dict[str, bytes]


class Published:
    """``figures`` is the model; ``ever`` is what was published for a date at any time."""

    def __init__(self) -> None:
        self.figures: dict[dt.date, Figures] = {}
        self.ever: dict[dt.date, set[Figures]] = {}
        self.late: set[dt.date] = set()  # first published, or published again, behind later dates
        self.skipped: list[dt.date] = []
        self.broken: tuple[str, dt.date] | None = None

    @property
    def newest(self) -> dt.date:
        return max([*self.figures, *self.skipped])

    def enter(self, date: dt.date, figures: Figures) -> None:
        """Recoveries are taken back only after some were reported: the first date always has some."""
        cases, deaths, recovered = figures
        old = self.figures.get(date)
        reported = not self.figures or date <= min(self.figures) or (old is not None and old[2] is not None)
        if recovered is None and reported:
            recovered = old[2] if old and old[2] else 1
        self.figures[date] = (cases, deaths, recovered)
        self.figures = dict(sorted(self.figures.items()))
        self.ever.setdefault(date, set()).add((cases, deaths, recovered))

    def enter_late(self, figures: Figures) -> None:
        date = self.skipped.pop(0)
        self.late.add(date)
        self.enter(date, figures)

    def restate(self, place: int, figures: Figures) -> None:
        self.enter(self._date(place), figures)

    def break_(self, kind: str, place: int) -> None:
        """Until it is mended, both files are served so. Where it takes two dates, one is not broken."""
        date = self._date(place)
        if date == min(self.figures):  # what recoveries begin with stays
            date = max(self.figures)
        if len(self.figures) > 1:
            self.broken = (kind, date)
            self.late |= {date} if kind in WITHDRAWING else set()

    def files(self) -> Files:
        rows = [f"{date},{cases},{deaths}" for date, (cases, deaths, _) in self.figures.items()]
        recoveries = [f"{date},{recovered or 0}" for date, (_, _, recovered) in self.figures.items()]
        if self.broken is None:
            return {"nyt": nyt(*rows), "jhu": jhu(*recoveries)}
        kind, date = self.broken
        if kind in WITHDRAWING:
            source = WITHDRAWING[kind]
            kept = {"nyt": rows, "jhu": recoveries}
            kept[source] = [row for row in kept[source] if not row.startswith(str(date))]
            return {"nyt": nyt(*kept["nyt"]), "jhu": jhu(*kept["jhu"])}
        return BREAKS[kind]({"nyt": nyt(*rows), "jhu": jhu(*recoveries)})

    def _date(self, place: int) -> dt.date:
        dates = sorted(self.figures)
        return dates[-1 - place % len(dates)]


def _changed(source: str, change: Callable[[bytes], bytes]) -> Callable[[Files], Files]:
    return lambda files: files | {source: change(files[source])}


def _away(source: str) -> Callable[[Files], Files]:
    return lambda files: {name: payload for name, payload in files.items() if name != source}


def _last_cell(value: bytes) -> Callable[[bytes], bytes]:
    """The newest row's cases are this instead."""

    def change(payload: bytes) -> bytes:
        before, _, last = payload.rpartition(b"\n")
        date, _, deaths = last.split(b",")
        return b"\n".join([before, b",".join([date, value, deaths])])

    return change


def _twice(payload: bytes) -> bytes:
    return payload + b"\n" + _last_cell(b"998877")(payload).rpartition(b"\n")[2]


WITHDRAWING = {"a day is missing from nyt": "nyt", "a day is missing from jhu": "jhu"}
BREAKS: dict[str, Callable[[Files], Files]] = {
    "nyt is away": _away("nyt"),
    "jhu is away": _away("jhu"),
    "nyt is empty": _changed("nyt", lambda _: b""),
    "jhu is a page of HTML": _changed("jhu", lambda _: b"<!DOCTYPE html>\n<p>Sorry</p>\n"),
    "nyt is cut off": _changed("nyt", lambda payload: payload[: payload.rfind(b",")]),
    "nyt's column has another name": _changed("nyt", lambda payload: payload.replace(b"cases", b"case", 1)),
    "jhu names no U.S.": _changed("jhu", lambda payload: payload.replace(b",US,", b",UK,")),
    "jhu holds NUL bytes": _changed("jhu", lambda payload: payload[:60] + b"\0" + payload[60:]),
    "nyt's newest count is negative": _changed("nyt", _last_cell(b"-3")),
    "nyt's newest count is a thousand times too high": _changed("nyt", _last_cell(b"998877")),
    "nyt has its newest date twice": _changed("nyt", _twice),
} | {kind: lambda files: files for kind in WITHDRAWING}

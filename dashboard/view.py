"""What a reader has chosen to see, to and from the address. Pure.

Whatever the address says, a view comes of it: what is unknown or hostile is as if it weren't there.
"""

import datetime as dt
import re
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from schemas.moment import end_of, moment, written

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z", re.ASCII)
PAGE = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
MAX_QUERY = 500  # characters; the longest of ours has 130
EARLIEST = dt.date(1000, 1, 1)  # a year that is still being typed is smaller

TOTAL, NEW, AVERAGE = "total", "new", "average"
LINEAR, LOG = "linear", "log"
COUNT, PER_100K = "count", "per100k"
SPANS = {"": None, "30": 30, "90": 90, "365": 365}  # days; "" is all there is

DATES = ("start", "end", "asof")
WORDS: dict[str, tuple[str, ...]] = {
    "show": (TOTAL, NEW, AVERAGE),
    "scale": (LINEAR, LOG),
    "per": (COUNT, PER_100K),
    "span": tuple(SPANS),
}


@dataclass(frozen=True)
class View:
    """The fields are the names in the query string, in its order. ``span`` counts days back from the
    newest; ``start`` and ``end`` (inclusive) take its place. ``asof``: the record as it stood when that
    date ended, UTC. ``known``: the moment whose record stands for today's, so that an address gives the same
    figures for ever."""

    show: str = NEW
    scale: str = LINEAR
    per: str = COUNT
    span: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    asof: dt.date | None = None
    known: dt.datetime | None = None
    page: int = 1

    @property
    def moment(self) -> dt.datetime | None:
        """The last millisecond of the date that was chosen for "as it was believed"."""
        return None if self.asof is None else end_of(self.asof)

    def texts(self) -> dict[str, str]:
        """What each control says, by its id: the names are those of the fields. Where there are dates, none
        of the presets is marked."""
        dates = {name: getattr(self, name) for name in DATES}
        return {"show": self.show, "scale": self.scale, "per": self.per} | {
            "span": "dates" if self.start or self.end else self.span,
            **{name: "" if date is None else date.isoformat() for name, date in dates.items()},
        }

    def query(self, *, whole: bool = False) -> str:
        """``?show=new&…``: only what differs from the defaults, empty when nothing does; or the ``whole`` of
        it, so that other defaults change nothing."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        chosen = {
            name: written(value) if isinstance(value, dt.datetime) else str(value)
            for name, (value, default) in values.items()
            if value != default or (whole and name in WORDS)
        }
        return "?" + urlencode(chosen) if chosen else ""

    def within(self, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
        """The first and last date to be shown of a record from first to last; the first lies behind the last
        where the record has none of them."""
        days = SPANS[self.span]
        start = self.start or (first if days is None else last - dt.timedelta(days=days - 1))
        return max(first, start), min(last, self.end or last)


def read(search: object) -> View:
    """The view in a query string, with or without its question mark."""
    if not isinstance(search, str) or len(search) > MAX_QUERY:
        return View()
    try:
        found = dict(reversed(parse_qsl(search.removeprefix("?"), keep_blank_values=True, max_num_fields=40)))
    except ValueError:
        return View()
    return chosen(found)


def chosen(found: dict[str, Any]) -> View:
    """The view in texts by name; the controls' values are such texts too."""
    values: dict[str, Any] = {name: found[name] for name in WORDS if found.get(name) in WORDS[name]}
    for name in DATES:
        values[name] = date(found.get(name))
    if MOMENT.fullmatch(str(found.get("known"))):
        values["known"] = instant(found["known"])
    if PAGE.fullmatch(str(found.get("page"))):
        values["page"] = int(found["page"])
    if values["start"] or values["end"]:
        values.pop("span", None)
    return View(**values)


def moved(texts: dict[str, Any], name: str) -> View:
    """The view in the controls' texts, the named one moved last: a preset takes the place of dates."""
    view = chosen(texts)
    return replace(view, start=None, end=None, span=texts["span"]) if name == "span" else view


def date(text: object) -> dt.date | None:
    """A date written YYYY-MM-DD, with a whole year; None for anything else."""
    if not isinstance(text, str) or not DATE.fullmatch(text):
        return None
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return found if found >= EARLIEST else None


def instant(text: str) -> dt.datetime | None:
    """A moment as ``written`` writes it; None for one that there isn't."""
    try:
        return moment(text)
    except ValueError:
        return None

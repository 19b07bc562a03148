"""Sentences and numbers as people read them. Pure; plain text, never markup."""

import datetime as dt
from collections.abc import Iterable, Sequence

from dashboard.series import ENOUGH_DEATHS, POPULATION_TEXT, Figure, Seen, Shown, Stretch
from dashboard.view import AVERAGE, LOG, NEW, PER_100K, View
from schemas.ledger import is_backfilled
from schemas.text import plural
from storage.tables import Row

CREDIT_NYT = "Cases and deaths: The New York Times, for non-commercial use."
CREDIT_JHU = "Recoveries: CSSE at Johns Hopkins University, CC BY 4.0."
CREDIT = f"{CREDIT_NYT} {CREDIT_JHU}"

CAUTION = (
    f"Case fatality: deaths to date per 100 cases to date, from {ENOUGH_DEATHS:,} deaths on. It is not the "
    "risk of dying of the disease: many infections never became cases, and deaths follow cases by weeks."
)

MAX_STRETCHES = 6
MINUS = "\u2212"
UNITS = ((1_000_000, "M"), (1_000, "k"))


def number(value: Figure, decimals: int = 0) -> str:
    """``12,345``, with a true minus sign; a dash where nothing is known."""
    if value is None:
        return "\u2013"
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def signed(value: Figure, decimals: int = 0) -> str:
    """``+12``; ``±0`` for no change."""
    if value is None:
        return "not known"
    text = number(value, decimals)
    if text.strip(MINUS + "0.") == "":
        return "±0"
    return text if value < 0 else "+" + text


def date(day: dt.date) -> str:
    """``2 September 2020``, which no line break cuts in two."""
    return f"{day.day}\u00a0{day:%B}\u00a0{day.year}"


def short_date(day: dt.date) -> str:
    """``2 Sep 2020``."""
    return f"{day.day}\u00a0{day:%b}\u00a0{day.year}"


def when(moment: dt.datetime | None) -> str:
    """``2 September 2020, 12:00 UTC``: a moment within a sentence."""
    if moment is None:
        return "never"
    utc = moment.astimezone(dt.UTC)
    return f"{date(utc)}, {utc:%H:%M}\u00a0UTC"


def moment(when: dt.datetime | None) -> str:
    """``2020-09-02 12:00 UTC``."""
    return "never" if when is None else f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def ago(when: dt.datetime, now: dt.datetime) -> str:
    """``5 minutes ago``, in the largest unit that fits."""
    seconds = max(0, int((now - when).total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{plural(seconds // size, unit)} ago"
    return "just now"


def from_history(entries: Iterable[Row]) -> list[str]:
    """That entries were made from the sources' public history; nothing where none was."""
    moments = [row.recorded_at for row in entries if row.run and is_backfilled(row.run)]
    if not moments:
        return []
    return [
        f"Entries of {date(min(moments))} to {date(max(moments))} were made later, from the sources' public "
        "history: each bears the moment at which its files stood there."
    ]


def stretch(dates: Stretch) -> str:
    return date(dates.first) if dates.first == dates.last else f"{date(dates.first)} to {date(dates.last)}"


def stretches(found: Sequence[Stretch]) -> str:
    """The first few, and how many more."""
    text = ", ".join(map(stretch, found[:MAX_STRETCHES]))
    more = len(found) - MAX_STRETCHES
    return f"{text} and {more:,} further stretch{'es' if more > 1 else ''}" if more > 0 else text


def unit(series: str, view: View) -> str:
    """What a panel's figures are."""
    if series == "fatality":
        return "deaths per 100 cases, to date"
    measure = {NEW: "new a day", AVERAGE: "new a day, 7-day average"}.get(view.show, "total to date")
    return f"{measure}, per 100,000 people" if view.per == PER_100K else f"{measure}, persons"


def heading(series: str, view: View) -> str:
    """The same above a panel, where a telephone has room for some forty letters with the panel's name."""
    if series == "fatality":
        return unit(series, view)
    measure = {NEW: "new a day", AVERAGE: "7-day average"}.get(view.show, "total to date")
    return f"{measure} per 100,000" if view.per == PER_100K else f"{measure}, persons"


def title(view: View) -> str:
    return f"COVID-19 in the United States: {unit('', view)}"


def notes(view: View, figures: Shown) -> list[str]:
    """What a reader must know to read the chart as it is drawn."""
    found = []
    if view.scale == LOG:
        text = "Logarithmic: equal steps upward are equal ratios, so steady growth is a straight line."
        left_out = sum(
            value is not None and value <= 0
            for name, values in figures.figures.items()
            if name != "fatality"
            for value in values
        )
        if left_out:
            text += (
                f" It has no place for zero or less: {plural(left_out, 'figure')} left out of the drawing."
            )
        found.append(text + " Case fatality stays linear.")
    if view.per == PER_100K:
        found.append(f"Per 100,000 of {POPULATION_TEXT}. Case fatality is a ratio and stays as it is.")
    if view.show == AVERAGE:
        found.append(
            "Each average covers the seven days that end on its date; with one of them unknown there is none."
        )
    if view.show == NEW:
        found.append(
            "The change on the day before. A fall is a correction by the source, shown as it was published."
        )
    found.append(CAUTION)
    return found


def stem(seen: Seen, what: str = "") -> str:
    """``new-per100k-2020-09-01-to-2020-12-29-as-of-2021-01-02``: a name from what was chosen."""
    view, dates = seen.view, seen.now.dates
    return "-".join(
        filter(
            None,
            [
                what,
                view.show,
                PER_100K if view.per == PER_100K else "",
                f"{dates[0]}-to-{dates[-1]}" if dates else "",
                f"as-of-{view.asof}" if view.asof else "",
            ],
        )
    )


def named(what: str, *, synthetic: bool) -> str:
    """What a download is called; that it is made up goes with it."""
    return "-".join(filter(None, ["daybook", "synthetic" if synthetic else "", what]))


def short(value: float, digits: int = 6) -> str:
    """A number on an axis, to so many digits: ``20k``, ``1.5M``."""
    size, unit = next(((size, unit) for size, unit in UNITS if abs(value) >= size), (1, ""))
    return f"{value / size:.{digits}g}{unit}".replace("-", MINUS)

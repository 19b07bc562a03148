"""Sentences and numbers as people read them. Pure; plain text, never markup."""

import datetime as dt
from collections.abc import Sequence

from dashboard.choice import AVERAGE, LOG, NEW, PER_100K, Choice
from dashboard.series import POPULATION_TEXT, Figure, Shown, Stretch

CREDIT_NYT = "Cases and deaths: The New York Times, for non-commercial use."
CREDIT_JHU = "Recoveries: CSSE at Johns Hopkins University, CC BY 4.0."
CREDIT = f"{CREDIT_NYT} {CREDIT_JHU}"

MAX_STRETCHES = 6
MINUS = "\u2212"


def number(value: Figure, decimals: int = 0) -> str:
    """``12,345``, with a true minus sign; a dash where nothing is known."""
    if value is None:
        return "\u2013"
    return f"{value:,.{decimals}f}".replace("-", MINUS)


def decimals(series: str, choice: Choice) -> int:
    """How many a figure is worth."""
    if series == "fatality":
        return 2
    if choice.per == PER_100K:
        return 2
    return 1 if choice.show == AVERAGE else 0


def signed(value: Figure, decimals: int = 0) -> str:
    """``+12``; ``±0`` for no change."""
    if value is None:
        return "not known"
    text = number(value, decimals)
    if text.strip(MINUS + "0.") == "":
        return "±0"
    return text if value < 0 else "+" + text


def moment(when: dt.datetime | None) -> str:
    """``2020-09-02 12:00 UTC``."""
    return "never" if when is None else f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"


def ago(when: dt.datetime, now: dt.datetime) -> str:
    """``5 minutes ago``, in the largest unit that fits."""
    seconds = max(0, int((now - when).total_seconds()))
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{count(seconds // size, unit)} ago"
    return "just now"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def stretches(found: Sequence[Stretch]) -> str:
    """The first few, and how many more."""
    text = ", ".join(map(str, found[:MAX_STRETCHES]))
    more = len(found) - MAX_STRETCHES
    return f"{text} and {count(more, 'further stretch') + ('es' if more > 1 else '')}" if more > 0 else text


def unit(series: str, choice: Choice) -> str:
    """What a panel's figures are."""
    if series == "fatality":
        return "deaths to date per 100 cases to date"
    measure = {NEW: "new a day", AVERAGE: "new a day, 7-day average"}.get(choice.show, "total to date")
    return f"{measure}, per 100,000 people" if choice.per == PER_100K else f"{measure}, persons"


def notes(choice: Choice, figures: Shown) -> list[str]:
    """What a reader must know to read the chart as it is drawn."""
    found = []
    if choice.scale == LOG:
        text = "Logarithmic: equal steps upward are equal ratios, so steady growth is a straight line."
        left_out = sum(
            value is not None and value <= 0
            for name, values in figures.figures.items()
            if name != "fatality"
            for value in values
        )
        if left_out:
            text += f" It has no place for zero or less: {count(left_out, 'figure')} left out of the drawing."
        found.append(text + " Fatality stays linear.")
    if choice.per == PER_100K:
        found.append(f"Per 100,000 of {POPULATION_TEXT}. Fatality is a ratio and stays as it is.")
    if choice.show == AVERAGE:
        found.append(
            "Each average covers the seven days that end on its date; with one of them unknown there is none."
        )
    if choice.show == NEW:
        found.append(
            "The change on the day before. A fall is a correction by the source, shown as it was published."
        )
    return found

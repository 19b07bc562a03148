"""What the chart says of a date under the pointer. Pure.

plotly's unified hover takes each trace's nearest point, not the date's own (plotly.js #4787): what a trace
leaves out would be read from another day. So drawn traces are silent, and each panel has one that isn't
seen, with a number at every date and the date's own words.
"""

from collections.abc import Sequence
from typing import Any

from dashboard import words
from dashboard.choice import Choice
from dashboard.series import NAMES, Figure, Restated, Shown, decimals, rounded

SILENT = {"hoverinfo": "skip"}


def trace(
    name: str, colour: str, heights: Sequence[Figure], texts: Sequence[str], dates: Sequence[str]
) -> dict[str, Any]:
    """The unseen trace of a panel. ``heights`` are what is drawn; where nothing is, the last one before."""
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{NAMES[name]} in words",
        "x": list(dates),
        "y": carried(heights),
        "marker": {"color": colour, "size": 8, "opacity": 0},  # the style sheet shows it in the box alone
        "customdata": list(texts),
        "hovertemplate": "%{customdata}<extra>" + NAMES[name] + "</extra>",
    }


def carried(heights: Sequence[Figure]) -> list[float]:
    """A number for each place: its own, or else the last one, or else the first."""
    last: float = next((height for height in heights if height is not None), 1)
    numbers = []
    for height in heights:
        last = last if height is None else height
        numbers.append(last)
    return numbers


def texts(
    name: str, choice: Choice, now: Shown, then: Shown | None = None, restated: Sequence[Restated] = ()
) -> list[str]:
    """A date's figure or why there is none; where then's differs, both."""
    today = sides(name, choice, now)
    if then is None:
        return today
    entered = {change.date: words.when(change.entered_at) for change in restated if change.series == name}
    pairs = zip(sides(name, choice, then), today, now.dates, strict=True)
    return [
        before
        if before == after
        else f"{before} then, {after} now" + (f",<br>last entered {entered[date]}" if date in entered else "")
        for before, after, date in pairs
    ]


def sides(name: str, choice: Choice, shown: Shown) -> list[str]:
    """One record's figures in words."""
    places, unit = decimals(name, choice), " %" if name == "fatality" else ""
    return [
        silence or words.number(rounded(value, name, choice), places) + unit
        for value, silence in zip(shown.figures[name], shown.silences[name], strict=True)
    ]

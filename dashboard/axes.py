"""The chart's axes: one of time, and one of values in each panel. Pure."""

import datetime as dt
import math
from collections.abc import Sequence
from typing import Any

from dashboard.choice import AVERAGE, COUNT, LOG, Choice
from dashboard.series import SERIES

MUTED, RULE = "#57606a", "#e3e1da"
HEAD = 0.055  # of the height, above each panel for its heading
FEW_DAYS = 5  # up to here each has its own tick
FEW_PERSONS = 5  # up to here plotly would write half a person
A_DAY = 86_400_000  # milliseconds
HALF_A_DAY = dt.timedelta(hours=12)
UNITS = ((1_000_000, "M"), (1_000, "k"))


def domain(number: int) -> tuple[float, float]:
    """From where to where a panel reaches, of the chart's height."""
    height = 1 / len(SERIES)
    top = 1 - number * height
    return (round(top - height + (0.022 if number < len(SERIES) - 1 else 0), 4), round(top - HEAD, 4))


def values(name: str, number: int, choice: Choice, drawn: Sequence[float]) -> dict[str, Any]:
    """The axis of a panel in which these values are drawn."""
    logarithmic = choice.scale == LOG and name != "fatality"
    axis: dict[str, Any] = {
        "domain": domain(number),
        "type": "log" if logarithmic else "linear",
        "fixedrange": True,
        "gridcolor": RULE,
        "zerolinecolor": RULE,
        "nticks": 5,
        "exponentformat": "SI",
        "tickfont": {"color": MUTED, "size": 12},
    }
    if name == "fatality":
        axis["ticksuffix"] = "%"
    if not logarithmic:
        axis["rangemode"] = "tozero"
    if not drawn:
        return axis | {"showticklabels": False, "showgrid": False, "zeroline": False}
    if logarithmic:
        return axis | _ratios(min(drawn), max(drawn))
    persons = choice.per == COUNT and choice.show != AVERAGE and name != "fatality"
    if persons and max(map(abs, drawn)) < FEW_PERSONS:
        axis["dtick"] = 1
    return axis


def _ratios(least: float, most: float) -> dict[str, Any]:
    """Ticks of a logarithm; of two decades and less plotly writes but the first digit of 20 and 50."""
    if least == most:
        least, most = least / 10, most * 10
    if most / least > 100:
        return {}
    if most / least < 10:
        step = 10 ** math.floor(math.log10(most - least))
        return {"tick0": 0, "dtick": f"L{step if most - least < 4 * step else 2 * step}"}
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    return {"tickvals": ticks, "ticktext": [_short(tick) for tick in ticks]}


def _short(value: float) -> str:
    """``20k``, as plotly writes it."""
    size, unit = next(((size, unit) for size, unit in UNITS if value >= size), (1, ""))
    return f"{value / size:g}{unit}"


def time(span: tuple[dt.date, dt.date] | None) -> dict[str, Any]:
    """The axis of time under all panels."""
    axis: dict[str, Any] = {
        "type": "date",
        "anchor": "y4",
        "fixedrange": True,
        "showgrid": False,
        "linecolor": MUTED,
        "ticks": "outside",
        "tickcolor": MUTED,
        "tickfont": {"color": MUTED, "size": 12},
        "hoverformat": "%A, %-d %B %Y",
        "nticks": 7,
        # The year on a line of its own: beside the month there is no room for it on a telephone.
        "tickformatstops": [
            {"dtickrange": [None, "M1"], "value": "%-d %b\n%Y"},
            {"dtickrange": ["M1", None], "value": "%b\n%Y"},
        ],
        "tickangle": 0,
    }
    if span is not None:
        axis["range"] = list(edges(*span))
        if (span[1] - span[0]).days < FEW_DAYS:
            axis |= {
                "tick0": span[0].isoformat(),
                "dtick": A_DAY,
            }  # never hours: there are no figures of them
    return axis


def edges(first: dt.date, last: dt.date) -> tuple[str, str]:
    """From half a day before to half a day after: a day is as wide as its bar."""
    start, end = (dt.datetime.combine(date, dt.time()) for date in (first, last))
    return ((start - HALF_A_DAY).isoformat(), (end + HALF_A_DAY).isoformat())

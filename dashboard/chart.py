"""The chart: four panels on one time axis, as plotly's JSON. Pure.

Colours are those of the light page; the style sheet gives words, rules and grounds of the dark one. The
series' own colours hold 3:1 on both. No text from outside gets here: plotly would read markup in it.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import series, text
from dashboard.series import (
    COUNTS,
    NAMES,
    SERIES,
    Figure,
    Restated,
    Seen,
    Shown,
    Stretch,
    decimals,
    rounded,
)
from dashboard.view import AVERAGE, COUNT, LOG, NEW, View

COLOURS = {"cases": "#0072B2", "deaths": "#D55E00", "recovered": "#009E73", "fatality": "#6B7280"}
PALE = "#7B8290"  # 3:1 on both grounds, like the others
INK, SHADE = "#1f2328", "rgba(128,128,128,0.14)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

AXES = {"cases": "y", "deaths": "y2", "recovered": "y3", "fatality": "y4"}
FEW_DAYS = 45  # up to here each day gets a mark, so that one between two gaps is seen
MIN_NOTE_SHARE = 0.08  # of the axis: a narrower stretch has no room for words, the notes have them

MUTED, RULE = "#57606a", "#e3e1da"
HEAD = 0.055  # of the height, above each panel for its heading
FEW_TICKS = 5  # up to here each has its own tick
FEW_PERSONS = 5  # up to here plotly would write half a person
A_DAY = 86_400_000  # milliseconds
HALF_A_DAY = dt.timedelta(hours=12)
UNITS = ((1_000_000, "M"), (1_000, "k"))
SILENT = {"hoverinfo": "skip"}

PlotlyJson = dict[str, Any]


def chart(seen: Seen, *, synthetic: bool = False) -> PlotlyJson:
    """Today's record; under a view of another date that date's, over today's as a pale line."""
    now, view, then, restated = seen.now, seen.view, seen.then, seen.restated
    traces = []
    for name in SERIES:
        if then is not None:
            traces.append(_pale(name, now, view))
        # Two records are compared as lines: bars would hide the one behind.
        traces.append(_trace(name, then or now, view, bars=then is None))
    if then is not None:
        traces += [_marks(name, then, view, restated) for name in COUNTS]
    traces += [_words(name, now, view, then, restated) for name in SERIES]
    span = (now.dates[0], now.dates[-1]) if now.dates else None
    shapes, labels = _shades(span, series.unreported(seen.shown_rows), seen.pending)
    layout: PlotlyJson = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 46, "r": 10, "t": 4, "b": 44},
        "showlegend": False,
        "hovermode": "x unified",
        "hoversubplots": "axis",
        "hoverlabel": {"font": {"family": FONT, "size": 13}},
        "dragmode": False,
        "bargap": 0.12,
        "xaxis": time_axis(span),
        **{
            f"yaxis{AXES[name][1:]}": value_axis(name, number, view, _drawn(name, view, now, then))
            for number, name in enumerate(SERIES)
        },
        "shapes": shapes,
        "annotations": [*_headings(view), *labels, *(_synthetic() if synthetic else [])],
        "meta": {"synthetic": synthetic},
    }
    return {"data": traces, "layout": layout}


def _drawn(name: str, view: View, *sides: Shown | None) -> list[float]:
    """Every figure that a panel draws."""
    figures = [plotted(side.figures[name], view, name) for side in sides if side is not None]
    return [value for values in figures for value in values if value is not None]


def plotted(values: Sequence[Figure], view: View, name: str) -> list[Figure]:
    """The values as they are drawn: a logarithm is for what is greater than zero."""
    if view.scale == LOG and name != "fatality":
        return [value if value is not None and value > 0 else None for value in values]
    return list(values)


def _trace(name: str, figures: Shown, view: View, bars: bool) -> PlotlyJson:
    bars = bars and view.show == NEW and view.scale != LOG and name != "fatality"
    trace: PlotlyJson = {
        "type": "bar" if bars else "scatter",
        "name": NAMES[name],
        "x": [date.isoformat() for date in figures.dates],
        "y": plotted(figures.figures[name], view, name),
        "yaxis": AXES[name],
        **SILENT,
    }
    if bars:
        return trace | {"marker": {"color": COLOURS[name], "line": {"width": 0}}}
    few = len(figures.dates) <= FEW_DAYS
    return trace | {
        "mode": "lines+markers" if few else "lines",
        "line": {"color": COLOURS[name], "width": 2},
        "marker": {"color": COLOURS[name], "size": 4},
        "connectgaps": False,
    }


def _pale(name: str, figures: Shown, view: View) -> PlotlyJson:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{NAMES[name]} today",
        "x": [date.isoformat() for date in figures.dates],
        "y": plotted(figures.figures[name], view, name),
        "yaxis": AXES[name],
        "line": {"color": PALE, "width": 1.5, "dash": "dot"},
        "connectgaps": False,
        **SILENT,
    }


def _marks(name: str, then: Shown, view: View, restated: Sequence[Restated]) -> PlotlyJson:
    """A ring on each day that was restated later."""
    height = dict(zip(then.dates, plotted(then.figures[name], view, name), strict=True))
    dates = [change.date for change in restated if change.series == name and height[change.date] is not None]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": f"{NAMES[name]} restated",
        "x": [date.isoformat() for date in dates],
        "y": [height[date] for date in dates],
        "yaxis": AXES[name],
        "marker": {
            "symbol": "circle-open",
            "size": 7 if len(dates) <= FEW_DAYS else 4,
            "color": COLOURS[name],
            "line": {"width": 1.5 if len(dates) <= FEW_DAYS else 1, "color": COLOURS[name]},
        },
        **SILENT,
    }


def _words(name: str, now: Shown, view: View, then: Shown | None, restated: Sequence[Restated]) -> PlotlyJson:
    heights = [
        height if height is not None else other
        for height, other in zip(
            plotted((then or now).figures[name], view, name),
            plotted(now.figures[name], view, name),
            strict=True,
        )
    ]
    words = texts(name, view, now, then, restated)
    dates = [date.isoformat() for date in now.dates]
    return _spoken(name, COLOURS[name], heights, words, dates) | {"yaxis": AXES[name]}


def _headings(view: View) -> list[PlotlyJson]:
    return [
        {
            "text": f"<b>{NAMES[name]}</b>  {text.heading(name, view)}",
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "xanchor": "left",
            "xshift": -40,
            "y": domain(number)[1],
            "yanchor": "bottom",
            "yshift": 3,
            "showarrow": False,
            "align": "left",
            "font": {"size": 13, "color": INK},
        }
        for number, name in enumerate(SERIES)
    ]


def _shades(
    span: tuple[dt.date, dt.date] | None, unreported: Sequence[Stretch], pending: Sequence[Stretch]
) -> tuple[list[PlotlyJson], list[PlotlyJson]]:
    """Grounds under what is missing, and words on them where there is room."""
    shapes: list[PlotlyJson] = []
    labels: list[PlotlyJson] = []
    for stretches, yref, y, label in (
        (unreported, "y3 domain", 0.5, "not reported"),
        (pending, "paper", 0.62, "not yet<br>entered"),
    ):
        for stretch in stretches:
            seen = _seen(stretch, span)
            if seen is None or span is None:
                continue
            start, end = edges(seen.first, seen.last)
            shapes.append(
                {
                    "type": "rect",
                    "xref": "x",
                    "yref": yref,
                    "x0": start,
                    "x1": end,
                    "y0": 0,
                    "y1": 1,
                    "fillcolor": SHADE,
                    "line": {"width": 0},
                    "layer": "below",
                }
            )
            width = (seen.last - seen.first).days + 1
            if width >= MIN_NOTE_SHARE * ((span[1] - span[0]).days + 1):
                # At the axis' end it may reach back over the ground's edge; elsewhere it is in the middle.
                at_end = seen.last == span[1]
                halfway = edges(seen.first + dt.timedelta(days=width // 2), seen.first)[0]
                labels.append(_label(end if at_end else halfway, at_end, yref, y, label))
    return shapes, labels


def _seen(stretch: Stretch, span: tuple[dt.date, dt.date] | None) -> Stretch | None:
    if span is None or stretch.last < span[0] or stretch.first > span[1]:
        return None
    return Stretch(max(stretch.first, span[0]), min(stretch.last, span[1]))


def _label(x: str, at_end: bool, yref: str, y: float, label: str) -> PlotlyJson:
    return {
        "text": label,
        "xref": "x",
        "yref": yref,
        "x": x,
        "xanchor": "right" if at_end else "center",
        "xshift": -6 if at_end else 0,
        "y": y,
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }


def _synthetic() -> list[PlotlyJson]:
    """Across each panel, so that no picture of it can be taken for the real figures."""
    return [
        {
            "text": "SYNTHETIC SAMPLE",
            "xref": "paper",
            "yref": "paper",
            "x": 0.5,
            "y": sum(domain(number)) / 2,
            "showarrow": False,
            "font": {"size": 22, "color": "rgba(128,128,128,0.45)"},
        }
        for number in range(len(SERIES))
    ]


def points(figure: Mapping[str, Any], name: str) -> dict[str, Figure]:
    """What is drawn under a name, by date."""
    (trace,) = (trace for trace in figure["data"] if trace["name"] == name)
    return dict(zip(trace["x"], trace["y"], strict=True))


def domain(number: int) -> tuple[float, float]:
    """From where to where a panel reaches, of the chart's height."""
    height = 1 / len(SERIES)
    top = 1 - number * height
    return (round(top - height + (0.022 if number < len(SERIES) - 1 else 0), 4), round(top - HEAD, 4))


def value_axis(name: str, number: int, view: View, drawn: Sequence[float]) -> dict[str, Any]:
    """The axis of a panel in which these values are drawn."""
    logarithmic = view.scale == LOG and name != "fatality"
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
    persons = view.per == COUNT and view.show != AVERAGE and name != "fatality"
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


def time_axis(span: tuple[dt.date, dt.date] | None) -> dict[str, Any]:
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
        if (span[1] - span[0]).days < FEW_TICKS:
            axis |= {
                "tick0": span[0].isoformat(),
                "dtick": A_DAY,
            }  # never hours: there are no figures of them
    return axis


def edges(first: dt.date, last: dt.date) -> tuple[str, str]:
    """From half a day before to half a day after: a day is as wide as its bar."""
    start, end = (dt.datetime.combine(date, dt.time()) for date in (first, last))
    return ((start - HALF_A_DAY).isoformat(), (end + HALF_A_DAY).isoformat())


def _spoken(
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
    name: str, view: View, now: Shown, then: Shown | None = None, restated: Sequence[Restated] = ()
) -> list[str]:
    """A date's figure or why there is none; where then's differs, both."""
    today = sides(name, view, now)
    if then is None:
        return today
    entered = {change.date: text.when(change.entered_at) for change in restated if change.series == name}
    pairs = zip(sides(name, view, then), today, now.dates, strict=True)
    return [
        before
        if before == after
        else f"{before} then, {after} now" + (f",<br>last entered {entered[date]}" if date in entered else "")
        for before, after, date in pairs
    ]


def sides(name: str, view: View, shown: Shown) -> list[str]:
    """One record's figures in words."""
    places, unit = decimals(name, view), " %" if name == "fatality" else ""
    return [
        silence or text.number(rounded(value, name, view), places) + unit
        for value, silence in zip(shown.figures[name], shown.silences[name], strict=True)
    ]

"""The chart: four panels on one time axis, as plotly's JSON. Pure.

Colours are those of the light page; the style sheet gives text, rules and grounds of the dark one. The
series' own colours hold 3:1 on both. No text from outside gets here: plotly would read markup in it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import readout, words
from dashboard.choice import LOG, NEW, Choice
from dashboard.series import COUNTS, NAMES, SERIES, Figure, Restated, Shown, Stretch

COLOURS = {"cases": "#0072B2", "deaths": "#D55E00", "recovered": "#009E73", "fatality": "#6B7280"}
PALE = "#9CA3AF"
INK, MUTED, RULE, SHADE = "#1f2328", "#57606a", "#e3e1da", "rgba(128,128,128,0.14)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

AXES = {"cases": "y", "deaths": "y2", "recovered": "y3", "fatality": "y4"}
HEAD = 0.055  # of the height, above each panel for its heading
FEW_DAYS = 45  # up to here each day gets a mark, so that one between two gaps is seen
FEW_TICKS = 5  # days: up to here each has its own
A_DAY = 86_400_000  # milliseconds
HALF_A_DAY = dt.timedelta(hours=12)
MIN_NOTE_SHARE = 0.08  # of the axis: a narrower stretch has no room for words, the notes have them

PlotlyJson = dict[str, Any]


def chart(
    now: Shown,
    choice: Choice,
    then: Shown | None = None,
    restated: Sequence[Restated] = (),
    unreported: Sequence[Stretch] = (),
    pending: Sequence[Stretch] = (),
    synthetic: bool = False,
) -> PlotlyJson:
    """The record; with ``then``, the record as it stood, over today's as a pale line."""
    traces = []
    for name in SERIES:
        if then is not None:
            traces.append(_pale(name, now, choice))
        # Two records are compared as lines: bars would hide the one behind.
        traces.append(_trace(name, then or now, choice, bars=then is None))
    if then is not None:
        traces += [_marks(name, then, choice, restated) for name in COUNTS]
    traces += [_words(name, now, choice, then, restated) for name in SERIES]
    span = (now.dates[0], now.dates[-1]) if now.dates else None
    shapes, labels = _shades(span, unreported, pending)
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
        "xaxis": _time_axis(span),
        **{f"yaxis{AXES[name][1:]}": _axis(name, number, choice) for number, name in enumerate(SERIES)},
        "shapes": shapes,
        "annotations": [*_headings(choice), *labels, *(_synthetic() if synthetic else [])],
        "meta": {"synthetic": synthetic},
    }
    return {"data": traces, "layout": layout}


def plotted(values: Sequence[Figure], choice: Choice, name: str) -> list[Figure]:
    """The values as they are drawn: a logarithm is for what is greater than zero."""
    if choice.scale == LOG and name != "fatality":
        return [value if value is not None and value > 0 else None for value in values]
    return list(values)


def _trace(name: str, figures: Shown, choice: Choice, bars: bool) -> PlotlyJson:
    bars = bars and choice.show == NEW and choice.scale != LOG and name != "fatality"
    trace: PlotlyJson = {
        "type": "bar" if bars else "scatter",
        "name": NAMES[name],
        "x": [date.isoformat() for date in figures.dates],
        "y": plotted(figures.figures[name], choice, name),
        "yaxis": AXES[name],
        **readout.SILENT,
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


def _pale(name: str, figures: Shown, choice: Choice) -> PlotlyJson:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": f"{NAMES[name]} today",
        "x": [date.isoformat() for date in figures.dates],
        "y": plotted(figures.figures[name], choice, name),
        "yaxis": AXES[name],
        "line": {"color": PALE, "width": 1.5, "dash": "dot"},
        "connectgaps": False,
        **readout.SILENT,
    }


def _marks(name: str, then: Shown, choice: Choice, restated: Sequence[Restated]) -> PlotlyJson:
    """A ring on each day that was restated later."""
    height = dict(zip(then.dates, plotted(then.figures[name], choice, name), strict=True))
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
        **readout.SILENT,
    }


def _words(
    name: str, now: Shown, choice: Choice, then: Shown | None, restated: Sequence[Restated]
) -> PlotlyJson:
    heights = [
        height if height is not None else other
        for height, other in zip(
            plotted((then or now).figures[name], choice, name),
            plotted(now.figures[name], choice, name),
            strict=True,
        )
    ]
    texts = readout.texts(name, choice, now, then, restated)
    dates = [date.isoformat() for date in now.dates]
    return readout.trace(name, COLOURS[name], heights, texts, dates) | {"yaxis": AXES[name]}


def _domain(number: int) -> tuple[float, float]:
    height = 1 / len(SERIES)
    top = 1 - number * height
    return (round(top - height + (0.022 if number < len(SERIES) - 1 else 0), 4), round(top - HEAD, 4))


def _axis(name: str, number: int, choice: Choice) -> PlotlyJson:
    logarithmic = choice.scale == LOG and name != "fatality"
    axis: PlotlyJson = {
        "domain": _domain(number),
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
    return axis


def _time_axis(span: tuple[dt.date, dt.date] | None) -> PlotlyJson:
    axis: PlotlyJson = {
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
        axis["range"] = list(_edges(*span))
        if (span[1] - span[0]).days < FEW_TICKS:
            axis |= {
                "tick0": span[0].isoformat(),
                "dtick": A_DAY,
            }  # never hours: there are no figures of them
    return axis


def _edges(first: dt.date, last: dt.date) -> tuple[str, str]:
    """From half a day before to half a day after: a day is as wide as its bar."""
    start, end = (dt.datetime.combine(date, dt.time()) for date in (first, last))
    return ((start - HALF_A_DAY).isoformat(), (end + HALF_A_DAY).isoformat())


def _headings(choice: Choice) -> list[PlotlyJson]:
    return [
        {
            "text": f"<b>{NAMES[name]}</b>  {words.unit(name, choice)}",
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "xanchor": "left",
            "xshift": -40,
            "y": _domain(number)[1],
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
    for stretches, yref, y, text in (
        (unreported, "y3 domain", 0.5, "not reported"),
        (pending, "paper", 0.62, "not yet<br>entered"),
    ):
        for stretch in stretches:
            seen = _seen(stretch, span)
            if seen is None or span is None:
                continue
            start, end = _edges(seen.first, seen.last)
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
                halfway = _edges(seen.first + dt.timedelta(days=width // 2), seen.first)[0]
                labels.append(_label(end if at_end else halfway, at_end, yref, y, text))
    return shapes, labels


def _seen(stretch: Stretch, span: tuple[dt.date, dt.date] | None) -> Stretch | None:
    if span is None or stretch.last < span[0] or stretch.first > span[1]:
        return None
    return Stretch(max(stretch.first, span[0]), min(stretch.last, span[1]))


def _label(x: str, at_end: bool, yref: str, y: float, text: str) -> PlotlyJson:
    return {
        "text": text,
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
            "y": sum(_domain(number)) / 2,
            "showarrow": False,
            "font": {"size": 22, "color": "rgba(128,128,128,0.45)"},
        }
        for number in range(len(SERIES))
    ]


def points(figure: Mapping[str, Any], name: str) -> dict[str, Figure]:
    """What is drawn under a name, by date."""
    (trace,) = (trace for trace in figure["data"] if trace["name"] == name)
    return dict(zip(trace["x"], trace["y"], strict=True))

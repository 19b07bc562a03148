"""The chart: four panels on one time axis, as plotly's JSON. Pure.

Colours are those of the light page; the style sheet gives text, rules and grounds of the dark one. The
series' own colours hold 3:1 on both. No text from outside gets here: plotly would read markup in it.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import axes, readout, words
from dashboard.choice import LOG, NEW, Choice
from dashboard.series import COUNTS, NAMES, SERIES, Figure, Restated, Shown, Stretch

COLOURS = {"cases": "#0072B2", "deaths": "#D55E00", "recovered": "#009E73", "fatality": "#6B7280"}
PALE = "#7B8290"  # 3:1 on both grounds, like the others
INK, SHADE = "#1f2328", "rgba(128,128,128,0.14)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

AXES = {"cases": "y", "deaths": "y2", "recovered": "y3", "fatality": "y4"}
FEW_DAYS = 45  # up to here each day gets a mark, so that one between two gaps is seen
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
        "xaxis": axes.time(span),
        **{
            f"yaxis{AXES[name][1:]}": axes.values(name, number, choice, _drawn(name, choice, now, then))
            for number, name in enumerate(SERIES)
        },
        "shapes": shapes,
        "annotations": [*_headings(choice), *labels, *(_synthetic() if synthetic else [])],
        "meta": {"synthetic": synthetic},
    }
    return {"data": traces, "layout": layout}


def _drawn(name: str, choice: Choice, *sides: Shown | None) -> list[float]:
    """Every figure that a panel draws."""
    figures = [plotted(side.figures[name], choice, name) for side in sides if side is not None]
    return [value for values in figures for value in values if value is not None]


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


def _headings(choice: Choice) -> list[PlotlyJson]:
    return [
        {
            "text": f"<b>{NAMES[name]}</b>  {words.heading(name, choice)}",
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "xanchor": "left",
            "xshift": -40,
            "y": axes.domain(number)[1],
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
            start, end = axes.edges(seen.first, seen.last)
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
                halfway = axes.edges(seen.first + dt.timedelta(days=width // 2), seen.first)[0]
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
        "font": {"size": 12, "color": axes.MUTED},
    }


def _synthetic() -> list[PlotlyJson]:
    """Across each panel, so that no picture of it can be taken for the real figures."""
    return [
        {
            "text": "SYNTHETIC SAMPLE",
            "xref": "paper",
            "yref": "paper",
            "x": 0.5,
            "y": sum(axes.domain(number)) / 2,
            "showarrow": False,
            "font": {"size": 22, "color": "rgba(128,128,128,0.45)"},
        }
        for number in range(len(SERIES))
    ]


def points(figure: Mapping[str, Any], name: str) -> dict[str, Figure]:
    """What is drawn under a name, by date."""
    (trace,) = (trace for trace in figure["data"] if trace["name"] == name)
    return dict(zip(trace["x"], trace["y"], strict=True))

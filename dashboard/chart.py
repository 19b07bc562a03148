"""The chart: four panels on one time axis, as plotly's JSON. Pure.

Colours are those of the light page; the style sheet gives words, rules and grounds of the dark one. The
series' own colours hold 3:1 on both. No text from outside gets here: plotly would read markup in it.
"""

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard import series, text
from dashboard.series import (
    COUNTS,
    NAMES,
    SERIES,
    Figure,
    Milestone,
    Restated,
    Seen,
    Shown,
    Stretch,
    decimals,
    rounded,
)
from dashboard.view import AVERAGE, COUNT, LOG, NEW, SPANS, View
from schemas.figures import FIGURES

COLOURS = {
    "cases": "#0072B2",
    "deaths": "#D55E00",
    "recovered": "#009E73",
    "fatality": "#6B7280",
}
PALE = "#7B8290"  # 3:1 on both grounds, like the others
INK, SHADE = "#1f2328", "rgba(128,128,128,0.14)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

AXES = {name: f"y{number}" for number, name in enumerate(SERIES, 1)} | {SERIES[0]: "y"}
FEW_DAYS = 45  # up to here each day gets a mark, so that one between two gaps is seen
STRIPS = {name: f"y{number}" for number, name in enumerate(COUNTS, len(SERIES) + 1)}  # the differences
STRIP = 0.42  # of a panel's height
GAP = "#C2548C"  # 4:1 on both grounds, and no series' own
LETTERS_APART = 0.05  # of the axis: two letters that are nearer stand together
MIN_NOTE_SHARE = 0.08  # of the axis: a narrower stretch has no room for words, the notes have them

MUTED, RULE = "#57606a", "#e3e1da"
HEAD, STRIP_HEAD = 0.055, 0.018  # of the height, above each panel and each strip for its heading
FEW_TICKS = 5  # up to here each has its own tick
FEW_PERSONS = 5  # up to here plotly would write half a person
A_DAY = 86_400_000  # milliseconds
HALF_A_DAY = dt.timedelta(hours=12)
SILENT = {"hoverinfo": "skip"}

PlotlyJson = dict[str, Any]
RULE_OF_THEN: PlotlyJson = {
    "type": "line",
    "xref": "x",
    "yref": "paper",
    "y0": 0,
    "y1": 1,
    "line": {"color": MUTED, "width": 1, "dash": "dash"},
}
MILESTONE: PlotlyJson = RULE_OF_THEN | {
    "line": {"color": "rgba(128,128,128,0.55)", "width": 1, "dash": "dot"},
    "layer": "below",
}
LETTER: PlotlyJson = {
    "xref": "x",
    "yref": "paper",
    "y": 1,
    "yanchor": "top",
    "showarrow": False,
    "font": {"size": 11, "color": MUTED},
}
MOST: PlotlyJson = {
    "xref": "paper",
    "yref": "paper",
    "x": 1,
    "xanchor": "right",
    "yanchor": "bottom",
    "yshift": 1,
    "showarrow": False,
    "font": {"size": 11, "color": INK},
}
EMPTY: PlotlyJson = {"showticklabels": False, "showgrid": False, "zeroline": False}
GROUND: PlotlyJson = {
    "type": "rect",
    "xref": "x",
    "y0": 0,
    "y1": 1,
    "fillcolor": SHADE,
    "line": {"width": 0},
    "layer": "below",
}
LABEL: PlotlyJson = {"xref": "x", "showarrow": False, "font": {"size": 12, "color": INK}}


def chart(seen: Seen, *, synthetic: bool = False) -> PlotlyJson:
    """Today's record; under a view of another date that date's over today's, with the gap between."""
    figure = _frame(seen, synthetic=synthetic)
    if seen.then is not None:
        shapes, labels = _then(seen)
        figure["layout"]["shapes"] += shapes
        figure["layout"]["annotations"] += labels
    return figure


def template(seen: Seen, *, synthetic: bool = False) -> dict[str, Any]:
    """The chart of a date under this view without its figures: a script fills them in (assets/compare.js)."""
    nothing = Shown((), dict.fromkeys(SERIES, ()), dict.fromkeys(SERIES, ()))
    today = dataclasses.replace(
        seen, now=nothing, then=nothing, rows_then=seen.rows, restated=(), milestones=()
    )
    figure = _frame(today, synthetic=synthetic)
    grounds = _grounds(seen)
    words = {ground.label for ground in grounds}
    figure["layout"]["shapes"] = []
    figure["layout"]["annotations"] = [
        label for label in figure["layout"]["annotations"] if label["text"] not in words
    ]
    for trace in figure["data"]:
        for name in ("x", "y", "base", "customdata"):
            trace.pop(name, None)
    view, dates = seen.view, seen.now.dates
    return {
        "show": view.show,
        "scale": view.scale,
        "per": view.per,
        "start": dates[0].isoformat(),
        "end": dates[-1].isoformat(),
        "days": SPANS[view.span],
        "few": FEW_DAYS,
        "ticks": FEW_TICKS,
        "share": MIN_NOTE_SHARE,
        "ground": GROUND,
        "muted": MUTED,
        "grounds": [
            [
                ground.stretch.first.isoformat(),
                ground.stretch.last.isoformat(),
                ground.yref,
                ground.y,
                ground.label,
            ]
            for ground in grounds
        ],
        "milestones": [[milestone.date.isoformat(), milestone.letter] for milestone in seen.milestones],
        "apart": LETTERS_APART,
        "milestone": MILESTONE,
        "letter": LETTER,
        "label": LABEL,
        "rule": RULE_OF_THEN,
        "most": MOST,
        "empty": EMPTY,
        "figure": figure,
    }


def _frame(seen: Seen, *, synthetic: bool) -> PlotlyJson:
    """The chart but for what is only drawn of a date that is past."""
    now, view, then = seen.now, seen.view, seen.then
    traces = [trace for name in SERIES for trace in (_today if then is None else _compared)(name, seen)]
    traces += [_words(name, seen) for name in SERIES]
    span = (now.dates[0], now.dates[-1]) if now.dates else None
    grounds = [ground for stretch in _grounds(seen) if (ground := _ground(stretch, span))]
    rules, letters = _milestones(seen.milestones, span)
    domains = _domains(then is not None)
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
        "barmode": "overlay",
        "bargap": 0.12,
        "xaxis": time_axis(span),
        **{
            f"yaxis{AXES[name][1:]}": value_axis(name, domains[name], view, _drawn(name, seen))
            for name in SERIES
        },
        **{
            f"yaxis{STRIPS[name][1:]}": _difference_axis(domains[STRIPS[name]])
            | (EMPTY if seen.rows_then is not seen.rows and not _gaps(name, seen) else {})
            for name in COUNTS
            if then is not None
        },
        "shapes": [*(shape for shape, _ in grounds), *rules],
        "annotations": [
            *_headings(view, domains, is_compared=then is not None),
            *(_synthetic(domains) if synthetic else []),
            *(label for _, label in grounds if label),
            *letters,
        ],
        "meta": {"synthetic": synthetic},
    }
    return {"data": traces, "layout": layout}


def _domains(compared: bool) -> dict[str, tuple[float, float]]:
    """From where to where each panel reaches, of the chart's height: a panel a series, and where two records
    are compared a strip of their difference under each count."""
    weights = dict.fromkeys(SERIES, 1.0)
    if compared:
        weights = {
            key: weight
            for name in SERIES
            for key, weight in ((name, 1.0), (STRIPS.get(name, ""), STRIP))
            if key
        }
    places, top = {}, 1.0
    for key, weight in weights.items():
        height = weight / sum(weights.values())
        above, below = (HEAD, 0.014) if key in SERIES else (STRIP_HEAD, 0.012)
        is_last = key == SERIES[-1]
        places[key] = (round(top - height + (0 if is_last else below), 4), round(top - above, 4))
        top -= height
    return places


def _drawn(name: str, seen: Seen) -> list[float]:
    """Every figure that a panel draws; where two records are compared, all of today's, so that the axis is
    the same whatever the date."""
    shown = seen.now if seen.then is None else seen.whole
    return [value for value in plotted(shown.figures[name], seen.view, name) if value is not None]


def plotted(values: Sequence[Figure], view: View, name: str) -> list[Figure]:
    """The values as they are drawn: a logarithm is for what is greater than zero."""
    if view.scale == LOG and name != "fatality":
        return [value if value is not None and value > 0 else None for value in values]
    return list(values)


def _today(name: str, seen: Seen) -> list[PlotlyJson]:
    """A line; of new figures a day bars, with the average of seven days as the line."""
    view, now = seen.view, seen.now
    if view.show != NEW or view.scale == LOG or name == "fatality":
        return [_line(name, now, view)]
    average = series.shown(seen.rows, dataclasses.replace(view, show=AVERAGE), now.dates)
    bars = {
        "type": "bar",
        "name": NAMES[name],
        **_points(now, now.figures[name]),
        "yaxis": AXES[name],
        "marker": {"color": COLOURS[name], "opacity": 0.45, "line": {"width": 0}},
        **SILENT,
    }
    return [bars, _line(name, average, view) | {"name": f"{NAMES[name]}, 7-day average"}]


def _compared(name: str, seen: Seen) -> list[PlotlyJson]:
    """The gap between both records, today's as a pale line, the one of then, and their difference."""
    now, then, view = seen.now, seen.then or seen.now, seen.view
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": f"{NAMES[name]} today",
        **_points(now, plotted(now.figures[name], view, name)),
        "yaxis": AXES[name],
        "line": {"color": PALE, "width": 1.5, "dash": "dot"},
        "connectgaps": False,
        **SILENT,
    }
    if name == "fatality":
        return [line, _line(name, then, view)]
    gaps = _gaps(name, seen)
    bar = {
        "type": "bar",
        "width": A_DAY,
        "marker": {"color": GAP, "line": {"width": 0}},
        **SILENT,
    }
    return [
        bar
        | {
            "name": f"{NAMES[name]} restated",
            "x": [change.date.isoformat() for change in gaps],
            "y": [difference(change, view) for change in gaps],
            "base": [change.then for change in gaps],
            "yaxis": AXES[name],
        },
        line,
        _line(name, then, view),
        bar
        | {
            "name": f"{NAMES[name]}, now − then",
            "x": [change.date.isoformat() for change in gaps],
            "y": [difference(change, view) for change in gaps],
            "yaxis": STRIPS[name],
        },
    ]


def _gaps(name: str, seen: Seen) -> list[Restated]:
    """The changes that can be drawn: both figures are known, and have a place on the scale."""
    return [
        change
        for change in seen.restated
        if change.series == name and None not in plotted([change.then, change.now], seen.view, name)
    ]


def difference(change: Restated, view: View) -> Figure:
    """Now less then; None where either is not known."""
    if change.then is None or change.now is None:
        return None
    return rounded(change.now - change.then, change.series, view)


def _points(figures: Shown, values: Sequence[Figure]) -> PlotlyJson:
    return {"x": [date.isoformat() for date in figures.dates], "y": list(values)}


def _line(name: str, figures: Shown, view: View) -> PlotlyJson:
    few = len(figures.dates) <= FEW_DAYS
    return {
        "type": "scatter",
        "name": NAMES[name],
        **_points(figures, plotted(figures.figures[name], view, name)),
        "yaxis": AXES[name],
        "mode": "lines+markers" if few else "lines",
        "line": {"color": COLOURS[name], "width": 2},
        "marker": {"color": COLOURS[name], "size": 4},
        "connectgaps": False,
        **SILENT,
    }


def _words(name: str, seen: Seen) -> PlotlyJson:
    heights = [
        height if height is not None else other
        for height, other in zip(
            plotted((seen.then or seen.now).figures[name], seen.view, name),
            plotted(seen.now.figures[name], seen.view, name),
            strict=True,
        )
    ]
    dates = [date.isoformat() for date in seen.now.dates]
    words = texts(name, seen.view, seen.now, seen.then, seen.restated)
    return _spoken(name, COLOURS[name], heights, words, dates) | {"yaxis": AXES[name]}


def _then(seen: Seen) -> tuple[list[PlotlyJson], list[PlotlyJson]]:
    """The end of the record of then as a rule with its date, and each panel's largest gap in figures."""
    shapes: list[PlotlyJson] = []
    labels: list[PlotlyJson] = []
    dates = seen.now.dates
    if not dates:
        return shapes, labels
    domains = _domains(compared=True)
    newest = seen.rows_then[-1].day.date if seen.rows_then else dates[0] - series.ONE_DAY
    if dates[0] <= newest < dates[-1] and seen.view.asof:
        end = edges(newest, newest)[1]
        shapes.append(RULE_OF_THEN | {"x0": end, "x1": end})
        at_right = (newest - dates[0]).days * 2 > len(dates)
        labels.append(
            LABEL
            | {
                "text": f"the record of {text.short_date(seen.view.asof)} ends",
                "x": end,
                "xanchor": "right" if at_right else "left",
                "xshift": -6 if at_right else 6,
                "yref": "paper",
                "y": domains["cases"][1],
                "yanchor": "top",
            }
        )
    for name in COUNTS:
        gaps = _gaps(name, seen)
        if not gaps:
            continue
        largest = max(gaps, key=lambda change: abs(difference(change, seen.view) or 0))
        change = difference(largest, seen.view) or 0
        written = text.signed(change, decimals(name, seen.view))
        labels.append(
            MOST
            | {
                "text": f"the most: <b>{written}</b>, {text.short_date(largest.date)}",
                "y": domains[STRIPS[name]][1],
            }
        )
    return shapes, labels


def _headings(
    view: View, domains: Mapping[str, tuple[float, float]], *, is_compared: bool
) -> list[PlotlyJson]:
    texts = [(f"<b>{NAMES[name]}</b>  {text.heading(name, view)}", domains[name][1], 3) for name in SERIES]
    if is_compared:
        texts += [("now − then", domains[STRIPS[name]][1], 1) for name in COUNTS]
    return [
        {
            "text": heading,
            "xref": "paper",
            "yref": "paper",
            "x": 0,
            "xanchor": "left",
            "xshift": -40 if shift > 1 else 4,
            "y": top,
            "yanchor": "bottom",
            "yshift": shift,
            "showarrow": False,
            "align": "left",
            "font": {"size": 13 if shift > 1 else 11, "color": INK if shift > 1 else MUTED},
        }
        for heading, top, shift in texts
    ]


@dataclass(frozen=True)
class Ground:
    """Under what is missing, with a word on it where there is room."""

    stretch: Stretch
    yref: str
    y: float
    label: str


def _grounds(seen: Seen) -> list[Ground]:
    return [
        *(
            Ground(stretch, f"{AXES[figure.name]} domain", 0.5, series.NOT_REPORTED)
            for figure in FIGURES
            for stretch in series.unreported(seen.rows, figure.name)
        ),
        *(Ground(stretch, "paper", 0.62, "not yet<br>entered") for stretch in seen.pending),
    ]


def _ground(
    ground: Ground, span: tuple[dt.date, dt.date] | None
) -> tuple[PlotlyJson, PlotlyJson | None] | None:
    """The shape within that span and its label; None where it lies outside."""
    if span is None or ground.stretch.last < span[0] or ground.stretch.first > span[1]:
        return None
    first, last = max(ground.stretch.first, span[0]), min(ground.stretch.last, span[1])
    start, end = edges(first, last)
    shape = GROUND | {"yref": ground.yref, "x0": start, "x1": end}
    width = (last - first).days + 1
    if width < MIN_NOTE_SHARE * ((span[1] - span[0]).days + 1):
        return shape, None
    # At the axis' end it may reach back over the ground's edge; elsewhere it is in the middle.
    at_end = last == span[1]
    label = {
        "text": ground.label,
        "xref": "x",
        "yref": ground.yref,
        "x": end if at_end else edges(first + dt.timedelta(days=width // 2), first)[0],
        "xanchor": "right" if at_end else "center",
        "xshift": -6 if at_end else 0,
        "y": ground.y,
        "showarrow": False,
        "font": {"size": 12, "color": MUTED},
    }
    return shape, label


def _milestones(
    milestones: Sequence[Milestone], span: tuple[dt.date, dt.date] | None
) -> tuple[list[PlotlyJson], list[PlotlyJson]]:
    """A rule for each of the record's own events within that span, and its letter above; where two stand too
    close for that, their letters are together."""
    shapes: list[PlotlyJson] = []
    letters: list[PlotlyJson] = []
    for milestone in milestones:
        if span is None or not span[0] <= milestone.date <= span[1]:
            continue
        x = milestone.date.isoformat()
        shapes.append(MILESTONE | {"x0": x, "x1": x})
        apart = LETTERS_APART * ((span[1] - span[0]).days + 1)
        if letters and (milestone.date - dt.date.fromisoformat(letters[-1]["x"])).days < apart:
            letters[-1]["text"] += f" {milestone.letter}"
        else:
            letters.append(LETTER | {"x": x, "text": milestone.letter})
    return shapes, letters


def _synthetic(domains: Mapping[str, tuple[float, float]]) -> list[PlotlyJson]:
    """Across each panel, so that no picture of it can be taken for the real figures."""
    return [
        {
            "text": "SYNTHETIC SAMPLE",
            "xref": "paper",
            "yref": "paper",
            "x": 0.5,
            "y": sum(domains[name]) / 2,
            "showarrow": False,
            "font": {"size": 22, "color": "rgba(128,128,128,0.45)"},
        }
        for name in SERIES
    ]


def points(figure: Mapping[str, Any], name: str) -> dict[str, Figure]:
    """What is drawn under a name, by date."""
    (trace,) = (trace for trace in figure["data"] if trace["name"] == name)
    return dict(zip(trace["x"], trace["y"], strict=True))


def value_axis(name: str, domain: tuple[float, float], view: View, drawn: Sequence[float]) -> dict[str, Any]:
    """The axis of a panel in which these values are drawn."""
    logarithmic = view.scale == LOG and name != "fatality"
    axis: dict[str, Any] = {
        "domain": domain,
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
        return axis | EMPTY
    if logarithmic:
        return axis | _ratios(min(drawn), max(drawn))
    persons = view.per == COUNT and view.show != AVERAGE and name != "fatality"
    if persons and max(map(abs, drawn)) < FEW_PERSONS:
        axis["dtick"] = 1
    return axis


def _difference_axis(domain: tuple[float, float]) -> dict[str, Any]:
    """The scale of a strip is its own: restatements vanish on that of the figures."""
    return {
        "domain": domain,
        "fixedrange": True,
        "gridcolor": RULE,
        "zerolinecolor": MUTED,
        "nticks": 3,
        "exponentformat": "SI",
        "tickfont": {"color": MUTED, "size": 11},
    }


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
    return {"tickvals": ticks, "ticktext": [text.short(tick) for tick in ticks]}


def time_axis(span: tuple[dt.date, dt.date] | None) -> dict[str, Any]:
    """The axis of time under all panels."""
    axis: dict[str, Any] = {
        "type": "date",
        "anchor": AXES[SERIES[-1]],
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

"""The chart as a picture that needs no script, drawn from plotly's own JSON. Pure."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from dashboard import text
from dashboard.drawing import Scale, date_axis, ordinal, tick, ticks
from dashboard.markup import element

ABOVE = 0.05  # of a panel, which stays free above what is drawn
BAR_GAP = 0.12  # of a day, as in the chart


def drawing(figure: Mapping[str, Any], **attributes: Any) -> Markup:
    """Every visible trace of a figure in its panel, with scales, headings and rules."""
    layout = figure["layout"]
    first, last = map(_time, layout["xaxis"]["range"])
    across = Scale(first, last)
    marks, paths = [], []
    for key, axis in layout.items():
        if not key.startswith("yaxis"):
            continue
        traces = [trace for trace in figure["data"] if trace["yaxis"] == f"y{key[5:]}" and _is_drawn(trace)]
        down, logarithmic = _scale(axis, traces), axis.get("type") == "log"
        paths += [_path(trace, across, down, logarithmic=logarithmic) for trace in traces]
        for value in _ticks(down, axis["nticks"], logarithmic=logarithmic) if traces else ():
            label = text.short(10**value if logarithmic else value) + axis.get("ticksuffix", "")
            marks += tick(down.place(value), label)
    marks += date_axis(_date(first), _date(last), across)
    for shape in layout["shapes"]:
        if shape["x0"] == shape["x1"]:
            x = f"{across.place(_time(shape['x0']))}%"
            dashes = "4 4" if shape["line"]["dash"] == "dash" else "1 3"
            marks.append(
                element("line", class_="rule", x1=x, x2=x, y1="0", y2="100%", stroke_dasharray=dashes)
            )
    marks += [_text(label, across) for label in layout["annotations"] if label["yref"] == "paper"]
    box = {"viewBox": "0 0 100 100", "preserveAspectRatio": "none", "width": "100%", "height": "100%"}
    return element("svg", *marks, element("svg", *paths, **box), class_="plot still", **attributes)


def _scale(axis: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> Scale:
    """From the least to the most that is drawn on an axis, and from zero where it is linear."""
    values = [value for trace in traces for value in _reach(trace)] or [0, 1]
    least, most = min(values), max(values)
    if axis.get("type") == "log":
        least, most = math.log10(least), math.log10(most)
    else:
        least, most = min(0, least), max(0, most)
    low, high = (100 * (1 - end) for end in axis["domain"])
    return Scale(least, most, low, high + ABOVE * (low - high))


def _ticks(down: Scale, most: int, *, logarithmic: bool) -> Sequence[float]:
    """Round values; of a logarithm its powers of ten, or both ends where it has none."""
    if logarithmic:
        return range(math.ceil(down.low), math.floor(down.high) + 1) or (down.low, down.high)
    values = ticks(down.low, down.high, whole=False)
    return values[:: -(-len(values) // most)]


def _is_drawn(trace: Mapping[str, Any]) -> bool:
    return trace.get("marker", {}).get("opacity") != 0 and any(value is not None for value in trace["y"])


def _reach(trace: Mapping[str, Any]) -> list[float]:
    """The heights that a trace comes to; a bar's foot where it doesn't stand on zero."""
    bases = trace.get("base", ())
    tops = [base + value for base, value in zip(bases, trace["y"], strict=True)] if bases else trace["y"]
    return [value for value in (*bases, *tops) if value is not None]


def _path(trace: Mapping[str, Any], across: Scale, down: Scale, *, logarithmic: bool) -> Markup:
    def height(value: float) -> str:
        return f"{down.place(math.log10(value) if logarithmic else value):g}"

    steps: list[str] = []
    places = [across.place(_time(date)) for date in trace["x"]]
    if trace["type"] == "bar":
        width = 100 / (across.high - across.low) * (1 if "width" in trace else 1 - BAR_GAP)
        bases = trace.get("base") or [0] * len(places)
        for x, base, value in zip(places, bases, trace["y"], strict=True):
            if value:
                foot, top = height(base), height(base + value)
                steps.append(f"M{x - width / 2:.2f} {foot}V{top}h{width:.2f}V{foot}z")
        style = {"fill": trace["marker"]["color"], "opacity": trace["marker"].get("opacity", 1)}
    else:
        move = "M"
        for x, value in zip(places, trace["y"], strict=True):
            steps += [] if value is None else [f"{move}{x:g} {height(value)}"]
            move = "M" if value is None else "L"
        line = trace["line"]
        dashes = {"stroke_dasharray": "2 3"} if line.get("dash") else {}
        style = {"fill": "none", "stroke": line["color"], "stroke_width": line["width"], **dashes}
    return element("path", d="".join(steps), vector_effect="non-scaling-stroke", **style)


def _text(label: Mapping[str, Any], across: Scale) -> Markup:
    """A heading, a letter or a word; of plotly's own markup they have but bold."""
    is_dated = label["xref"] == "x"
    x = across.place(_time(label["x"])) if is_dated else 100 * label["x"]
    is_above = label.get("yanchor") == "bottom"
    parts = [
        element("tspan", part, font_weight="600" if bold else None)
        for place, piece in enumerate(label["text"].split("<b>"))
        for bold, part in zip((place > 0, False), piece.split("</b>"), strict=False)
        if part
    ]
    anchors = {"left": "start", "right": "end"}
    return element(
        "text",
        *parts,
        x=f"{x:g}%",
        y=f"{100 * (1 - label['y']):g}%",
        dx=label.get("xshift", 0),
        dy=-label.get("yshift", 0) if is_above else 11,
        font_size=label["font"]["size"],
        text_anchor=anchors.get(label.get("xanchor", ""), "middle"),
    )


def _time(moment: str) -> float:
    return ordinal(dt.datetime.fromisoformat(moment))


def _date(ordinal: float) -> dt.date:
    return dt.date.fromordinal(round(ordinal))

"""The chart before any script has run, drawn from plotly's own JSON. Pure."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dashboard import text

WIDTH, HEIGHT = 1000, 1000  # of the drawing, which the style sheet stretches over the chart's place


def drawing(figure: Mapping[str, Any]) -> str:
    """Every visible trace of a figure in its panel, with the panels' headings and the ends of each scale."""
    layout = figure["layout"]
    first, last = (_time(moment) for moment in layout["xaxis"]["range"])
    paths, texts = [], []
    for key, axis in layout.items():
        if not key.startswith("yaxis"):
            continue
        traces = [trace for trace in figure["data"] if trace["yaxis"] == f"y{key[5:]}" and _is_drawn(trace)]
        scale = _Scale(axis, traces)
        paths += [_path(trace, scale, first, last) for trace in traces]
        ends = scale.ends if traces else ()
        texts += [_text(text.short(end, 3), f"top:{scale.place(end) / HEIGHT:.2%}", "tick") for end in ends]
    for label in layout["annotations"]:
        if label["xref"] == "paper" and label["x"] == 0:  # a panel's heading, or a strip's
            above = label["yanchor"] == "bottom"
            place = f"bottom:{label['y']:.2%}" if above else f"top:{1 - label['y']:.2%}"
            texts.append(_text(label["text"], place, "head" if above else "strip"))
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true"'
    svg = f"<svg {box}>{''.join(paths)}</svg>"
    return f'<div class="first-chart">{svg}{"".join(texts)}</div>'


class _Scale:
    """An axis: from the least to the most that is drawn on it, and from zero where it is linear."""

    def __init__(self, axis: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> None:
        self._turned = math.log10 if axis.get("type") == "log" else float
        values = [value for trace in traces for value in _reach(trace)] or [0, 1]
        least = min(values) if axis.get("type") == "log" else min(0, *values)
        self.ends = (least, max(values))
        self._low, self._high = axis["domain"]

    def place(self, value: float) -> float:
        least, most = map(self._turned, self.ends)
        share = (self._turned(value) - least) / (most - least or 1)
        return (1 - self._low - share * (self._high - self._low)) * HEIGHT


def _is_drawn(trace: Mapping[str, Any]) -> bool:
    return trace.get("marker", {}).get("opacity") != 0 and any(value is not None for value in trace["y"])


def _reach(trace: Mapping[str, Any]) -> list[float]:
    """The heights that a trace comes to; a bar's foot where it doesn't stand on zero."""
    bases = trace.get("base", ())
    tops = [base + value for base, value in zip(bases, trace["y"], strict=True)] if bases else trace["y"]
    return [value for value in (*bases, *tops) if value is not None]


def _path(trace: Mapping[str, Any], scale: _Scale, first: float, last: float) -> str:
    def across(date: str) -> float:
        return (_time(date) - first) / (last - first) * WIDTH

    steps = []
    if trace["type"] == "bar":
        width = WIDTH / (last - first) * 0.88
        bases = trace.get("base") or [0] * len(trace["y"])
        for date, base, value in zip(trace["x"], bases, trace["y"], strict=True):
            if value:
                left, foot, top = across(date) - width / 2, scale.place(base), scale.place(base + value)
                steps.append(f"M{left:.1f} {foot:.1f}V{top:.1f}h{width:.1f}V{foot:.1f}z")
        marker = trace["marker"]
        style = f'fill="{marker["color"]}" opacity="{marker.get("opacity", 1)}"'
    else:
        move = "M"
        for date, value in zip(trace["x"], trace["y"], strict=True):
            steps += [] if value is None else [f"{move}{across(date):.1f} {scale.place(value):.1f}"]
            move = "M" if value is None else "L"
        line = trace["line"]
        dash = ' stroke-dasharray="2 3"' if line.get("dash") else ""
        style = f'fill="none" stroke="{line["color"]}" stroke-width="{line["width"]}"{dash}'
    return f'<path d="{"".join(steps)}" {style} vector-effect="non-scaling-stroke"/>'


def _text(markup_: str, place: str, name: str) -> str:
    """plotly's own markup, of which the headings have but bold."""
    return f'<span class="{name}" style="{place}">{markup_}</span>'


def _time(moment: str) -> float:
    """Days since the calendar began."""
    at = dt.datetime.fromisoformat(moment)
    return at.toordinal() + (at.hour / 24)

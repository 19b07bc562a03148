"""Pictures that need no script: a day's answers, the map of what was restated; svg.py draws the chart. Pure.

Places are in percent and sizes in pixels, so that a picture fits any width while its texts keep their size.
"""

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard import text
from dashboard.answers import Answer, Restatement
from dashboard.markup import element
from dashboard.series import ONE_DAY
from schemas.text import plural

HEAD = 0.12  # of the height, above and below the line, for what is written there
MOST_TICKS, MOST_DOWN = 6, 10
LEAST, MOST = 3.5, 22.0  # pixels: the side of a restatement's square
A_WHILE = 3 * ONE_DAY  # that a line goes on after its last step
NEAR_EDGE = 15  # percent: a label from here to the edge is written inwards
APART = 22  # percent: between two labels


@dataclass(frozen=True)
class Scale:
    """Values from ``low`` to ``high`` as percent, from ``start`` to ``end``."""

    low: float
    high: float
    start: float = 0
    end: float = 100

    def place(self, value: float) -> float:
        width = self.high - self.low
        return round(self.start + (self.end - self.start) * ((value - self.low) / width if width else 0.5), 2)


def steps(given: Sequence[Answer], until: dt.datetime, decimals: int, described: str) -> Markup:
    """What the record said from moment to moment; where it said nothing, there is no line."""
    known = [(answer.moment, answer.value) for answer in given if answer.value is not None]
    values = [value for _, value in known]
    low, high = min(values), max(values)
    down = Scale(low, high, 100 * (1 - HEAD), 100 * HEAD)
    begin, last = given[0].moment, given[-1].moment
    end = max(last + ONE_DAY, min(until, last + max((last - begin) / 4, A_WHILE)))
    across = Scale(ordinal(begin), ordinal(end), 1.5, 98.5)
    parts: list[Markup] = []
    for value in ticks(low, high, whole=decimals == 0):
        parts += tick(down.place(value), text.number(value, decimals))
    parts += date_axis((begin + ONE_DAY / 2).date(), end.date(), across)
    ends = [*(ordinal(answer.moment) for answer in given[1:]), across.high]
    for place, (answer, end) in enumerate(zip(given, ends, strict=True)):
        if answer.value is None:
            continue
        x, y, x2 = across.place(ordinal(answer.moment)), down.place(answer.value), across.place(end)
        before = given[place - 1].value if place else None
        if before is not None:
            parts.append(_line(x, x, down.place(before), y))
        parts += [
            _line(x, x2, y, y),
            element("circle", cx=f"{x}%", cy=f"{y}%", r="4"),
        ]
    parts += _labels(known, across, down, decimals)
    return element("svg", *parts, class_="plot steps", role="img", aria_label=described)


def ordinal(moment: dt.datetime) -> float:
    """In days: a date's ordinal, and the part of the day."""
    return moment.toordinal() + (moment - moment.replace(hour=0, minute=0, second=0)) / ONE_DAY


def _line(x1: float, x2: float, y1: float, y2: float) -> Markup:
    return element("line", class_="line", x1=f"{x1}%", x2=f"{x2}%", y1=f"{y1}%", y2=f"{y2}%")


def _labels(
    known: Sequence[tuple[dt.datetime, float]], across: Scale, down: Scale, decimals: int
) -> list[Markup]:
    """The first value, the last, and that after the greatest change, where there is room; each on the side
    to which its line doesn't turn."""
    after = max(range(len(known)), key=lambda place: abs(known[place][1] - known[max(0, place - 1)][1]))
    written: list[float] = []
    labels = []
    for place in dict.fromkeys([0, len(known) - 1, after]):
        moment, value = known[place]
        x, y = across.place(ordinal(moment)), down.place(value)
        if any(abs(x - other) < APART for other in written):
            continue
        written.append(x)
        below = value < known[1 if place == 0 else place - 1][1]
        anchor = "start" if x < NEAR_EDGE else "end" if x > 100 - NEAR_EDGE else "middle"
        labels.append(
            element(
                "text",
                text.number(value, decimals),
                class_="value",
                x=f"{x}%",
                y=f"{y}%",
                dy="20" if below else "-10",
                text_anchor=anchor,
            )
        )
    return labels


def restated(
    changes: Sequence[Restatement], first: dt.date, last: dt.date, href: Callable[[dt.date], str], unit: str
) -> Markup:
    """The map: the days from ``first`` to ``last`` across, from publication to publication downwards; a
    square a restatement, its area by its change. The links in it are for a pointer: the tables beside it
    have the same for everybody else."""
    begin = min(change.moment for change in changes).date()
    end = max(change.moment for change in changes).date()
    across, down = (
        Scale(first.toordinal(), last.toordinal(), 1, 99),
        Scale(begin.toordinal(), end.toordinal(), 2, 98),
    )
    most = max((abs(change.change) for change in changes if change.change is not None), default=1)
    parts = date_axis(first, last, across)
    for date in dates_between(begin, end, MOST_DOWN):
        parts += tick(down.place(date.toordinal()), f"{date.day} {date:%b}")
    early, late = max(first, begin - ONE_DAY), min(last, end - ONE_DAY)
    ends = [
        (across.place(date.toordinal()), down.place((date + ONE_DAY).toordinal())) for date in (early, late)
    ]
    (x1, y1), (x2, y2) = ends
    parts.append(element("line", class_="known", x1=f"{x1}%", x2=f"{x2}%", y1=f"{y1}%", y2=f"{y2}%"))
    for change in sorted(changes, key=lambda change: -abs(change.change or 0)):
        parts.append(_square(change, across, down, most, href, unit))
    parts += _remarks(changes, across, down)
    return element("svg", *parts, class_="plot map", aria_hidden="true")


def _remarks(changes: Sequence[Restatement], across: Scale, down: Scale) -> list[Markup]:
    """What the widest publication was, and that of the greatest changes, written where nothing is drawn."""
    by_date: dict[dt.date, list[Restatement]] = {}
    for change in changes:
        by_date.setdefault(change.moment.date(), []).append(change)
    widest = max(by_date, key=lambda date: len(by_date[date]))
    greatest = max(by_date, key=lambda date: sum(abs(change.change or 0) for change in by_date[date]))
    remarks = []
    for date in dict.fromkeys([widest, greatest]):
        restated = by_date[date]
        days = plural(len(restated), "day")
        most = max((change.change or 0 for change in restated), key=abs)
        what = f"{days} at once" if date == widest else f"{days} by up to {text.signed(most)}"
        sides = [across.place(change.date.toordinal()) for change in restated]
        on_left = min(sides) > 100 - max(sides)
        remarks.append(
            element(
                "text",
                element("tspan", f"{date.day}\u00a0{date:%B}: "),
                what,
                class_="remark",
                x=f"{min(sides) if on_left else max(sides)}%",
                dx="-14" if on_left else "14",
                y=f"{down.place(date.toordinal())}%",
                dy="4",
                text_anchor="end" if on_left else "start",
            )
        )
    return remarks


def _square(
    change: Restatement, across: Scale, down: Scale, most: float, href: Callable[[dt.date], str], unit: str
) -> Markup:
    size = change.change
    side = round(LEAST + (MOST - LEAST) * math.sqrt(abs(size or 0) / most), 1)
    title = f"{text.date(change.date)}: {text.signed(size)} {unit} on {text.date(change.moment)}"
    square = element(
        "rect",
        element("title", title),
        class_="gone" if size is None else "raised" if size > 0 else "lowered",
        x=f"{across.place(change.date.toordinal())}%",
        y=f"{down.place(change.moment.date().toordinal())}%",
        width=side,
        height=side,
        transform=f"translate({-side / 2:g} {-side / 2:g})",
    )
    return element("a", square, href=href(change.date), tabindex="-1")


def tick(place: float, label: str) -> list[Markup]:
    """A line across at that height, and what is written beside it."""
    y = f"{place}%"
    return [
        element("line", class_="grid", x1="0", x2="100%", y1=y, y2=y),
        element("text", label, class_="tick", x="-8", y=y, dy="4", text_anchor="end"),
    ]


def date_axis(first: dt.date, last: dt.date, across: Scale) -> list[Markup]:
    """The axis of time, below the picture."""
    parts = [element("line", class_="axis", x1="0", x2="100%", y1="100%", y2="100%")]
    dates = dates_between(first, last)
    for place, date in enumerate(dates):
        x = f"{across.place(date.toordinal())}%"
        label = f"{date:%b}" if all(date.day == 1 for date in dates) else f"{date.day} {date:%b}"
        lines = [element("tspan", label, x=x, dy="18")]
        if place == 0 or date.year != dates[place - 1].year:
            lines.append(element("tspan", str(date.year), x=x, dy="16"))
        parts += [
            element("line", class_="axis", x1=x, x2=x, y1="100%", y2="100%", transform="translate(0 5)"),
            element("text", *lines, class_="tick", x=x, y="100%", text_anchor="middle"),
        ]
    return parts


def dates_between(first: dt.date, last: dt.date, most: int = MOST_TICKS) -> list[dt.date]:
    """Up to so many dates that lie evenly within both: the first of months where they are far apart."""
    days = (last - first).days
    for step in (1, 2, 7, 14):
        if days // step < most:
            return [first + number * ONE_DAY for number in range(0, days + 1, step)]
    years = range(first.year, last.year + 1)
    months = [dt.date(year, month, 1) for year in years for month in range(1, 13)]
    found = [month for month in months if first <= month <= last]
    return found[:: -(-len(found) // most)]


def ticks(low: float, high: float, *, whole: bool) -> list[float]:
    """Round values within both, some four of them; the value itself where they are equal."""
    if low == high:
        return [low]
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(digit * power for digit in (1, 2, 5, 10) if digit * power >= rough)
    step = max(step, 1) if whole else step
    numbers = range(math.ceil(low / step), math.floor(high / step) + 1)
    return [round(number * step, 10) for number in numbers]

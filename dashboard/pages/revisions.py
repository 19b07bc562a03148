"""The map of revisions: which days were restated, when and by how much, and how figures settle. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from dashboard import drawing, text
from dashboard.addresses import Addresses
from dashboard.answers import Restatement, answers, restatements
from dashboard.pages import frame
from dashboard.pages.day import SHOWN
from dashboard.series import COUNTS, NAMES
from dashboard.settling import LATE, NEAR, Settling, settling, share
from dashboard.view import NEW, TOTAL
from schemas.text import plural
from storage.tables import Row

PATH, LINK = "/revisions", "Revisions"
SHOWS = {TOTAL: "Total to date", NEW: "New a day"}
UNITS = {TOTAL: "to date", NEW: "on the day"}


def read(query: Mapping[str, str]) -> tuple[str, str]:
    """The series and the measure that an address asks for; cases to date where it asks for none there is."""
    name, show = query.get("series"), query.get("show")
    return (name if name in COUNTS else COUNTS[0], show if show in SHOWS else TOTAL)


def content(entries: Sequence[Row], name: str, show: str, addresses: Addresses) -> list[Any]:
    """The page of one series."""
    heading = html.H1("When each day was rewritten", className="headline")
    if not entries:
        return [heading, html.P("Nothing has been entered yet.", className="lead")]
    changes = restatements(answers(entries, name, show), name)
    return [
        heading,
        html.P(lead(changes, entries, name, show), className="lead"),
        _switches(name, show, addresses),
        *(_map(changes, entries, name, show, addresses) if changes else []),
        html.H2("When a figure can be relied on"),
        *_settling(entries, name),
    ]


def title(name: str, show: str) -> str:
    return f"Daybook: when {NAMES[name].lower()}, {SHOWN[show]}, were restated"


def description(entries: Sequence[Row], name: str, show: str) -> str:
    return lead(restatements(answers(entries, name, show), name), entries, name, show)


def lead(changes: Sequence[Restatement], entries: Sequence[Row], name: str, show: str) -> str:
    """How many restatements of how many days there are."""
    figure = f"{NAMES[name].lower()}, {SHOWN[show]}"
    if not changes:
        return f"No figure of {figure}, was ever restated."
    dates = {change.date for change in changes}
    begin = min(row.recorded_at for row in entries)
    return (
        f"{plural(len(changes), 'restatement')} of {plural(len(dates), 'day')} since the record "
        f"began on {text.date(begin)}: {figure}."
    )


def _switches(name: str, show: str, addresses: Addresses) -> Any:
    def links(options: Mapping[str, str], chosen: str, href: Any) -> Any:
        return html.Div(
            [
                html.A(
                    label,
                    href=href(key),
                    className="option",
                    **(frame.aria(current="page") if key == chosen else {}),
                )
                for key, label in options.items()
            ],
            className="options",
        )

    return html.Nav(
        [
            links({key: NAMES[key] for key in COUNTS}, name, lambda key: addresses.revisions(key, show)),
            links(SHOWS, show, lambda key: addresses.revisions(name, key)),
        ],
        className="choices",
        **frame.aria(label="Figures"),
    )


def _map(
    changes: Sequence[Restatement], entries: Sequence[Row], name: str, show: str, addresses: Addresses
) -> list[Any]:
    first = min(change.date for change in changes)
    last = max(row.day.date for row in entries)
    unit = f"{NAMES[name].lower()} {UNITS[show]}"
    legend = html.P(
        [
            html.Span("raised", className="key raised"),
            html.Span("lowered", className="key lowered"),
            html.Span("where a day first appears", className="key known"),
            "A square is as large as its change. Across: the day; down: when it was published. "
            "A click opens the day.",
        ],
        className="legend",
    )
    figure = html.Figure(
        [drawing.restated(changes, first, last, addresses.day, unit), html.Figcaption(legend)],
        className="mapped",
    )
    return [html.Div([figure, _publications(changes, addresses)], className="beside")]


def _publications(changes: Sequence[Restatement], addresses: Addresses) -> Any:
    """A row a publication, the newest first."""
    by_date: dict[dt.date, list[Restatement]] = {}
    for change in changes:
        by_date.setdefault(change.moment.date(), []).append(change)
    rows = []
    for date, restated in sorted(by_date.items(), reverse=True):
        most = max(restated, key=lambda change: abs(change.change or 0))
        rows.append(
            [
                text.date(date),
                html.A(text.date(most.date), href=addresses.day(most.date)),
                text.signed(most.change),
                f"{len({change.date for change in restated}):,}",
            ]
        )
    header = ["Published", "Most, for", "Change", "Days"]
    caption = f"Publications that restated {NAMES[changes[0].series].lower()}: {len(rows)}, newest first"
    return frame.table(caption, header, rows, "publications", texts=(0, 1))


def _settling(entries: Sequence[Row], name: str) -> list[Any]:
    every = {(other, show): settling(entries, other, show) for other in COUNTS for show in SHOWS}
    chosen = {show: every[name, show] for show in SHOWS}
    if not all(found.days for found in chosen.values()):
        return [html.P("Each day was history already when the record began: how it came about is not known.")]
    return [
        *frame.bullets(said(name, chosen)),
        frame.table(
            "Days that first appeared since the record began. Settled: within 0.1 % of today's figure, "
            "for good. Days are counted from the first appearance: half of them, nine of ten, all.",
            [
                "Figure",
                "Days",
                "Restated",
                "Settled at first",
                "Settled after",
                "Changes came after",
                "First off by",
            ],
            [
                [
                    f"{NAMES[other]}, {SHOWN[show]}",
                    f"{found.days:,}",
                    f"{found.restated:,}",
                    f"{found.near_at_first:,}",
                    _three(found.settled, "{:,}", " days"),
                    _three(found.lags, "{:,}", " days"),
                    _three([part * 100 for part in found.off], "{:,.2f}", "\u00a0%"),
                ]
                for (other, show), found in every.items()
                if found.days
            ],
            "settling",
        ),
    ]


def said(name: str, settled: Mapping[str, Settling]) -> list[str]:
    """The same in plain words, of one series."""
    total, new = settled[TOTAL], settled[NEW]
    figures = NAMES[name].lower()
    sentences = [
        f"Of {plural(total.days, 'day')} that the record saw appear, {total.near_at_first:,} first totals "
        f"of {figures} lie within {NEAR * 100:g} % of what is said today. Of {new.days:,} first daily "
        f"figures, {new.near_at_first:,} do.",
        f"Of the totals {_days(total)}. Of the daily figures {_days(new)}.",
    ]
    if new.lags:
        sentences.append(
            f"These daily figures were restated {plural(len(new.lags), 'time')}, half of them within "
            f"{plural(int(share(new.lags, 0.5)), 'day')} of its first appearance, the latest after "
            f"{plural(new.lags[-1], 'day')}."
        )
        sentences.append(
            f"A first daily figure was off by up to {_percent(new.off, 0.5)} for half of the days, "
            f"{_percent(new.off, 0.9)} for nine of ten, and {_percent(new.off, 1)} at worst."
        )
    if new.late:
        sentences.append(
            f"{plural(new.late, 'day')} first appeared in the record's last {LATE} days: these may change "
            "yet."
        )
    return sentences


def _days(settled: Settling) -> str:
    half, most, every = (int(share(settled.settled, part)) for part in (0.5, 0.9, 1))
    parts = {"half": half, "nine of ten": most, "all": every}
    # Where fewer took no longer, only the most is worth a word.
    widest = {days: part for part, days in parts.items()}
    return ", ".join(f"{part} had settled {_within(days)}" for days, part in widest.items())


def _within(days: int) -> str:
    return f"within {plural(days, 'day')}" if days else "at once"


def _three(values: Sequence[float], written: str, unit: str) -> str:
    """Half, nine of ten, and all."""
    if not values:
        return "\u2013"
    return ", ".join(written.format(share(values, part)) for part in (0.5, 0.9, 1)).replace("inf", "∞") + unit


def _percent(values: Sequence[float], part: float) -> str:
    """``1.18 %``; of nothing everything is infinitely much."""
    return f"{share(values, part) * 100:.2f}\u00a0%".replace("inf", "∞")

"""The tables under the chart: what was restated, and the figures, a page at a time. Pure."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard import parts, words
from dashboard.choice import Choice
from dashboard.record import Seen
from dashboard.series import NAMES, SERIES, Figure, Restated, decimals, rounded

ROWS_PER_PAGE = 28
MAX_RESTATED = 40


def restated(seen: Seen) -> list[Component]:
    """Figures that were restated after the chosen date: the newest dates, and where to get all."""
    if not seen.restated:
        return []
    total = len(seen.restated)
    caption = f"Restated since then: {words.count(total, 'figure')}"
    if total > MAX_RESTATED:
        caption = f"Restated since then: the newest {MAX_RESTATED} of {total:,} figures"
    href = "/data/restated.csv" + seen.choice.query()
    return [
        html.H2("What was restated"),
        parts.table(
            [
                f"{caption}, {words.unit('cases', seen.choice)} (",
                html.A("all as CSV", href=href, id="restated-csv"),
                ")",
            ],
            ["Date", "Figure", "Then", "Now", "Change", "Last entered"],
            [_change(change, seen.choice) for change in reversed(seen.restated[-MAX_RESTATED:])],
            "restated",
            texts=(0, 1, 5),
        ),
    ]


def _change(change: Restated, choice: Choice) -> list[str]:
    places = decimals(change.series, choice)
    difference = None if change.then is None or change.now is None else change.now - change.then
    return [
        str(change.date),
        NAMES[change.series],
        words.number(change.then, places),
        words.number(change.now, places),
        words.signed(difference, places),
        words.moment(change.entered_at),
    ]


def table(seen: Seen) -> list[Component]:
    """What the chart shows, the newest date first, a page at a time; where the record as it stood is shown,
    from its own newest date back."""
    sides = [side for side in (seen.then, seen.now) if side is not None]
    places = range(len(seen.now.dates))
    if seen.rows_then:
        newest = seen.rows_then[-1].day.date
        places = [place for place in places if seen.now.dates[place] <= newest] or places
    if not places:
        return []
    pages = -(-len(places) // ROWS_PER_PAGE)
    page = min(seen.choice.page, pages)
    start = (page - 1) * ROWS_PER_PAGE
    rows = [
        [
            str(seen.now.dates[place]),
            *(
                _cell(name, side.figures[name][place], side.silences[name][place], seen.choice)
                for side in sides
                for name in SERIES
            ),
        ]
        for place in places[::-1][start : start + ROWS_PER_PAGE]
    ]
    header = [NAMES[name] + (", %" if name == "fatality" else "") for name in SERIES]
    if seen.then is not None:
        header += [f"{text} today" for text in header]
    caption = (
        f"What the chart shows: {words.unit('cases', seen.choice)}. "
        f"Days {start + 1}–{start + len(rows)} of {len(places)}, newest first"
    )
    return [
        html.H2("The table"),
        parts.table(caption, ["Date", *header], rows, "table"),
        _pages(seen.choice, page, pages),
    ]


def _cell(name: str, value: Figure, silence: str, choice: Choice) -> Any:
    if silence:
        return html.Span(silence, className="silence")
    return words.number(rounded(value, name, choice), decimals(name, choice))


def _pages(choice: Choice, page: int, pages: int) -> Component:
    newer = [parts.link("Newer days", parts.address(choice, page=page - 1), "newer")] if page > 1 else []
    older = [parts.link("Older days", parts.address(choice, page=page + 1), "older")] if page < pages else []
    return html.Nav(
        [*newer, html.Span(f"Page {page} of {pages}"), *older],
        className="pages",
        **parts.aria(label="Pages of the table"),
    )

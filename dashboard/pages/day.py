"""A day's page: every answer of the record, when it came, by which run and from which files. Pure."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html

from dashboard import drawing, text
from dashboard.addresses import Addresses
from dashboard.answers import Answer, answers
from dashboard.pages import frame
from dashboard.series import COUNTS, NAMES, ONE_DAY, WEEK, Figure
from dashboard.view import NEW, TOTAL
from schemas.figures import PUBLISHERS, SOURCES
from schemas.ledger import is_backfilled
from schemas.text import plural
from storage.tables import Row

SHOWN = {TOTAL: "total to date", NEW: "new that day"}
NUMBERS = [
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
]
SMALL = 0.01  # percent: below it two decimals would say nothing
HASH_LENGTH = 12  # characters of a file's hash; all of it is in its title

Files = Mapping[str, Mapping[str, str]]  # run → source → SHA-256


def title(date: dt.date) -> str:
    return f"{date:%A}, {text.date(date)}"


def description(entries: Sequence[Row], date: dt.date) -> str:
    """What became of it, in two sentences."""
    near = [row for row in entries if row.day.date == date]
    return lead(answers(near, COUNTS[0])[date], entries, near)


def lacking(entries: Sequence[Row], date: dt.date | None, addresses: Addresses) -> list[Any]:
    """The page of a date that the record lacks, or of what is no date."""
    what = (
        "That is no date as YYYY-MM-DD." if date is None else f"The record has nothing of {text.date(date)}."
    )
    dates = {row.day.date for row in entries}
    span = (
        f" It spans {text.date(min(dates))} to {text.date(max(dates))}." if dates else " It is empty so far."
    )
    return [
        html.H1("No such day", className="headline"),
        html.P(what + span, className="lead"),
        html.P(html.A("Every day that was restated", href=addresses.revisions())),
    ]


def content(entries: Sequence[Row], date: dt.date, files: Files, addresses: Addresses) -> list[Any]:
    """The page of a date that the record has."""
    mine = [row for row in entries if row.day.date == date]
    near = [row for row in entries if date - ONE_DAY <= row.day.date <= date]
    until = max(row.recorded_at for row in entries)
    given = {
        (name, show): answers(near, name, show).get(date, []) for name in COUNTS for show in (TOTAL, NEW)
    }
    dates = sorted({row.day.date for row in entries})
    return [
        html.H1(title(date), className="headline"),
        _neighbours(dates, date, addresses),
        html.P(lead(given["cases", TOTAL], entries, mine), className="lead"),
        _then_and_now(given),
        html.Div(
            [_picture(name, show, each, until) for (name, show), each in given.items() if len(each) > 1],
            className="pictures",
        ),
        html.H2("Every entry"),
        _entries(mine, files, date, addresses),
    ]


def lead(given: Sequence[Answer], entries: Sequence[Row], mine: Sequence[Row]) -> str:
    """What became of the day's cases, in two sentences."""
    first, last = given[0], given[-1]
    sentences = f"On {text.date(first.moment)} the record first said {text.number(first.value)} cases to date"
    if len(given) == 1:
        sentences += ", and has said so ever since."
    else:
        part = "" if not first.value else f", {percent((last.value or 0) / first.value - 1)}"
        difference = text.signed((last.value or 0) - (first.value or 0))
        sentences += (
            f". Since {text.date(last.moment)} it says {text.number(last.value)} ({difference}{part}): "
            f"{spelled(len(given), 'answer')} in all."
        )
    if (
        min(row.recorded_at for row in entries) == mine[0].recorded_at
        and (first.moment.date() - mine[0].day.date).days > WEEK
    ):
        sentences += " That was the record's first run: what was said of this day before, it doesn't know."
    return sentences


def spelled(number: int, noun: str) -> str:
    """``eight answers``; from thirteen on in figures."""
    spelt = NUMBERS[number] if number < len(NUMBERS) else f"{number:,}"
    return f"{spelt} {noun}{'' if number == 1 else 's'}"


def percent(part: float) -> str:
    """``+0.28 %``; what is smaller has as many decimals as show it."""
    value = abs(part * 100)
    decimals = 2 if value >= SMALL or not value else min(6, -math.floor(math.log10(value)))
    return f"{text.signed(part * 100, decimals)}\u00a0%"


def _neighbours(dates: Sequence[dt.date], date: dt.date, addresses: Addresses) -> Any:
    place = dates.index(date)
    links = []
    if place > 0:
        before = dates[place - 1]
        links.append(html.A(f"‹ {text.date(before)}", href=addresses.day(before), rel="prev"))
    links.append(html.A("All revisions", href=addresses.revisions()))
    if place < len(dates) - 1:
        after = dates[place + 1]
        links.append(html.A(f"{text.date(after)} ›", href=addresses.day(after), rel="next"))
    return html.Nav(links, className="pages", **frame.aria(label="Other days"))


def _then_and_now(given: Mapping[tuple[str, str], Sequence[Answer]]) -> Any:
    rows = []
    for (name, show), each in given.items():
        if not each:
            continue
        first, last = each[0], each[-1]
        change = None if last.value is None or first.value is None else last.value - first.value
        part = "" if not change or not first.value else percent(change / first.value)
        rows.append(
            [
                f"{NAMES[name]}, {SHOWN[show]}",
                _figure(first.value),
                _figure(last.value),
                text.signed(change),
                part,
                str(len(each)),
                text.date(last.moment),
            ]
        )
    header = ["Figure", "At first", "Today", "Change", "In percent", "Answers", "The last on"]
    return frame.table("What was said first, and what is said today", header, rows, "then", texts=(0, 6))


def _picture(name: str, show: str, given: Sequence[Answer], until: dt.datetime) -> Any:
    heading = f"{NAMES[name]}, {SHOWN[show]}"
    count = spelled(len(given), "answer")
    described = f"{heading}: {count}, from {_said(given[0])} to {_said(given[-1])}"
    return html.Figure(
        [
            html.Figcaption([html.B(heading), f": {count}, the last on {text.date(given[-1].moment)}"]),
            drawing.steps(given, until, 0, described),
        ]
    )


def _said(answer: Answer) -> str:
    return f"{_figure(answer.value)} on {text.date(answer.moment)}"


def _figure(value: Figure) -> str:
    return "not reported" if value is None else text.number(value)


def _entries(mine: Sequence[Row], files: Files, date: dt.date, addresses: Addresses) -> Any:
    rows: list[list[Any]] = []
    for number, row in enumerate(mine, 1):
        before = mine[number - 2] if number > 1 else None
        run = (row.run or "").partition("#")[0]
        hashes = files.get(row.run or "", {})
        rows.append(
            [
                str(number),
                text.when(row.recorded_at),
                *(_entered(row, before, name) for name in COUNTS),
                [html.Code(run), *_origin(row)] if run else "not known",
                *(
                    html.Code(hashes[source][:HASH_LENGTH], title=hashes[source])
                    if source in hashes
                    else "not known"
                    for source in SOURCES
                ),
            ]
        )
    header = ["Entry", "Entered", *(NAMES[name] for name in COUNTS), "Run"]
    header += [f"File: {PUBLISHERS[source]}" for source in SOURCES]
    order = ", the oldest first" if len(rows) > 1 else ""
    counted = f"{text.date(date)}: {plural(len(rows), 'entry')}{order}; of each file its SHA-256 ("
    caption = [counted, html.A("CSV", href=addresses.entries(date)), ")"]
    texts = (0, 1, *range(len(header) - 1 - len(SOURCES), len(header)))
    return html.Div(frame.table(caption, header, rows, "entries", texts=texts), className="entries")


def _origin(row: Row) -> list[Any]:
    """That an entry was made from the sources' public history."""
    return [" from the public history"] if row.run and is_backfilled(row.run) else []


def _entered(row: Row, before: Row | None, name: str) -> Any:
    """The figure, and what it changed."""
    value = row.day.counts.values[name]
    old = value if before is None else before.day.counts.values[name]
    if value is None or old is None or value == old:
        return _figure(value)
    return [_figure(value), html.Div(text.signed(value - old), className="change")]

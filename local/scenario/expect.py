"""Whether a cloud is as a scenario expects: what was expected and what was found, in words."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from local.aws.publication import Publication
from local.in_process import InProcessCloud
from local.scenario import reading
from local.scenario.operator import NoAnswer
from local.scenario.says import says
from local.scenario.values import Figures
from schemas.figures import FIGURES
from schemas.notice import ALERTS, DAILY_REPORT

Check = Callable[[InProcessCloud, Any], Iterator[str]]


def problems(cloud: InProcessCloud, expected: Mapping[str, Any], closing: str) -> list[str]:
    """What is not as expected. ``closing`` is the closing run's request."""
    found: list[str] = []
    for name, value in expected.items():
        try:
            check = _closing(cloud, value, closing) if name == "closing run" else CHECKS[name](cloud, value)
            found += check
        except NoAnswer as error:
            found.append(f"{name}: {error}")
    return found


def _daily(cloud: InProcessCloud, expected: Mapping[dt.date, Figures | None]) -> Iterator[str]:
    yield from _days("daily", reading.daily(cloud), expected)


def _as_of(cloud: InProcessCloud, expected: Mapping[dt.datetime, Any]) -> Iterator[str]:
    for moment, days in expected.items():
        yield from _days(f"as of {moment:%Y-%m-%dT%H:%M:%SZ}", reading.as_of(cloud, moment), days)


def _days(what: str, rows: Iterable[Any], expected: Mapping[dt.date, Figures | None]) -> Iterator[str]:
    found = {row.day.date: reading.figures(row.day.counts) for row in rows}
    for date, wanted in expected.items():
        figures = found.get(date)
        shown = figures[: len(wanted)] if figures is not None and wanted is not None else figures
        if shown != wanted:
            yield f"{what}, {date}: expected {_words(wanted)}, found {_words(shown)}"


def _entries(cloud: InProcessCloud, expected: Mapping[dt.date, tuple[Figures, ...]]) -> Iterator[str]:
    for date, wanted in expected.items():
        found = [reading.figures(row.day.counts) for row in reading.entries(cloud, date)]
        same = len(found) == len(wanted) and all(
            figures[: len(of)] == of for figures, of in zip(found, wanted, strict=True)
        )
        if not same:
            longest = max(map(len, wanted), default=1)
            shown = ", ".join(_words(figures[:longest]) for figures in found)
            asked = ", ".join(map(_words, wanted))
            yield f"entries of {date}: expected {asked or 'none'}, found {shown or 'none'}"


def _pending(cloud: InProcessCloud, expected: list[dt.date]) -> Iterator[str]:
    for place, said in says(cloud).items():
        if differing := said.differs(expected):
            yield f"pending: expected {', '.join(map(str, expected)) or 'none'}, {place} says {differing}"


def _lag(cloud: InProcessCloud, expected: int) -> Iterator[str]:
    for place, said in says(cloud).items():
        if said.lag is not None and said.lag != expected:
            yield f"lag: expected {expected}, {place} says {said.lag}"


def _count(topic: str, what: str) -> Check:
    def check(cloud: InProcessCloud, expected: int) -> Iterator[str]:
        found = [str(item.subject) for item in reading.messages(cloud, topic)]
        if len(found) != expected:
            yield f"{what}: expected {expected}, found {len(found)}" + "".join(f"\n    {s}" for s in found)

    return check


def _saying(cloud: InProcessCloud, expected: Iterable[str]) -> Iterator[str]:
    found = [_text(item) for item in reading.messages(cloud)]
    for text in expected:
        if not any(text in message for message in found):
            yield f"saying: expected {text!r} in a message, found it in none of {len(found)}"


def _never_saying(cloud: InProcessCloud, expected: Iterable[str]) -> Iterator[str]:
    for text in expected:
        for item in reading.messages(cloud):
            if text in _text(item):
                yield f"never saying: {text!r} is in {str(item.subject)!r} of {item.time:%Y-%m-%d %H:%M} UTC"


def _closing(cloud: InProcessCloud, expected: str, request: str) -> Iterator[str]:
    run = next((run for run in reading.runs(cloud) if run.request == request), None)
    state = run.state if run else "none"
    if state != expected:
        reasons = f": {'; '.join(run.reasons)}" if run and run.reasons else ""
        yield f"closing run: expected {expected}, found {state}{reasons}"


CHECKS: dict[str, Check] = {
    "daily": _daily,
    "entries": _entries,
    "as of": _as_of,
    "pending": _pending,
    "lag": _lag,
    "reports": _count(DAILY_REPORT, "reports"),
    "alerts": _count(ALERTS, "alerts"),
    "saying": _saying,
    "never saying": _never_saying,
}


def _text(item: Publication) -> str:
    """All that a message says, in each of its forms."""
    return "\n".join([str(item.subject), *(item.text(protocol) for protocol in ("email", "sms", "https"))])


def _words(figures: Figures | None) -> str:
    if figures is None:
        return "no such day"
    parts = [
        f"{'not reported' if value is None else value} {figure.name}"
        for figure, value in zip(FIGURES, figures, strict=False)
    ]
    return parts[0].split()[0] if len(parts) == 1 else "(" + ", ".join(parts) + ")"

"""What was entered lately, in words: for the first page, the map and the feed. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from dash import html

from dashboard import series, text
from dashboard.addresses import Addresses
from dashboard.answers import Publication, Restatement
from dashboard.series import NAMES
from schemas.text import plural

MOST = 5


def changed_lately(publications: Sequence[Publication], addresses: Addresses) -> list[Any]:
    """The newest publications that restated something; nothing where none did."""
    restating = [each for each in publications if each.restated][:MOST]
    if not restating:
        return []
    items = [html.Li([html.B(text.date(each.moment)), ": ", *told(each, addresses)]) for each in restating]
    return [
        html.H2("Changed lately"),
        html.Ul(items, className="lately"),
        html.P(
            [
                html.A("Every revision", href=addresses.revisions()),
                ", and as ",
                html.A("a feed", href=addresses.feed),
                ".",
            ]
        ),
    ]


def told(publication: Publication, addresses: Addresses) -> list[Any]:
    """``6 days restated, 17 December 2020 to 27 December 2020; 1 day new, …. The most: cases to 25 December
    2020 +9,072.``, with links to the days."""
    changes = greatest(publication.restated)
    texts: list[Any] = [entered(publication)]
    for number, change in enumerate(changes):
        texts += [
            ", " if number else ". The most: ",
            f"{NAMES[change.series].lower()} to ",
            html.A(text.date(change.date), href=addresses.day(change.date)),
            f" {text.signed(change.change)}",
        ]
    if len(publication.revised) == 1:
        (date,) = publication.revised
        figures = ", ".join(
            f"{NAMES[change.series].lower()} {text.signed(change.change)}" for change in changes
        )
        link = html.A(text.date(date), href=addresses.day(date))
        new = _entered((), publication.recorded)
        texts = [link, " restated", f": {figures}" if figures else "", f"; {new}" if new else ""]
    return [*texts, "."]


def entered(publication: Publication) -> str:
    """How many days the publication restated and recorded, from the oldest to the newest."""
    return _entered(publication.revised, publication.recorded)


def _entered(revised: Sequence[dt.date], recorded: Sequence[dt.date]) -> str:
    return "; ".join(
        f"{plural(len(dates), 'day')} {verb}, {text.stretch(series.Stretch(min(dates), max(dates)))}"
        for verb, dates in (("restated", revised), ("new", recorded))
        if dates
    )


def greatest(restated: Iterable[Restatement]) -> list[Restatement]:
    """Of each series the change that is greatest, in the order of the series."""
    known: dict[str, Restatement] = {}
    for change in restated:
        if change.change is not None and abs(change.change) > abs(
            (known[change.series].change if change.series in known else None) or 0
        ):
            known[change.series] = change
    return [known[name] for name in NAMES if name in known]

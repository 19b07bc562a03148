"""The map of revisions, a page a day and the feed as files: the dashboard's own, in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dash import html
from markupsafe import Markup

from dashboard import text
from dashboard.addresses import Addresses
from dashboard.answers import publications
from dashboard.lately import changed_lately
from dashboard.markup import element, markup
from dashboard.pages import day, frame, record, revisions
from dashboard.routes import feed
from dashboard.series import COUNTS
from storage.tables import Row

STYLE = "style.css"
HERE, BELOW = (
    Addresses("", ".html"),
    Addresses("../", ".html"),
)  # as seen from a file here, or from one in day/
# A page that is opened from a disk is no origin of its own: `file:` stands for it.
POLICY = "default-src 'none'; style-src 'self' file:"


def write(folder: Path, entries: Sequence[Row], files: day.Files, style: str, *, synthetic: bool) -> None:
    """Write them beside the first page."""
    (folder / "day").mkdir(exist_ok=True)
    (folder / STYLE).write_text(style, encoding="utf-8")
    for name in COUNTS:
        for show in revisions.SHOWS:
            content = revisions.content(entries, name, show, HERE)
            about = revisions.description(entries, name, show)
            page = _page(revisions.title(name, show), about, HERE, content, synthetic=synthetic)
            (folder / HERE.revisions(name, show)).write_text(page, encoding="utf-8")
    for date in sorted({row.day.date for row in entries}):
        content, about = day.content(entries, date, files, BELOW), day.description(entries, date)
        page = _page(f"Daybook: {day.title(date)}", about, BELOW, content, synthetic=synthetic)
        (folder / HERE.day(date)).write_text(page, encoding="utf-8")
    news = feed.atom(publications(entries), HERE, "static", text.CREDIT)
    (folder / HERE.feed).write_bytes(news)


def lately(entries: Sequence[Row]) -> Markup:
    """What changed lately, for the first page."""
    return markup(changed_lately(publications(entries), HERE))


def _page(title: str, about: str, addresses: Addresses, content: Any, *, synthetic: bool) -> str:
    links = [(record.LINK, addresses.record), (revisions.LINK, addresses.revisions())]
    head = element("meta", http_equiv="Content-Security-Policy", content=POLICY)
    head += element("link", rel="stylesheet", href=addresses.root + STYLE)
    body = html.Div(
        [
            *([frame.made_up()] if synthetic else []),
            frame.masthead(links, html.Div()),
            html.Main(content, id="content"),
            html.Footer(frame.credit()),
        ],
        className="sheet",
    )
    return frame.document(title, about, head, markup(body))

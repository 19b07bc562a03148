"""The pages that need no script: the map of revisions, a page a day, the frame for other sites, the feed."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from dash import html
from flask import Flask, Response, request
from markupsafe import Markup

from dashboard import pages, text, view
from dashboard.addresses import Addresses
from dashboard.cache import Desk, Snapshot
from dashboard.markup import element, markup
from dashboard.pages import day, embed, frame, revisions
from dashboard.pages.frame import HERE
from dashboard.routes import feed, origin
from storage.tables import Row

HTML, ATOM = "text/html; charset=utf-8", "application/atom+xml; charset=utf-8"


class Drawn:
    """What was drawn of the entries that were last read, by its address."""

    def __init__(self) -> None:
        self._kept: tuple[object, object, dict[object, Any]] = (None, None, {})

    def get(self, snapshot: Snapshot, address: object, draw: Callable[[], Any]) -> Any:
        """What is drawn there, drawn anew when there are other entries."""
        entries, files, drawn = self._kept  # another thread may begin anew
        if entries is not snapshot.entries or files is not snapshot.files:
            drawn = {}
            self._kept = snapshot.entries, snapshot.files, drawn
        if address not in drawn:
            drawn[address] = draw()
        return drawn[address]


def register(server: Flask, desk: Desk, stylesheets: list[str]) -> None:
    """Serve them. Every page is answered from memory."""
    drawn = Drawn()
    head = Markup().join(element("link", rel="stylesheet", href=href) for href in stylesheets)
    head += frame.HEAD

    def answer(
        snapshot: Snapshot, title: str, description: str, main: Any, status: int = HTTPStatus.OK
    ) -> Response:
        body = frame.sheet(snapshot, pages.LINKS, main)
        return Response(frame.document(title, description, head, body), status, content_type=HTML)

    def unread(snapshot: Snapshot) -> Response:
        main = html.H1("The figures have not been read yet", className="headline")
        response = answer(snapshot, "Daybook", "Not read yet", main, HTTPStatus.SERVICE_UNAVAILABLE)
        response.headers["Retry-After"] = "60"
        return response

    @server.get(revisions.PATH)
    def revisions_page() -> Response:
        snapshot = desk.look(entries=True)
        if snapshot.entries is None:
            return unread(snapshot)
        entries = snapshot.entries
        chosen = revisions.read(request.args)
        description, main = drawn.get(snapshot, chosen, lambda: _revisions(entries, *chosen))
        return answer(snapshot, revisions.title(*chosen), description, main)

    @server.get("/day/<date>")
    def day_page(date: str) -> Response:
        snapshot = desk.look(entries=True)
        if snapshot.entries is None:
            return unread(snapshot)
        entries, asked = snapshot.entries, view.date(date)
        if asked is None or asked not in {row.day.date for row in entries}:
            main = day.lacking(entries, asked, HERE)
            return answer(snapshot, "Daybook: no such day", "No such day", main, HTTPStatus.NOT_FOUND)
        description, main = drawn.get(snapshot, asked, lambda: _day(snapshot, entries, asked))
        return answer(snapshot, f"Daybook: {day.title(asked)}", description, main)

    @server.get(embed.PATH)
    def embed_page() -> Response:
        asked = view.read(request.query_string.decode("ascii", "replace"))
        snapshot = desk.look(**embed.needs(asked))
        if snapshot.rows is None:
            return unread(snapshot)
        seen = snapshot.seen(asked)
        body = markup(embed.content(seen, synthetic=snapshot.settings.synthetic))
        return Response(
            frame.document(text.title(asked), embed.description(seen), head, body), content_type=HTML
        )

    @server.get(HERE.feed)
    def feed_atom() -> Response:
        snapshot = desk.look(entries=True)
        if snapshot.entries is None:
            return unread(snapshot)
        # By host, so not kept: a request may name any.
        content = feed.atom(
            snapshot.publications, Addresses(origin.root()), snapshot.settings.stack, text.CREDIT
        )
        return Response(content, content_type=ATOM)


def _day(snapshot: Snapshot, entries: tuple[Row, ...], date: dt.date) -> tuple[str, Markup]:
    content = day.content(entries, date, snapshot.files, HERE)
    return day.description(entries, date), markup(content)


def _revisions(entries: tuple[Row, ...], name: str, show: str) -> tuple[str, Markup]:
    content = revisions.content(entries, name, show, HERE)
    return revisions.description(entries, name, show), markup(content)

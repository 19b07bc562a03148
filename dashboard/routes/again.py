"""Answers of the record's page that were given before: readers ask for the same few dates of one record."""

from collections import OrderedDict
from http import HTTPStatus
from threading import Lock
from typing import Any

from flask import Response, g, request

from dashboard.cache import Desk, Snapshot
from dashboard.pages import frame, ids, record
from dashboard.routes import packing
from dashboard.routes.packing import JSON

CALLBACK = "/_dash-update-component"
MOST = 300  # answers, of some 25 kB each
WITH_ENTRIES = f"{ids.CHART}.figure"  # in the outputs of the callback that draws the page


class Given:
    """What was answered, by what was asked of which record; the oldest is forgotten first."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = Lock()
        self._answers: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def find(self) -> Response | None:
        """The answer to this request, where it was given before."""
        question = g.question = self._question() if request.path == CALLBACK else None
        with self._lock:
            body = self._answers.get(question) if question else None
        if question is None or body is None:
            return None
        response = Response(body, content_type=JSON)
        if encoding := question[0]:
            response.headers["Content-Encoding"] = encoding
            response.vary.add("Accept-Encoding")
        g.question = None
        return response

    def keep(self, response: Response) -> Response:
        """The response, which is kept where its request may be repeated."""
        question = g.get("question")
        if question and response.status_code == HTTPStatus.OK:
            with self._lock:
                self._answers[question] = response.get_data()
                if len(self._answers) > MOST:
                    self._answers.popitem(last=False)
        return response

    def _question(self) -> tuple[Any, ...] | None:
        """All that the answer follows from; None where it follows from the time as well."""
        asked: Any = request.get_json(silent=True)
        try:
            path, search, *_ = [each.get("value") for each in asked["inputs"]]
            drawn, output = asked["state"][0].get("value"), asked["output"]
            moved = asked["changedPropIds"]
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return None
        if path != record.PATH or WITH_ENTRIES not in output or f"{ids.TICK}.n_intervals" in moved:
            return None
        snapshot: Snapshot = self._desk.look(entries=True)
        if snapshot.waiting:
            return None
        return packing.encoding(), frame.version(snapshot), snapshot.entries_trailing, search, drawn, output

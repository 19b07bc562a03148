"""What every address under /data/ answers with: a file, JSON with whose figures they are, or a problem."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Self

from flask import Response
from marshmallow import Schema

from dashboard import json_answers, text
from dashboard.cache import Snapshot
from schemas.moment import written

CSV, JSON, PROBLEM = "text/csv; charset=utf-8", "application/json", "application/problem+json"
A_MINUTE = "60"  # seconds


@dataclass(frozen=True)
class Answer:
    """What an answer is made of: when that was read (None: never), its stamp, whether some of it may be
    missing, and whether it is made up."""

    read_at: dt.datetime | None
    stamp: int
    trailing: bool
    synthetic: bool

    @classmethod
    def of_rows(cls, snapshot: Snapshot) -> Self:
        trailing = snapshot.trailing or snapshot.waiting or bool(snapshot.problems)
        return cls(snapshot.read_at, snapshot.stamp, trailing, snapshot.settings.synthetic)

    @classmethod
    def of_entries(cls, snapshot: Snapshot) -> Self:
        trailing = snapshot.entries_trailing or snapshot.waiting or bool(snapshot.problems)
        return cls(snapshot.entries_read_at, snapshot.entries_stamp, trailing, snapshot.settings.synthetic)

    def __and__(self, other: Self) -> Self:
        """The same of an answer that is made of both."""
        read_at = min(self.read_at, other.read_at) if self.read_at and other.read_at else None
        return replace(self, read_at=read_at, trailing=self.trailing or other.trailing)


def document(schema: Schema, answer: Answer, content: Mapping[str, object]) -> str:
    """JSON with what must go wherever the figures go."""
    about = {
        "credit": [text.CREDIT_NYT, text.CREDIT_JHU],
        "synthetic": answer.synthetic,
        "trailing": answer.trailing,
        "read_at": None if answer.read_at is None else written(answer.read_at),
    }
    return json.dumps(schema.dump({**about, **content}), ensure_ascii=False, separators=(",", ":"))


def download(content: str | bytes, kind: str, answer: Answer, name: str, ending: str) -> Response:
    """A file under its name."""
    file = f"{text.named(name, synthetic=answer.synthetic)}.{ending}"
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    response.headers["X-Daybook-Trailing"] = "true" if answer.trailing else "false"
    return response


def problem(status: int, detail: str, parameter: str | None = None) -> Response:
    """What is wrong, as RFC 9457 has it."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "parameter": parameter,
    }
    body = json.dumps(json_answers.PROBLEM.dump(content), separators=(",", ":"))
    return Response(body, status, content_type=PROBLEM)


def not_read() -> Response:
    """The problem where there is nothing yet to answer with."""
    sentence = (
        "The figures that this is made of have not been read yet: they are still on their way, or the store "
        "or the ledger is out of reach. Try again in a minute."
    )
    response = problem(HTTPStatus.SERVICE_UNAVAILABLE, sentence)
    response.headers["Retry-After"] = A_MINUTE
    return response

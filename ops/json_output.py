"""Answers of commands as JSON. A command's module declares its own (``ANSWER``); here is what several share.

``docs/schemas/ops.<command>.json`` is generated from them. Money is in U.S. dollars.
"""

import json
from typing import Any

import click
from marshmallow import Schema, fields

from schemas.answer import Answer, counts, hashes, length, listed, moment, text, whole
from schemas.ledger import SETS


def as_json(schema: Schema, value: Any) -> None:
    """Write a value as the schema declares it, in ASCII: whatever the terminal's encoding is, it is JSON."""
    click.echo(json.dumps(schema.dump(value)))


class RemarkText(fields.String):
    """The text of a remark."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> str:
        return value.text


class RowAnswer(Answer.from_dict(counts("day.counts."))):  # type: ignore[misc] a base that is computed
    """A day as the tables have it."""

    date = text("day.date")
    recorded_at = moment()


class RunAnswer(Answer.from_dict({name: length() for name in SETS})):  # type: ignore[misc] a base that is computed
    """A run, and how many dates came to what."""

    run = text("name")
    time = moment()
    trigger = text()
    state = text()
    pending = length()
    newest = text(nullable=True)
    files = hashes()
    reasons = listed()
    reason_count = whole()
    accepted = listed(RemarkText)
    warnings = listed(RemarkText)
    notice = text(nullable=True)

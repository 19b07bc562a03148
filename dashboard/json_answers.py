"""What the dashboard's addresses answer with as JSON, each declared once: /status.json and /data/*.json."""

from collections.abc import Iterable
from typing import Any

from marshmallow import fields

from schemas import columns
from schemas.answer import Answer, field, listed, text, whole, yes_or_no
from schemas.columns import Column
from schemas.ledger import SETS


class Data(Answer):
    """What must be said wherever the figures go."""

    credit = listed()
    synthetic = yes_or_no()
    trailing = yes_or_no()
    read_at = text()


class Lines(fields.Nested):
    """Values that are as their schema says already: a schema's price is by the value, and these are many."""

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return value


def cells(header: Iterable[Column]) -> dict[str, Any]:
    """A field a column."""
    return {
        column.name: (whole if column.kind == "integer" else text)(nullable=column.nullable)
        for column in header
    }


class Day(Answer.from_dict(cells(columns.DAYS))):  # type: ignore[misc] a base that is computed
    """A day; a figure is null where it is not reported."""


class Entry(Answer.from_dict(cells(columns.ENTRIES))):  # type: ignore[misc] a base that is computed
    """An entry, with its rank among its date's entries, and the days from its date to its entry."""


class DaysData(Data):
    """/data/days.json: each day as it stands, or as it was believed at a moment, oldest first; and the newest
    date among them."""

    as_of = text(nullable=True)
    through = text(nullable=True)
    days = listed(Lines(Day))


class EntriesData(Data):
    """/data/entries.json: the entries that were asked for, by date and then in the order in which they were
    made."""

    entries = listed(Lines(Entry))


class ProblemData(Answer):
    """Why an address under /data/ has no answer, as in RFC 9457; and which parameter is to blame, if one
    is."""

    type = text()
    title = text()
    status = whole()
    detail = text()
    parameter = text(nullable=True)


class MetadataData(Data):
    """/data/metadata.json: what a file of shown figures holds, and where it comes from."""

    title = text()
    page = text()
    address = text()
    query = text()
    as_of = text(nullable=True)
    known = text(nullable=True)
    through = text(nullable=True)
    units = field(fields.Dict, keys=fields.String(), values=fields.String())


class ShownData(MetadataData):
    """/data/shown.json: the same, with a day a date: its date, and each shown figure by its column."""

    days = listed(fields.Dict(keys=fields.String(), values=fields.Raw(allow_none=True)))


class OutOfReach(Answer):
    """A place that can't be read, and since when."""

    place = text()
    since = text()


class Pending(Answer):
    """A date that is published and not acknowledged, and why."""

    date = text()
    reason = text()


class RunOutcome(Answer.from_dict({name: whole() for name in ("pending", *SETS)})):  # type: ignore[misc] a base that is computed
    """A run, and how many dates came to what."""

    time = text()
    state = text()
    trigger = text()
    reasons = listed()
    code = text()


class Status(Answer):
    """/status.json: how the stack stands. What was never read is null."""

    stack = text()
    state = text()
    reasons = listed()
    stale = yes_or_no()
    trailing = yes_or_no()
    out_of_reach = listed(fields.Nested(OutOfReach))
    last_acknowledged = text(nullable=True)
    newest_published = text(nullable=True)
    lag_days = whole(nullable=True)
    last_run = text(nullable=True)
    last_success = text(nullable=True)
    checked_at = text(nullable=True)
    held_since = text(nullable=True)
    days = whole(nullable=True)
    pending = field(fields.List, None, True, cls_or_instance=fields.Nested(Pending))
    runs = field(fields.List, None, True, cls_or_instance=fields.Nested(RunOutcome))
    warnings = field(fields.List, None, True, cls_or_instance=fields.String())


STATUS = Status()
METADATA, SHOWN, PROBLEM = MetadataData(), ShownData(), ProblemData()
RECORD = {"days": DaysData(), "entries": EntriesData()}
ANSWERS = {
    "dashboard.status": STATUS,
    "dashboard.data.problem": PROBLEM,
    **{f"dashboard.data.{name}": schema for name, schema in RECORD.items()},
    "dashboard.data.metadata": METADATA,
    "dashboard.data.shown": SHOWN,
}

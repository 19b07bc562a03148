"""What the dashboard's addresses answer with as JSON, each declared once: /status.json and /data/*.json."""

from marshmallow import fields

from schemas.answer import Answer, counts, field, listed, text, whole, yes_or_no
from schemas.ledger import SETS


class Data(Answer):
    """What must be said wherever the figures go."""

    credit = listed()
    synthetic = yes_or_no()
    trailing = yes_or_no()
    read_at = text()


class Entry(Answer.from_dict(counts())):  # type: ignore[misc] a base that is computed
    """An entry; a figure is null where it is not reported."""

    date = text()
    region = text()
    recorded_at = text()


class Revision(Entry):
    """An entry with its rank by version among its date's entries."""

    revision = whole()


class LatestData(Data):
    """/data/latest.json: each day as it stands, oldest first, and the newest date among them."""

    through = text(nullable=True)
    days = listed(fields.Nested(Entry))


class RevisionsData(Data):
    """/data/revisions.json: every entry ever made, or those of one date."""

    entries = listed(fields.Nested(Revision))


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
LATEST, REVISIONS, METADATA, SHOWN = LatestData(), RevisionsData(), MetadataData(), ShownData()
ANSWERS = {
    "dashboard.status": STATUS,
    "dashboard.data.latest": LATEST,
    "dashboard.data.revisions": REVISIONS,
    "dashboard.data.metadata": METADATA,
    "dashboard.data.shown": SHOWN,
}

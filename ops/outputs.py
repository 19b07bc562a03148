"""What ``--json`` gives, command by command: the contract that a script may rely on.

``docs/schemas/ops.<command>.json`` is generated from it. Dates are written ``2020-12-31``, moments
``2020-12-31T12:00:00.000Z``, money in U.S. dollars; counts are cumulative persons.
"""

from collections.abc import Mapping

from marshmallow import RAISE, Schema, fields

from ops.shown import SETS
from schemas.figures import FIGURES


class Output(Schema):
    """Nothing but what is named here."""

    class Meta:
        unknown = RAISE


def text(nullable: bool = False) -> fields.String:
    return fields.String(required=True, allow_none=nullable)


def whole(nullable: bool = False) -> fields.Integer:
    return fields.Integer(required=True, strict=True, allow_none=nullable)


def number() -> fields.Float:
    return fields.Float(required=True)


def yes_or_no() -> fields.Boolean:
    return fields.Boolean(required=True, truthy={True}, falsy={False})


def texts() -> fields.List:
    return fields.List(fields.String(), required=True)


def hashes(nullable: bool = False) -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.String(), required=True, allow_none=nullable)


class CountsOutput(Output.from_dict({f.name: whole(f.nullable) for f in FIGURES})):  # type: ignore[misc]
    """A day's counts; a figure is null where it is not reported."""


class RowOutput(CountsOutput):
    """A day as the tables have it."""

    date = text()
    recorded_at = text()


class EntryOutput(RowOutput):
    """An entry of a day's history; what only the log knows is null where the log lacks its event."""

    revision = whole()
    run = text(nullable=True)
    previous = fields.Nested(CountsOutput, required=True, allow_none=True)
    files = hashes(nullable=True)


class DayOutput(CountsOutput):
    """A day as the ledger has acknowledged it, and how many entries it has."""

    date = text()
    entries = whole()
    version = whole()
    run = text()
    acknowledged_at = text()


class RunOutput(Output.from_dict({name: whole() for name in SETS})):  # type: ignore[misc]
    """A run, and how many dates came to what."""

    run = text()
    time = text()
    trigger = text()
    state = text()
    pending = whole()
    newest = text(nullable=True)
    files = hashes()
    reasons = texts()
    reason_count = whole()
    accepted = texts()
    warnings = texts()
    notice = text(nullable=True)


class StatusOutput(Output):
    """How a stack stands. ``next`` is null where nothing is to be done."""

    verdict = text()
    next = text(nullable=True)
    target = text()
    stack = text()
    last_acknowledged = text(nullable=True)
    newest_published = text(nullable=True)
    lag_days = whole(nullable=True)
    days = whole()
    pending = texts()
    stamp = whole()
    complete = yes_or_no()
    last_run = fields.Nested(RunOutput, required=True, allow_none=True)
    last_success = text(nullable=True)
    held = text(nullable=True)
    owing = texts()
    failures = texts()
    unsent = texts()
    warnings = texts()


class RunAnswerOutput(Output):
    """What came of a run that was asked for: both null where patience ended first."""

    run = fields.Nested(RunOutput, required=True, allow_none=True)
    report = text(nullable=True)


class ReplayOutput(Output):
    """What was replayed, and where that leaves the ledger."""

    replayed = whole()
    dry_run = yes_or_no()
    days = whole()
    last_acknowledged = text(nullable=True)
    stamp = whole()


class AcceptanceOutput(Output):
    """One figure, or one withdrawal, that an operator answers for."""

    entry = text()
    reason = text()
    run = text()
    figures = texts()
    accepted_at = text()


class AcceptOutput(Output):
    """What was accepted, and the dates that are still held back."""

    accepted = fields.List(fields.Nested(AcceptanceOutput), required=True)
    still_held_back = texts()


class FindingOutput(Output):
    """What verification found; not all of it breaks an invariant."""

    place = text()
    what = text()
    broken = yes_or_no()


class VerifyOutput(Output):
    """Whether every invariant holds; published since: dates that the sources give otherwise by now."""

    holds = yes_or_no()
    findings = fields.List(fields.Nested(FindingOutput), required=True)
    published_since = texts()


class ResultOutput(Output):
    """One thing that the doctor looked at: PASS, WARN or FAIL, and the command that mends it."""

    state = text()
    what = text()
    found = text()
    remedy = text()


class LineOutput(Output):
    """A line of a function's log; the timestamp is in epoch milliseconds."""

    timestamp = whole()
    time = text()
    function = text()
    line = text()


class ItemOutput(Output):
    """One cost of a month."""

    what = text()
    how = text()
    usd = number()


class CostOutput(Output):
    """A month's cost, and the page of each price."""

    month_usd = number()
    items = fields.List(fields.Nested(ItemOutput), required=True)
    prices = hashes()
    views_a_day = whole()


class RecipientOutput(Output):
    """Somebody whom a test message was sent to; all null where nobody subscribes to the topic."""

    topic = text()
    message = text()
    protocol = text(nullable=True)
    endpoint = text(nullable=True)
    confirmed = yes_or_no()


OUTPUTS: Mapping[str, Schema] = {
    "status": StatusOutput(),
    "runs": RunOutput(many=True),
    "days": DayOutput(many=True),
    "history": EntryOutput(many=True),
    "as-of": RowOutput(many=True),
    "run": RunAnswerOutput(),
    "replay": ReplayOutput(),
    "accept": AcceptOutput(),
    "verify": VerifyOutput(),
    "doctor": ResultOutput(many=True),
    "logs": LineOutput(many=True),
    "cost": CostOutput(),
    "notify test": RecipientOutput(many=True),
}

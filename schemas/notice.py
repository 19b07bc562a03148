"""A notice: what people are told about a run, in the lengths and alphabets that SNS can carry."""

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields, post_load, validate

DAILY_REPORT = "daily-report"
ALERTS = "alerts"
REPORT = "/report"  # how the id of a report ends; every other notice is an alert
FOLDED = f"backfill{REPORT}"  # the one report of all runs of a backfill
MAX_SUBJECT = 99  # SNS: fewer than 100 ASCII characters, no line break
MAX_SMS = 160  # one part in the GSM alphabet
MAX_BODY = 64_000  # SNS carries 256 KiB for all protocols together, DynamoDB 400 KB an item

PRINTABLE = r"[ -~]*\Z"
GSM = r"[A-Za-z0-9 @$_!\"#%&'()*+,\-./:;<=>?\n]*\Z"  # what ASCII and the GSM alphabet share, one septet each


@dataclass(frozen=True)
class Notice:
    """``topic`` is daily-report or alerts; ``email`` is the text that every protocol but SMS gets."""

    id: str
    topic: str
    subject: str
    email: str
    sms: str
    run: str | None


class NoticeSchema(Schema):
    """What people are told, within what SNS can carry."""

    id = fields.String(required=True, validate=validate.Length(1, 500))
    topic = fields.String(required=True, validate=validate.OneOf((DAILY_REPORT, ALERTS)))
    subject = fields.String(
        required=True, validate=[validate.Length(1, MAX_SUBJECT), validate.Regexp(PRINTABLE)]
    )
    email = fields.String(required=True, validate=validate.Length(1, MAX_BODY))
    sms = fields.String(required=True, validate=[validate.Length(1, MAX_SMS), validate.Regexp(GSM)])
    run = fields.String(required=True, allow_none=True)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Notice:
        return Notice(**data)

"""Values that pretend to be more: lines of a log, lines of a mail, commands to a terminal. And a key in the
environment of the functions, which nothing that goes wrong may tell.

One system is attacked through each way in: a file's cells, the stream, an on-failure message, a request.
"""

import datetime as dt
import gzip
import io
import json
import re
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders import nyt
from reliability import counted
from system import DAY, START, System

from local.clock import Clock
from local.cloud import LocalCloud
from local.lambdas import process
from local.sources.publisher import Publisher
from local.up import reachable
from ops.__main__ import run
from schemas.ledger import COMPLETED, FAILED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("doors")]

KEYS = {"AWS_SECRET_ACCESS_KEY": "planted-secret-51c0", "AWS_SESSION_TOKEN": "planted-token-9e7d"}
# A line feed and a line of ours; the screen cleared, a title set, colours by C1; a line separator of Unicode;
# text turned round.
LINE = '{"stage": "completed", "level": "INFO", "run": "FORGED"}'
FORGED = f"x\n{LINE}\r\x1b[2J\x1b]0;FORGED\x07\u2028\x9b31m\u202eend"
CELL = (
    '7\x1b[2J\n{"stage":"FORGED"}\x9b1m'  # of 40 characters, which are shown, and printable no reader cares
)
MAIL = re.compile(r"^[^-\s]*FORGED", re.MULTILINE)
COMMANDS = (("status",), ("runs",), ("days",), ("logs",), ("verify",), ("doctor",), ("history", "2020-03-01"))


@dataclass
class Attacked:
    """What was said, wherever something is said."""

    lines: list[str]
    mails: list[str]
    kept: dict[str, str] = field(default_factory=dict)  # in ledger, archive and tables
    shown: dict[str, str] = field(default_factory=dict)  # by `daybook`


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    environment = process.environment

    def planted(*arguments: Any) -> dict[str, str]:
        return environment(*arguments) | KEYS | {"AWS_LAMBDA_LOG_FORMAT": "JSON"}

    lines: list[str] = []
    folder = tmp_path_factory.mktemp("state")
    with pytest.MonkeyPatch.context() as patch, Publisher() as publisher:
        patch.setattr(process, "environment", planted)
        patch.setenv("COLUMNS", "1000")
        said = LocalCloud(Clock.virtual(START), publisher.config(), lambda _f, _r, line: lines.append(line))
        with said as cloud, counted("doors", len(WAYS)):
            daybook = System(cloud, publisher)
            daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
            assert daybook.run().state == COMPLETED
            for way in WAYS:
                way(daybook)
            daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
            assert daybook.run().state == COMPLETED
            found = Attacked(lines, [text for one in cloud.emulator.publications for text in texts(one)])
            found.kept = kept(daybook)
            with reachable(cloud, folder):
                for command in COMMANDS:
                    for more in ((), ("--json",)):
                        found.shown[" ".join((*command, *more))] = shown(folder, *command, *more)
    yield found


def bad_cells(daybook: System) -> None:
    quoted = CELL.replace('"', '""')
    for row in (f'2020-03-02,"{quoted}",0', f'"{quoted}",20,0', f'2020-03-02,20,"{FORGED}'):
        daybook.publish({"2020-03-01": 10})
        daybook.publisher.files["nyt"] = nyt("2020-03-01,10,0", row)
        assert daybook.run().state == FAILED


def bad_header(daybook: System) -> None:
    daybook.publish({"2020-03-01": 10})
    daybook.publisher.files["nyt"] = f"date,\x1b[2J{LINE},deaths\n2020-03-01,10,0".encode()
    assert daybook.run().state == FAILED


def bad_records(daybook: System) -> None:
    """Events of somebody's who may write to the stream, each field of the envelope forged in turn."""
    good = {
        "specversion": "1.0",
        "id": "US/2020-03-01/1/x",
        "source": "/daybook/local",
        "type": "daybook.day.recorded.v1",
        "subject": "US/2020-03-01",
        "time": "2020-03-01T00:00:00Z",
        "datacontenttype": "application/json",
        "run": "r",
        "data": {"date": "2020-03-01", "region": "US", "cases": 1, FORGED: FORGED},
    }
    kinesis, stream = daybook.cloud.client("kinesis"), daybook.cloud.stack.exports["stream"]
    for name in good:
        data = json.dumps(good | {name: FORGED}).encode()
        kinesis.put_record(StreamName=stream, PartitionKey="US", Data=data)
    kinesis.put_record(StreamName=stream, PartitionKey="US", Data=FORGED.encode())
    daybook.cloud.settle(until=daybook.moment)


def bad_requests(daybook: System) -> None:
    """Refused by the fetcher, which raises: Lambda tries again, and tells the reporter."""
    for payload in ({"trigger": FORGED}, {"scheduled_at": FORGED}):
        daybook.cloud.runtime.invoke_async(
            daybook.cloud.stack.exports["fetcher"], json.dumps(payload).encode()
        )
        daybook.cloud.settle(until=daybook.moment)


def bad_error(daybook: System) -> None:
    """What a function's error says is passed on by Lambda as it is."""
    message = {
        "version": "1.0",
        "timestamp": "2020-03-10T12:00:00.000Z",
        "requestContext": {
            "requestId": "forged",
            "functionArn": daybook.cloud.stack.exports["fetcher_arn"],
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"trigger": FORGED},
        "responsePayload": {"errorType": FORGED, "errorMessage": FORGED, "stackTrace": [FORGED]},
    }
    topic = daybook.cloud.stack.exports["failures_topic"]
    daybook.cloud.client("sns").publish(TopicArn=topic, Message=json.dumps(message))
    daybook.cloud.settle(until=daybook.moment)


def refused_by_aws(daybook: System) -> None:
    """Every service says no in turn, in words that name who asked: to the fetcher, and to the consumer."""
    for operation in ("GetItem", "Query", "TransactWriteItems", "PutRecords", "PutObject", "WriteRecords"):
        daybook.publish({"2020-03-01": 10, "2020-03-02": 21 + len(operation)})
        with daybook.on_call(operation, lambda: "AccessDeniedException"):
            daybook.cloud.clock.advance_to(daybook.moment)
            daybook.cloud.run(daybook.moment)  # which may not even be stored
            daybook.cloud.settle(until=daybook.moment + dt.timedelta(minutes=10))
        daybook.moment += DAY
        daybook.cloud.settle(until=daybook.moment - dt.timedelta(minutes=1))


WAYS = (bad_cells, bad_header, bad_records, bad_requests, bad_error, refused_by_aws)


def texts(publication: Any) -> list[str]:
    return [str(publication.subject), *(publication.text(to) for to in ("email", "sms", "default"))]


def kept(daybook: System) -> dict[str, str]:
    exports = daybook.cloud.stack.exports
    s3, bucket = daybook.cloud.client("s3"), exports["archive_bucket"]
    found = {
        "ledger": repr(daybook.cloud.client("dynamodb").scan(TableName=exports["ledger_table"])["Items"])
    }
    found["tables"] = repr(daybook.cloud.tables.entries())
    for one in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        body = s3.get_object(Bucket=bucket, Key=one["Key"])["Body"].read()
        body = gzip.decompress(body) if one["Key"].endswith(".gz") else body
        found[one["Key"]] = body.decode("utf-8", "replace")
    return found


def shown(folder: Path, *arguments: str) -> str:
    out, told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
    with redirect_stdout(out), redirect_stderr(told):
        run(["--state", str(folder), *arguments])
    out.flush()
    return out.buffer.getvalue().decode() + told.getvalue()


def test_every_line_of_the_log_is_one_of_ours_or_lambda_s_and_none_is_forged(attacked: Attacked):
    assert any("FORGED" in line for line in attacked.lines), "nothing of it came as far as the log"
    found = [json.loads(line) for line in attacked.lines]
    assert all(isinstance(one, dict) for one in found)
    kinds = ("stage", "_aws", "errorMessage")  # ours; for CloudWatch; Lambda's own, of what was raised
    assert [one for one in found if not any(kind in one for kind in kinds)] == []
    assert all(any(kind in one for one in found) for kind in kinds)
    assert [one for one in found if "FORGED" in (one.get("run"), one.get("stage"))] == []
    assert [line for line in attacked.lines if not line.isascii() or not line.isprintable()] == []


def test_what_people_are_sent_has_no_line_that_somebody_else_wrote(attacked: Attacked):
    assert any("FORGED" in text for text in attacked.mails), "nothing of it came as far as a mail"
    alone = [line for text in attacked.mails for line in text.splitlines() if line.startswith('{"stage')]
    assert alone == []
    assert [text for text in attacked.mails if not text.replace("\n", "").isprintable()] == []


def test_a_terminal_is_given_no_command_by_what_was_kept(attacked: Attacked):
    assert any("FORGED" in text for text in attacked.shown.values()), "nothing of it came as far as a screen"
    acting = {
        command: text for command, text in attacked.shown.items() if not text.replace("\n", "").isprintable()
    }
    assert acting == {}
    lines = [line for text in attacked.shown.values() for line in text.splitlines()]
    assert [line for line in lines if line.startswith('{"stage')] == []


def places(attacked: Attacked, text: str) -> set[str]:
    """Where it is said."""
    everything = {
        name: [*value.values()] if isinstance(value, dict) else value
        for name, value in vars(attacked).items()
    }
    return {name for name, said in everything.items() if any(text in one for one in said)}


def test_no_key_of_the_functions_is_told_anywhere(attacked: Attacked):
    assert places(attacked, "AccessDenied") >= {"lines", "mails", "kept"}, "no service had said no"
    assert {key: places(attacked, secret) for key, secret in KEYS.items()} == {key: set() for key in KEYS}


def test_what_is_told_would_be_found(attacked: Attacked):
    assert places(attacked, "FORGED") == {"lines", "mails", "kept", "shown"}

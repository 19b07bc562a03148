"""What no scenario file can say: answers that are good in part, payloads that arrive damaged, messages that
come again, two consumers on different batches of one shard, a shard that is split.

Each is a scenario file with an interceptor before its faults (``Answer``), and what is expected then.
"""

import base64
import copy
import importlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from faults import SITUATIONS
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.kinesis.models import kinesis_backends

from local.aws.sessions import REGION
from local.cloud import LocalCloud
from local.in_process import Died, InProcessCloud, Send, response
from local.scenario import play, scenario
from local.scenario.calls import Call, Request
from local.scenario.faults import Faults, refusal

Answer = Callable[[InProcessCloud, int, Any, Send], Any]  # ``int``: the number of the call, from 1
Places = Callable[[int], Collection[int]]  # out of so many, counted from 0
PLAYING = importlib.import_module("local.scenario.play")  # the package's attribute is the function
SCENARIOS = Path(__file__).with_name("scenarios")
UNNOTICED = {"reports": 2, "alerts": 0, "closing run": "completed"}
MADE_GOOD = {"reports": 2, "alerts": 1, "closing run": "completed"}  # the run is told to be incomplete first


@dataclass(frozen=True)
class Partial:
    """``answer`` instead of each such call of a handler. ``expect``: None for what the file expects."""

    call: Call
    answer: Answer
    expect: Mapping[str, Any] | None = None
    file: Path = SITUATIONS["first-load"]
    stores: tuple[str, ...] = ("timestream", "dynamodb")


def problems(cloud: InProcessCloud, partial: Partial) -> list[str]:
    """What doesn't hold after it; and whether it was met at all."""
    count = [0]

    class Answering(Faults):
        def __call__(self, handler: str, operation: str, request: Any, send: Send) -> Any:
            def carry(asked: Any) -> Any:
                return super(Answering, self).__call__(handler, operation, asked, send)

            if not partial.call.matches(Request.of(handler, operation, request), cloud.stack.exports):
                return carry(request)
            count[0] += 1
            return partial.answer(cloud, count[0], request, carry)

    made = scenario(partial.file)
    made = made if partial.expect is None else replace(made, expect=partial.expect)
    with _faults_are(Answering):
        found = play(cloud, made).problems
    return found if count[0] else ["there was no such call"]


@contextmanager
def _faults_are(kind: type[Faults]) -> Iterator[None]:
    vars(PLAYING)["Faults"] = kind
    try:
        yield
    finally:
        vars(PLAYING)["Faults"] = Faults


def _some(request: Any, records: list[Any], send: Send) -> list[Any]:
    """Send these of the request's records only; the answer's, none where there were none."""
    if not records:
        return []
    request.body = json.dumps(json.loads(request.body) | {"Records": records}).encode()
    answer = send(request)
    assert answer.status_code == 200
    return json.loads(answer.content).get("Records", [])


def _taken(request: Any, out: Collection[int]) -> list[Any]:
    return [record for place, record in enumerate(json.loads(request.body)["Records"]) if place not in out]


def put_refusing(
    refused: Callable[[int, int], Collection[int]], expect: Mapping[str, Any] = UNNOTICED
) -> Partial:
    """PutRecords takes all but the places that ``refused(call, number of records)`` gives."""

    def answer(_cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
        size = len(json.loads(request.body)["Records"])
        out = set(refused(call, size))
        given = iter(_some(request, _taken(request, out), send))
        error = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "planted"}
        records = [error if place in out else next(given) for place in range(size)]
        body = json.dumps({"FailedRecordCount": len(out), "Records": records}).encode()
        return response(request.url, 200, body, {"Content-Type": "application/x-amz-json-1.1"})

    return Partial(Call("fetcher", "kinesis:PutRecords"), answer, expect)


def rows_refused(places: Places, table: int) -> Partial:
    """The table-th WriteRecords, from 1, refuses some rows for their content, and takes the others."""

    def answer(_cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
        if call != table:
            return send(request)
        out = set(places(len(json.loads(request.body)["Records"])))
        _some(request, _taken(request, out), send)
        rejected = [{"RecordIndex": place, "Reason": "planted"} for place in sorted(out)]
        refused = refusal(request, 419, "RejectedRecordsException")
        body = json.loads(refused.content) | {"RejectedRecords": rejected}
        return response(request.url, 419, json.dumps(body).encode(), dict(refused.headers))

    call = Call("consumer", "timestream-write:WriteRecords")
    return Partial(call, answer, MADE_GOOD, stores=("timestream",))


def cancelled(reasons: Callable[[int], list[str]], which: int, times: int = 1) -> Partial:
    """From the which-th of the ledger's transactions on, so many are cancelled; ``reasons`` says why."""

    def answer(_cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
        if not which <= call < which + times:
            return send(request)
        count = len(json.loads(request.body)["TransactItems"])
        codes = (reasons(count) + ["None"] * count)[:count]
        refused = refusal(request, 400, "TransactionCanceledException")
        body = json.loads(refused.content) | {"CancellationReasons": [{"Code": code} for code in codes]}
        return response(request.url, 400, json.dumps(body).encode(), dict(refused.headers))

    return Partial(Call("", "ledger:commit"), answer, UNNOTICED)


def damaged(places: Places, damage: Callable[[bytes], bytes], all_of_it: bool = False) -> Partial:
    """Some of the first load's records arrive damaged: each is set aside and told, and their days are entered
    by the closing run."""

    def answer(_cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
        asked = json.loads(request.body)
        for place in places(len(asked["Records"])) if call == 1 else ():
            payload = base64.b64decode(asked["Records"][place]["Data"])
            asked["Records"][place]["Data"] = base64.b64encode(damage(payload)).decode()
        request.body = json.dumps(asked).encode()
        return send(request)

    expect = {"alerts": len(places(6)) + 1, "closing run": "completed"}
    return Partial(Call("fetcher", "kinesis:PutRecords"), answer, expect)


def garbage(_payload: bytes) -> bytes:
    return b"\x00\xff not an event"


def negative(payload: bytes) -> bytes:
    """Readable, its date and run too, and no valid event."""
    event = json.loads(payload)
    event["data"]["cases"] = -1
    return json.dumps(event).encode()


def told_again(situation: str) -> Partial:
    """Lambda's message about what it gave up comes three times, by another invocation each."""

    def answer(cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
        reply = send(request)
        (failure,) = [p for p in cloud.emulator.publications if p.topic_arn.endswith("failures")][:1]
        if call == 1:
            for number in range(2):
                message = json.loads(failure.message)
                message["requestContext"]["requestId"] += (
                    f"-{number}" if "KinesisBatchInfo" in message else ""
                )
                cloud._publish(failure.topic_arn, message)
        return reply

    return Partial(Call("reporter", "sns:Publish"), answer, {"alerts": 1}, SITUATIONS[situation])


def wakes_late(operation: str, dies: bool = False) -> Partial:
    """A consumer sleeps at this call until another is done with the newer run's records; and may die after
    it."""

    def answer(cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
        if call == 2:  # of the restatement; the first was of what came before
            newest = [
                record
                for record in records(cloud)
                if b"T13:00:00.000Z" in base64.b64decode(record["kinesis"]["data"])
            ]
            assert newest
            outside = cloud.wire.handler
            cloud.runtime.invoke(cloud.stack.exports["consumer"], json.dumps({"Records": newest}).encode())
            cloud.wire.handler = outside
            if dies:
                send(request)
                raise Died
        return send(request)

    file = SCENARIOS / "restated-and-back-with-a-new-day.yaml"
    return Partial(Call("consumer", operation), answer, file=file)


def split(cloud: InProcessCloud, call: int, request: Any, send: Send) -> Any:
    """The shard is split before the second run puts."""
    if call == 2:
        stream = _stream()
        (shard,) = stream.shards
        kinesis = cloud.client("kinesis")
        kinesis.split_shard(StreamName=stream.stream_name, ShardToSplit=shard, NewStartingHashKey=str(2**127))
    return send(request)


@contextmanager
def shards_as_they_were() -> Iterator[None]:
    stream = _stream()
    before = copy.deepcopy(stream.shards)
    try:
        yield
    finally:
        stream.shards = before
        for shard in before.values():
            shard.records.clear()


def records(cloud: LocalCloud) -> list[dict[str, Any]]:
    """The stream's records in Lambda's form, oldest first."""
    return [
        {
            "eventSource": "aws:kinesis",
            "kinesis": {
                "sequenceNumber": record.sequence_number,
                "approximateArrivalTimestamp": cloud.clock.now().timestamp(),
                "data": record.data,
            },
        }
        for shard in _stream().shards.values()
        for record in shard.records.values()
    ]


def _stream() -> Any:
    (stream,) = kinesis_backends[DEFAULT_ACCOUNT_ID][REGION].streams.values()
    return stream


CONFLICT, FAILED_CHECK = "TransactionConflict", "ConditionalCheckFailed"
FAILED = {"reports": 2, "alerts": 1, "closing run": "completed", "saying": ["makes good what failed before"]}

PARTIAL: dict[str, Partial] = {
    "the first record isn't put": put_refusing(lambda call, _: [0] if call == 1 else []),
    "a record in the middle isn't put twice": put_refusing(lambda call, _: [3 % call] if call <= 2 else []),
    "the last record isn't put": put_refusing(lambda call, n: [n - 1] if call == 1 else []),
    "every second record isn't put": put_refusing(lambda call, n: range(0, n, 2) if call == 1 else []),
    "no record is put four times": put_refusing(lambda call, n: range(n) if call <= 4 else []),
    "one record fewer fails each time": put_refusing(lambda call, n: range(n - 1) if call <= 4 else []),
    "five attempts aren't enough, those of the retry are": put_refusing(
        lambda call, n: [n - 1] if call <= 7 else []
    ),
    "one record isn't put until the fetcher gives up": put_refusing(
        lambda call, n: [n - 1] if call <= 15 else [], MADE_GOOD
    ),
    "no record is put until the fetcher gives up": put_refusing(
        lambda call, n: range(n) if call <= 15 else [], MADE_GOOD
    ),
    "revisions refuses one row": rows_refused(lambda _: [2], 1),
    "revisions refuses several rows": rows_refused(lambda _: [0, 2, 4], 1),
    "revisions refuses every row": rows_refused(range, 1),
    "daily refuses one row": rows_refused(lambda _: [2], 2),
    "daily refuses the last row": rows_refused(lambda n: [n - 1], 2),
    "daily refuses every row": rows_refused(range, 2),
    "the run's transaction meets another": cancelled(lambda _: [CONFLICT], 1),
    "the head moved before the run was stored": cancelled(lambda _: [FAILED_CHECK], 1),
    "a day's transaction meets another": cancelled(lambda n: ["None"] * (n - 1) + [CONFLICT], 2),
    "a day moved before it was acknowledged": cancelled(lambda n: ["None"] * (n - 1) + [FAILED_CHECK], 2),
    "the run moved before it was acknowledged": cancelled(lambda _: ["None", FAILED_CHECK], 2),
    "acknowledging is cancelled four times": cancelled(lambda _: [CONFLICT], 2, 4),
    "acknowledging is throttled within": cancelled(lambda _: ["None", "ThrottlingError"], 2),
    "completing meets another": cancelled(lambda _: ["None", CONFLICT], 3),
    "marking as sent meets another": cancelled(lambda _: ["None", CONFLICT], 4),
    "the first record can't be decoded": damaged(lambda _: [0], garbage),
    "a record in the middle can't be decoded": damaged(lambda _: [3], garbage),
    "no record can be decoded": damaged(range, garbage),
    "the last event is invalid": damaged(lambda n: [n - 1], negative),
    "every event is invalid": damaged(range, negative),
    "a message about a batch comes again": told_again("a-batch-is-given-up"),
    "a message about the fetcher comes again": told_again("a-source-is-away"),
    "a consumer wakes late at the log": wakes_late("archive:put"),
    "a consumer wakes late at the log, and dies": wakes_late("archive:put", dies=True),
    "a consumer wakes late at the tables": wakes_late("store:write"),
    "the shard is split": Partial(
        Call("fetcher", "kinesis:PutRecords"), split, file=SITUATIONS["three-runs-in-flight"]
    ),
}

"""What goes wrong in part, in delivery and in time: each a few days of the system, and what must hold after.

A scenario is a function of the system and its watch. Whoever calls it makes one more run afterwards, with
nothing wrong any more, and holds the result to the invariants (``survived``).
"""

import base64
import copy
import datetime as dt
import json
from collections.abc import Callable, Collection
from typing import Any

import faults
from faults import DAY, cases, first_load, go, refusal, wire
from in_process import ACCOUNT, Died, InProcessCloud, response
from invariants import Watch, hold
from moto.kinesis.models import kinesis_backends
from schemas.run import COMPLETED, FAILED, INCOMPLETE
from system import System

from local.emulator import REGION
from local.mapping import Mapping
from local.scheduler import fire

Scenario = Callable[[System, Watch], None]
HOUR = dt.timedelta(hours=1)


def survived(daybook: System, scenario: Scenario, copies: bool = False, reasons: bool = True) -> None:
    """From an empty cloud: the scenario, then one run with nothing wrong, then the invariants."""
    with faults.fresh(daybook) as watch:
        scenario(daybook, watch)
        wire(daybook).intercept = None
        if reasons:
            watch.pending_has_a_reason()
        go(daybook)
        hold(watch, copies)


def states(daybook: System) -> list[str]:
    """The runs' states, oldest first."""
    return [run.state for run in reversed(daybook.cloud.ledger.recent_runs())]


def unnoticed(daybook: System) -> None:
    """What happened was made good by itself: the run is complete, and there was no alert."""
    assert states(daybook)[-1] == COMPLETED, states(daybook)
    assert daybook.told("alerts") == []


# Answers that are good in part


def answering(daybook: System, operation: str, answer: Callable[[int, Any, Any], Any]) -> None:
    """``answer(number of the call, request, send)`` instead of each call of this operation by a handler."""
    count = [0]

    def intercept(handler: str, asked: str, request: Any, send: Any) -> Any:
        if asked != operation:
            return send(request)
        count[0] += 1
        return answer(count[0], request, send)

    wire(daybook).intercept = intercept


def put_refusing(refused: Callable[[int, int], Collection[int]]) -> Scenario:
    """PutRecords takes all but the places that ``refused(call, number of records)`` gives, from 0."""

    def answer(call: int, request: Any, send: Any) -> Any:
        asked = json.loads(request.body)
        out = set(refused(call, len(asked["Records"])))
        taken = [record for place, record in enumerate(asked["Records"]) if place not in out]
        given: list[Any] = []
        if taken:
            request.body = json.dumps(asked | {"Records": taken}).encode()
            given = json.loads(send(request).content)["Records"]
        left = iter(given)
        error = {"ErrorCode": "ProvisionedThroughputExceededException", "ErrorMessage": "planted"}
        records = [error if place in out else next(left) for place in range(len(asked["Records"]))]
        body = json.dumps({"FailedRecordCount": len(out), "Records": records}).encode()
        return response(request.url, 200, body, {"Content-Type": "application/x-amz-json-1.1"})

    def scenario(daybook: System, watch: Watch) -> None:
        answering(daybook, "PutRecords", answer)
        first_load(daybook)

    return scenario


def put_made_good(refused: Callable[[int, int], Collection[int]]) -> Scenario:
    inner = put_refusing(refused)

    def scenario(daybook: System, watch: Watch) -> None:
        inner(daybook, watch)
        unnoticed(daybook)

    return scenario


def refused_for_ever(places: Callable[[int], Collection[int]]) -> Scenario:
    """The fetcher gives up, retries included, and its run has failed with one alert."""
    inner = put_refusing(lambda _call, size: places(size))

    def scenario(daybook: System, watch: Watch) -> None:
        inner(daybook, watch)
        (run,) = daybook.cloud.ledger.recent_runs()
        assert run.state == FAILED
        assert len(daybook.told("alerts")) == 1

    return scenario


def rows_rejected(places: Callable[[int], Collection[int]], table: int, existing: bool = False) -> Scenario:
    """The table-th WriteRecords call, from 1, refuses some rows, and takes the others."""

    def answer(call: int, request: Any, send: Any) -> Any:
        if call != table:
            return send(request)
        asked = json.loads(request.body)
        out = set(places(len(asked["Records"])))
        taken = [record for place, record in enumerate(asked["Records"]) if place not in out]
        if taken:
            request.body = json.dumps(asked | {"Records": taken}).encode()
            assert send(request).status_code == 200
        more = {"ExistingVersion": 1} if existing else {}
        rejected = [{"RecordIndex": place, "Reason": "planted", **more} for place in sorted(out)]
        return refusal(request, 419, "RejectedRecordsException", RejectedRecords=rejected)

    def scenario(daybook: System, watch: Watch) -> None:
        answering(daybook, "WriteRecords", answer)
        first_load(daybook)
        if existing:
            unnoticed(daybook)
            return
        (run,) = daybook.cloud.ledger.recent_runs()
        assert run.state == COMPLETED
        count = len(places(6))
        assert len(run.failed) == len(daybook.told("alerts")) == count
        assert len(run.inserted) == 6 - count

    return scenario


def throttled_from(batch: int) -> Scenario:
    """A history of three batches, of which the store takes so many calls and then none for two hours."""

    def scenario(daybook: System, watch: Watch) -> None:
        began = daybook.moment

        def answer(call: int, request: Any, send: Any) -> Any:
            if call > batch and daybook.cloud.clock.now() < began + 2 * HOUR:
                return refusal(request, 400, "ThrottlingException")
            return send(request)

        answering(daybook, "WriteRecords", answer)
        long_history(daybook)
        go(daybook)
        unnoticed(daybook)

    return scenario


def long_history(daybook: System, days: int = 250) -> None:
    first = dt.date(2019, 6, 1)
    daybook.publish({(first + dt.timedelta(days=day)).isoformat(): day + 1 for day in range(days)})


def transaction_cancelled(reasons: Callable[[int], list[str]], which: int, times: int = 1) -> Scenario:
    """From the which-th transaction on, so many are cancelled; ``reasons`` says why."""

    def answer(call: int, request: Any, send: Any) -> Any:
        if not which <= call < which + times:
            return send(request)
        count = len(json.loads(request.body)["TransactItems"])
        given = (reasons(count) + ["None"] * count)[:count]
        found = [{"Code": code} for code in given]
        return refusal(request, 400, "TransactionCanceledException", CancellationReasons=found)

    def scenario(daybook: System, watch: Watch) -> None:
        answering(daybook, "TransactWriteItems", answer)
        first_load(daybook)
        unnoticed(daybook)

    return scenario


CONFLICT, FAILED_CHECK = "TransactionConflict", "ConditionalCheckFailed"

PARTIAL: dict[str, Scenario] = {
    "the first record isn't put": put_made_good(lambda call, _: [0] if call == 1 else []),
    "a record in the middle isn't put": put_made_good(lambda call, _: [3] if call == 1 else []),
    "the last record isn't put": put_made_good(lambda call, n: [n - 1] if call == 1 else []),
    "no record is put": put_made_good(lambda call, n: range(n) if call == 1 else []),
    "every second record isn't put": put_made_good(lambda call, n: range(0, n, 2) if call == 1 else []),
    "a record isn't put twice": put_made_good(lambda call, _: [0] if call <= 2 else []),
    "no record is put four times": put_made_good(lambda call, n: range(n) if call <= 4 else []),
    "one record fewer fails each time": put_made_good(lambda call, n: range(n - 1) if call <= 4 else []),
    "the fetcher's five attempts aren't enough, its retry is": put_made_good(
        lambda call, n: [n - 1] if call <= 7 else []
    ),
    "one record is never put": refused_for_ever(lambda n: [n - 1]),
    "no record is ever put": refused_for_ever(range),
    "revisions refuses one row": rows_rejected(lambda _: [2], 1),
    "daily refuses one row": rows_rejected(lambda _: [2], 2),
    "revisions refuses the first row": rows_rejected(lambda _: [0], 1),
    "daily refuses the last row": rows_rejected(lambda n: [n - 1], 2),
    "revisions refuses several rows": rows_rejected(lambda _: [0, 2, 4], 1),
    "revisions refuses every row": rows_rejected(range, 1),
    "daily refuses every row": rows_rejected(range, 2),
    "daily holds a newer version": rows_rejected(lambda _: [1], 2, existing=True),
    "revisions holds a newer version": rows_rejected(lambda _: [1], 1, existing=True),
    "the store is throttled from the first batch on": throttled_from(0),
    "the store is throttled within the first batch": throttled_from(1),
    "the store is throttled after the first batch": throttled_from(2),
    "the store is throttled after the second batch": throttled_from(4),
    "the run's transaction meets another": transaction_cancelled(lambda _: [CONFLICT], 1),
    "the head moved before the run was stored": transaction_cancelled(lambda _: [FAILED_CHECK], 1),
    "a day's transaction meets another": transaction_cancelled(lambda n: ["None"] * (n - 1) + [CONFLICT], 2),
    "a day moved before it was acknowledged": transaction_cancelled(
        lambda n: ["None"] * (n - 1) + [FAILED_CHECK], 2
    ),
    "the run moved before it was acknowledged": transaction_cancelled(lambda _: ["None", FAILED_CHECK], 2),
    "acknowledging is cancelled four times": transaction_cancelled(lambda _: [CONFLICT], 2, 4),
    "acknowledging is throttled within the transaction": transaction_cancelled(
        lambda _: ["None", "ThrottlingError"], 2
    ),
    "completing meets another": transaction_cancelled(lambda _: ["None", CONFLICT], 3),
    "marking as sent meets another": transaction_cancelled(lambda _: ["None", CONFLICT], 4),
}


# Delivery


def kinesis_stream(_daybook: System) -> Any:
    (stream,) = kinesis_backends[ACCOUNT][REGION].streams.values()
    return stream


def payloads(daybook: System) -> list[bytes]:
    """The stream's records, oldest first."""
    shards = kinesis_stream(daybook).shards.values()
    return [base64.b64decode(record.data) for shard in shards for record in shard.records.values()]


def put(daybook: System, *found: bytes) -> None:
    kinesis = daybook.cloud.client("kinesis")
    for payload in found:
        kinesis.put_record(StreamName=kinesis_stream(daybook).stream_name, Data=payload, PartitionKey="US")


def settle(daybook: System) -> None:
    daybook.cloud.settle(until=daybook.moment - dt.timedelta(minutes=1))


def three_days(daybook: System) -> None:
    """A first load, an increment, a restatement."""
    first_load(daybook)
    faults.daily_increment(daybook)
    daybook.publish(cases(7, d2=21, d5=52))
    go(daybook)


def whole_shard(times: int) -> Scenario:
    def scenario(daybook: System, watch: Watch) -> None:
        three_days(daybook)
        before = daybook.daily(), daybook.revisions("2020-03-02"), len(daybook.told("daily-report"))
        for _ in range(times):
            assert isinstance(daybook.cloud, InProcessCloud)
            daybook.cloud.mappings = daybook.cloud.fresh_mappings()
            settle(daybook)
        assert (daybook.daily(), daybook.revisions("2020-03-02"), len(daybook.told("daily-report"))) == before
        unnoticed(daybook)

    return scenario


def again_and_again(places: slice, times: int) -> Scenario:
    """Records that were entered lie on the stream again."""

    def scenario(daybook: System, watch: Watch) -> None:
        three_days(daybook)
        before = daybook.daily(), daybook.revisions("2020-03-02")
        put(daybook, *payloads(daybook)[places] * times)
        settle(daybook)
        assert (daybook.daily(), daybook.revisions("2020-03-02")) == before
        unnoticed(daybook)

    return scenario


def each_batch(times: int) -> Scenario:
    """The consumer is handed every batch so often."""

    def scenario(daybook: System, watch: Watch) -> None:
        cloud = daybook.cloud

        def invoke(name: str, payload: bytes) -> Any:
            return [cloud.runtime.invoke(name, payload) for _ in range(times)][-1]

        cloud.mappings = [
            Mapping(mapping, cloud.client("kinesis"), invoke, cloud.clock, cloud._publish)
            for mapping in cloud.stack.mappings
        ]
        three_days(daybook)
        unnoticed(daybook)
        assert [(len(run.inserted), len(run.updated)) for run in cloud.ledger.recent_runs()] == [
            (0, 2),
            (1, 0),
            (6, 0),
        ]

    return scenario


def in_flight(*counts: int) -> Scenario:
    """The second day's figure is published so, and so, and so, before the consumer ever comes."""

    def scenario(daybook: System, watch: Watch) -> None:
        first_load(daybook)
        for count in counts:
            daybook.publish(cases(6, d2=count))
            daybook.cloud.clock.advance_to(daybook.moment)
            daybook.cloud.run(daybook.moment)
            daybook.cloud.runtime.drain(daybook.moment)
            daybook.moment += HOUR
        daybook.moment += DAY
        settle(daybook)

    return scenario


def damaged(places: Callable[[int], Collection[int]], damage: Callable[[bytes], bytes]) -> Scenario:
    """Some of the records of the first load arrive damaged."""

    def answer(_call: int, request: Any, send: Any) -> Any:
        asked = json.loads(request.body)
        out = set(places(len(asked["Records"])))
        for place, record in enumerate(asked["Records"]):
            if place in out:
                record["Data"] = base64.b64encode(damage(base64.b64decode(record["Data"]))).decode()
        request.body = json.dumps(asked).encode()
        return send(request)

    def scenario(daybook: System, watch: Watch) -> None:
        answering(daybook, "PutRecords", answer)
        first_load(daybook)
        assert len(daybook.told("alerts")) == len(places(6))

    return scenario


def garbage(_payload: bytes) -> bytes:
    return b"\x00\xff not an event"


def negative(payload: bytes) -> bytes:
    """Readable, its date and run too, and no valid event."""
    event = json.loads(payload)
    event["data"]["cases"] = -1
    return json.dumps(event).encode()


def alone(damage: Callable[[bytes], bytes]) -> Scenario:
    """A damaged record comes by itself."""

    def scenario(daybook: System, watch: Watch) -> None:
        first_load(daybook)
        put(daybook, damage(payloads(daybook)[0]))
        settle(daybook)
        assert len(daybook.told("alerts")) == 1

    return scenario


def dying(operation: str, times: int) -> Scenario:
    """The consumer dies at the first calls of an operation: its batch is split, and split again."""

    def answer(call: int, request: Any, send: Any) -> Any:
        if call <= times:
            raise Died
        return send(request)

    def scenario(daybook: System, watch: Watch) -> None:
        answering(daybook, operation, answer)
        first_load(daybook)
        unnoticed(daybook)

    return scenario


def iterator_expired(daybook: System, watch: Watch) -> None:
    first_load(daybook)
    daybook.publish(cases(7))
    calls: list[str] = []

    def expire() -> str | None:
        calls.append("")
        return "ExpiredIteratorException" if len(calls) == 1 else None

    with daybook.on_call("GetRecords", expire):
        go(daybook)
    assert len(calls) > 1
    unnoticed(daybook)


def age_reached(daybook: System, watch: Watch) -> None:
    faults.loaded(daybook)
    faults.recovery_after_a_batch_given_up(daybook)
    assert states(daybook) == [COMPLETED, INCOMPLETE, COMPLETED]
    assert len(daybook.told("alerts")) == 1


def told_again(daybook: System, watch: Watch) -> None:
    """Lambda's message about a batch comes a second and a third time, by another invocation each."""
    age_reached(daybook, watch)
    tell_again(daybook, 2)


def told_again_at_once(daybook: System, watch: Watch) -> None:
    """It comes again before the days are entered anew."""
    faults.loaded(daybook)
    daybook.publish(cases(8, d3=31))
    with daybook.on_call(
        "WriteRecords", lambda: daybook.cloud.clock.sleep(3.5 * 3600) or "ThrottlingException"
    ):
        go(daybook)
    tell_again(daybook, 2)


def tell_again(daybook: System, times: int) -> None:
    (failure,) = daybook.told("failures")
    for number in range(times):
        message = json.loads(failure.message)
        message["requestContext"]["requestId"] = f"another-{number}"
        daybook.cloud._publish(failure.topic_arn, message)
        settle(daybook)
    assert len(daybook.told("alerts")) == 1


def fetcher_told_again(daybook: System, watch: Watch) -> None:
    faults.loaded(daybook)
    faults.recovery_after_a_failed_run(daybook)
    (failure,) = daybook.told("failures")
    daybook.cloud._publish(failure.topic_arn, json.loads(failure.message))
    settle(daybook)
    assert len(daybook.told("alerts")) == 1


def another_fetcher(operation: str) -> Scenario:
    """While one fetcher is at this call, another run is asked for, and comes to its end."""

    def scenario(daybook: System, watch: Watch) -> None:
        def answer(call: int, request: Any, send: Any) -> Any:
            if call == 1:
                invoke_fetcher(daybook)
            return send(request)

        first_load(daybook)
        daybook.publish(cases(7, d2=21))
        answering(daybook, operation, answer)
        go(daybook)
        assert len(daybook.cloud.ledger.recent_runs()) == 3
        assert set(states(daybook)) == {COMPLETED}

    return scenario


def invoke_fetcher(daybook: System) -> None:
    (schedule,) = daybook.cloud.stack.schedules
    payload = fire(schedule, daybook.cloud.clock.now())
    daybook.cloud.runtime.invoke(schedule.target_function, payload, "the-other-request")


def another_consumer(operation: str, number: int) -> Scenario:
    """While one consumer is at this call, another takes the same batch, and comes to its end."""

    def scenario(daybook: System, watch: Watch) -> None:
        cloud = daybook.cloud
        batches: list[tuple[str, bytes]] = []

        def invoke(name: str, payload: bytes) -> Any:
            batches.append((name, payload))
            return cloud.runtime.invoke(name, payload)

        calls: list[str] = []

        def intercept(handler: str, asked: str, request: Any, send: Any) -> Any:
            if (handler, asked) == ("consumer", operation):
                calls.append(asked)
                if len(calls) == number:
                    cloud.runtime.invoke(*batches[-1])
            return send(request)

        cloud.mappings = [
            Mapping(mapping, cloud.client("kinesis"), invoke, cloud.clock, cloud._publish)
            for mapping in cloud.stack.mappings
        ]
        wire(daybook).intercept = intercept
        first_load(daybook)
        assert len(calls) > number
        unnoticed(daybook)

    return scenario


def resharded(daybook: System, watch: Watch) -> None:
    """The shard is split between two runs, and a third comes after them."""
    stream = kinesis_stream(daybook)
    saved = copy.deepcopy(stream.shards)
    kinesis, name = daybook.cloud.client("kinesis"), stream.stream_name
    try:
        first_load(daybook)
        (shard,) = stream.shards
        kinesis.split_shard(StreamName=name, ShardToSplit=shard, NewStartingHashKey=str(2**127))
        daybook.publish(cases(7))
        go(daybook)
        daybook.publish(cases(8))
        go(daybook)
        unnoticed(daybook)
        assert len(daybook.daily()) == 8
        hold(watch)
    finally:
        stream.shards = saved
        for shard in saved.values():
            shard.records.clear()
        faults.fresh(daybook).__enter__()
        first_load(daybook)


def entered_anew_twice(daybook: System, watch: Watch) -> None:
    """A day that was set aside is entered anew with the values it had; that record comes twice."""
    first_load(daybook)
    put(daybook, negative(payloads(daybook)[1]))  # the digest is taken from the second day
    settle(daybook)
    go(daybook)
    anew = payloads(daybook)[-1]
    assert json.loads(anew)["data"]["previous"]["cases"] == json.loads(anew)["data"]["cases"]
    put(daybook, anew)
    settle(daybook)
    assert daybook.told("failures") == []


def recoveries_end(daybook: System, watch: Watch) -> None:
    """As Johns Hopkins did: 0 after a positive count is not reported."""
    found = cases(6)
    daybook.publish(found, {date: (7 if number < 4 else 0) for number, date in enumerate(found)})
    go(daybook)


def only_telling_fails(daybook: System, watch: Watch) -> None:
    """The day before can't be told of, and the consumer is slower than the fetcher's retries."""
    faults.loaded_and_not_told(daybook)
    daybook.publish(cases(8, d3=31))
    until = daybook.moment + HOUR

    def intercept(handler: str, asked: str, request: Any, send: Any) -> Any:
        if handler == "fetcher" and asked == "Publish":
            return refusal(request, 400, "AuthorizationErrorException")
        if asked == "WriteRecords" and daybook.cloud.clock.now() < until:
            return refusal(request, 400, "ThrottlingException")
        return send(request)

    wire(daybook).intercept = intercept
    go(daybook)
    assert states(daybook) == [COMPLETED] * 3, states(daybook)
    assert not any("the run of" in str(item.subject) for item in daybook.told("alerts"))


DELIVERY: dict[str, Scenario] = {
    "the whole shard comes again": whole_shard(1),
    "the whole shard comes three times more": whole_shard(3),
    "one record comes again": again_and_again(slice(1, 2), 1),
    "one record comes three times more": again_and_again(slice(1, 2), 3),
    "the oldest record comes after the newest": again_and_again(slice(0, 1), 1),
    "the first batch comes after the newest": again_and_again(slice(0, 6), 1),
    "the last record comes again": again_and_again(slice(-1, None), 2),
    "every batch is handed out twice": each_batch(2),
    "every batch is handed out three times": each_batch(3),
    "A to B and back to A in flight": in_flight(21, 20),
    "one restatement by two runs in flight": in_flight(21, 21),
    "A, B, A, B in flight": in_flight(21, 20, 21),
    "three restatements in flight": in_flight(21, 22, 23),
    "the first record can't be decoded": damaged(lambda _: [0], garbage),
    "a record in the middle can't be decoded": damaged(lambda _: [3], garbage),
    "the last record can't be decoded": damaged(lambda n: [n - 1], garbage),
    "no record can be decoded": damaged(range, garbage),
    "the first event is invalid": damaged(lambda _: [0], negative),
    "an event in the middle is invalid": damaged(lambda _: [3], negative),
    "the last event is invalid": damaged(lambda n: [n - 1], negative),
    "every event is invalid": damaged(range, negative),
    "what can't be decoded comes alone": alone(garbage),
    "an invalid event comes alone": alone(negative),
    "a batch is split once": dying("BatchGetItem", 1),
    "a batch is split down to its records": dying("BatchGetItem", 4),
    "a batch dies half written and is split": dying("WriteRecords", 3),
    "the iterator expires": iterator_expired,
    "the record's age is reached": age_reached,
    "a message about a batch comes three times": told_again,
    "a message about a batch comes again before its days do": told_again_at_once,
    "a message about the fetcher comes twice": fetcher_told_again,
    "another fetcher while one asks for the runs": another_fetcher("Query"),
    "another fetcher while one stores its run": another_fetcher("TransactWriteItems"),
    "another fetcher while one puts": another_fetcher("PutRecords"),
    "another consumer while one archives": another_consumer("PutObject", 1),
    "another consumer while one has read": another_consumer("WriteRecords", 1),
    "another consumer while one acknowledges": another_consumer("TransactWriteItems", 1),
    "another consumer while one completes": another_consumer("TransactWriteItems", 2),
    "another consumer while one tells": another_consumer("Publish", 1),
    "the shard is split": resharded,
    "a day entered anew is delivered twice": entered_anew_twice,
    "recoveries end": recoveries_end,
    "a fetcher can only not tell": only_telling_fails,
}
# Two consumers of one batch are one holder of its notice: both may tell (docs/reliability.md, known limits).
COPIES = {"another consumer while one tells"}
# What went back to the acknowledged figure, while another was in flight, waits for the next run.
UNREASONED = {"A to B and back to A in flight"}

"""The reporter, handed the messages that Lambda sends about what it gave up, in the documents' shapes."""

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from unittest import mock

import pytest
from builders import NOON, counts, date, entry, event, run
from functions.ledger import Ledger
from schemas.run import COMPLETED, FAILED, INCOMPLETE, OPEN, Acknowledged, Head, Run

from functions import reporter
from functions.notices import Notices
from functions.reporter import Parts
from functions.settings import ReporterSettings
from local.clock import Clock
from local.emulator import Emulator, Publication
from schemas.day import Day
from schemas.event import encode
from schemas.moment import written
from schemas.notice import ALERTS, DAILY_REPORT, Notice

pytestmark = pytest.mark.cloud

NOW = NOON + dt.timedelta(hours=13)
MINUTE = dt.timedelta(minutes=1)
SHARD = "shardId-000000000000"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(Clock.virtual(NOON)) as running:
        yield running


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Any:
    """A client of a service, made once."""
    return cache(emulator.client)


class Desk:
    """A reporter with a ledger, a stream and topics of its own."""

    def __init__(self, emulator: Emulator, client: Any) -> None:
        name = f"reporter-{next(numbers)}"
        keys = (("series", "HASH"), ("entry", "RANGE"))
        client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        self.kinesis = client("kinesis")
        self.kinesis.create_stream(StreamName=name, ShardCount=1)
        self.stream = self.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"][
            "StreamARN"
        ]
        sns = client("sns")
        self.topics = {
            topic: sns.create_topic(Name=f"{name}-{topic}")["TopicArn"] for topic in (DAILY_REPORT, ALERTS)
        }
        self.ledger = Ledger(client("dynamodb"), name)
        settings = ReporterSettings(
            "test", "", name, "archive", self.topics[DAILY_REPORT], self.topics[ALERTS], "US,CA"
        )
        self.parts = Parts(settings, self.ledger, self.kinesis, Notices(sns, self.topics))
        self._publications = emulator.publications

    def stored(self, *runs: Run, days: tuple[Acknowledged, ...] = ()) -> None:
        """What the ledger holds before the message comes."""
        head = Head(
            open=frozenset(run.name for run in runs if run.state == OPEN),
            last_run=max((run.time for run in runs), default=None),
        )
        self.ledger.commit(
            (Head(), head), runs=[(None, run) for run in runs], days=[(None, day) for day in days], now=NOON
        )

    def put(self, *payloads: bytes) -> list[str]:
        """Onto the stream; their sequence numbers."""
        put = self.kinesis.put_record
        return [
            put(StreamARN=self.stream, PartitionKey="US", Data=data)["SequenceNumber"] for data in payloads
        ]

    def told(self, topic: str = ALERTS) -> list[Publication]:
        return [item for item in self._publications if item.topic_arn == self.topics[topic]]

    def run(self, name: str) -> Run:
        found = self.ledger.read(name).run
        assert found
        return found

    def digests(self) -> dict[int, bool]:
        """By number of the date: whether the ledger believes what it has of it."""
        return {(day.date - date(1)).days + 1: bool(day.digest) for day in self.ledger.days().values()}


@pytest.fixture
def desk(emulator: Emulator, client: Any, monkeypatch: pytest.MonkeyPatch) -> Desk:
    found = Desk(emulator, client)
    monkeypatch.setattr(reporter, "parts", lambda: found.parts)
    return found


def deliver(message: dict[str, Any], now: dt.datetime = NOW) -> None:
    """As SNS does."""
    notification = {"Message": json.dumps(message), "Timestamp": written(now)}
    assert reporter.handler({"Records": [{"Sns": notification}]}, None) == {"messages": 1}


def undelivered(desk: Desk, sequences: list[str], **changed: object) -> dict[str, Any]:
    """The message about a batch of the stream; Lambda developer guide, on-failure destination."""
    message = {
        "requestContext": {
            "requestId": "c9b8fa9f-5a7f-xmpl-af9c-0c604cde93a5",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:consumer",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 7,
        },
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "version": "1.0",
        "timestamp": written(NOW),
        "KinesisBatchInfo": {
            "shardId": SHARD,
            "startSequenceNumber": sequences[0],
            "endSequenceNumber": sequences[-1],
            "approximateArrivalOfFirstRecord": written(NOON),
            "approximateArrivalOfLastRecord": written(NOON),
            "batchSize": len(sequences),
            "streamArn": desk.stream,
        },
    }
    return message | changed


def unfetched(**changed: object) -> dict[str, Any]:
    """The message about an asynchronous invocation of the fetcher; the same page."""
    message = {
        "version": "1.0",
        "timestamp": written(NOW),
        "requestContext": {
            "requestId": "request-1",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:fetcher:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"scheduled_at": written(NOON), "trigger": "schedule"},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {
            "errorMessage": "nyt at https://example.org/us.csv: answered 404",
            "errorType": "SourceUnavailable",
            "stackTrace": ["…"],
        },
    }
    return message | changed


def payload(number: int, of: Run) -> bytes:
    return encode(event(number, number * 10, run=of.name))


# A batch that the consumer never took


def test_an_undelivered_batch_leaves_its_run_incomplete_its_days_pending_and_one_alert(desk):
    found = run([1, 2, 3])
    desk.stored(found, days=(entry(1, 9), entry(2, 19), entry(3, 29)))
    deliver(undelivered(desk, desk.put(payload(1, found), payload(2, found))))
    (alert,) = desk.told()
    assert alert.subject == "Daybook ALERT: 2 days could not be entered"
    assert "2 days: 2020-03-01, 2020-03-02" in alert.text("email")
    assert "RetryAttemptsExhausted after 7 attempts" in alert.text("email")
    assert len(alert.text("sms")) <= 160
    after = desk.run(found.name)
    assert (after.state, after.reasons) == (INCOMPLETE, ("RetryAttemptsExhausted after 7 attempts",))
    assert desk.digests() == {1: False, 2: False, 3: True}
    head = desk.ledger.head()
    assert (head.open, head.failures, head.unsent) == (frozenset(), (found.name,), frozenset())


def test_the_regions_of_a_batch_are_told_of_one_by_one_each_in_its_own_series(desk):
    ours = run([1])
    desk.stored(ours, days=(entry(1, 9),))
    theirs = replace(event(2, 20, run="theirs"), day=Day(date(2), counts(20), "CA"))
    elsewhere = replace(event(3, 30, run="elsewhere"), day=Day(date(3), counts(30), "XX"))
    deliver(undelivered(desk, desk.put(payload(1, ours), encode(theirs), encode(elsewhere))))
    of_us, of_ca = desk.told()
    assert "2 days: 2020-03-01, 2020-03-03" in of_us.text("email")
    assert "1 day: 2020-03-02" in of_ca.text("email")
    assert desk.run(ours.name).state == INCOMPLETE
    assert (desk.ledger.of("CA").head().unsent, desk.ledger.of("XX").head()) == (frozenset(), Head())


def test_a_day_that_was_entered_after_all_keeps_its_digest(desk):
    found = run([1, 2], inserted=frozenset({date(1)}), entries=1)
    desk.stored(found, days=(entry(1, 10), entry(2, 19)))
    deliver(undelivered(desk, desk.put(payload(1, found), payload(2, found))))
    assert desk.digests() == {1: True, 2: False}


def test_a_batch_that_was_entered_whole_and_only_not_told_of_is_no_alert_and_is_told_now(desk):
    found = run([1, 2], state=COMPLETED, inserted=frozenset({date(1), date(2)}), entries=1)
    desk.stored(found, days=(entry(1, 10), entry(2, 20)))
    notice = Notice(f"{found.name}/report", DAILY_REPORT, "Daybook: 2 rows", "text", "text", found.name)
    head = desk.ledger.head()
    desk.ledger.commit((head, head), notices=[notice], now=NOON)
    deliver(undelivered(desk, desk.put(payload(1, found), payload(2, found))))
    assert desk.told() == []
    assert [report.subject for report in desk.told(DAILY_REPORT)] == ["Daybook: 2 rows"]
    assert desk.run(found.name) == found
    assert desk.digests() == {1: True, 2: True}


def test_a_copy_of_an_incomplete_run_s_record_takes_nothing_from_a_day_that_was_entered_anew_since(desk):
    found = run([1, 2], state=INCOMPLETE, reasons=("told already",))
    desk.stored(found, days=(entry(1, 12, version=2, revision=2), entry(2, 19, version=1)))
    deliver(undelivered(desk, desk.put(payload(1, found), payload(2, found))))
    (alert,) = desk.told()
    assert alert.subject == "Daybook ALERT: 1 day could not be entered"
    assert desk.digests() == {1: True, 2: False}
    deliver(undelivered(desk, desk.put(payload(1, found))))
    assert desk.told() == [alert]


def test_an_open_run_whose_day_a_newer_one_entered_is_incomplete_all_the_same_and_the_day_is_believed(desk):
    found = run([1])
    desk.stored(found, days=(entry(1, 12, version=2, revision=2),))
    deliver(undelivered(desk, desk.put(payload(1, found))))
    assert len(desk.told()) == 1
    assert desk.run(found.name).state == INCOMPLETE
    assert desk.digests() == {1: True}


def test_of_two_runs_with_a_day_in_one_batch_the_newer_one_s_record_takes_its_digest(desk):
    older, newer = run([1]), run([1], time=NOW, request="request-2")
    desk.stored(older, newer, days=(entry(1, 12, version=2, revision=2),))
    record = encode(event(1, 30, version=3, run=newer.name))
    deliver(undelivered(desk, desk.put(payload(1, older), record)))
    assert desk.run(newer.name).state == INCOMPLETE
    assert desk.digests() == {1: False}


def test_an_alert_names_only_the_days_of_a_batch_that_were_not_entered(desk):
    found = run([1, 2], inserted=frozenset({date(1)}), entries=1)
    desk.stored(found, days=(entry(1, 10),))
    deliver(undelivered(desk, desk.put(payload(1, found), payload(2, found))))
    (alert,) = desk.told()
    assert "1 day: 2020-03-02" in alert.text("email")
    assert "2020-03-01" not in alert.text("email")


def test_a_second_delivery_of_the_message_says_and_does_nothing(desk):
    found = run([1])
    desk.stored(found, days=(entry(1, 9),))
    message = undelivered(desk, desk.put(payload(1, found)))
    deliver(message)
    (forgotten,) = desk.ledger.days().values()
    head = desk.ledger.head()
    entered = replace(entry(1, 10, version=2, revision=2), run="the next run")
    desk.ledger.commit((head, head), days=[(forgotten, entered)], now=NOW)
    before = desk.ledger.head()
    deliver(message, NOW + MINUTE)
    assert len(desk.told()) == 1
    assert desk.ledger.days() == {date(1): entered}
    assert desk.ledger.head() == before


def test_a_reporter_that_died_before_sending_sends_when_the_message_comes_again(desk, monkeypatch):
    found = run([1])
    desk.stored(found)
    message = undelivered(desk, desk.put(payload(1, found)))
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Notices, "send", mock.Mock(side_effect=KeyboardInterrupt))
        deliver(message)
    assert desk.told() == []
    deliver(message, NOW + MINUTE)
    deliver(message, NOW + MINUTE)
    assert len(desk.told()) == 1


def test_records_that_are_gone_are_named_by_their_sequence_numbers(desk):
    found = run([1])
    desk.stored(found)
    deliver(undelivered(desk, ["49590338271", "49590338272"]) | gone(desk))
    (alert,) = desk.told()
    assert alert.subject == "Daybook ALERT: a batch could not be entered"
    assert (
        "2 records of shardId-000000000000, sequence numbers 49590338271 to 49590338272, "
        "which the stream no longer holds" in alert.text("email")
    )
    assert desk.run(found.name).state == OPEN  # whose records they were, nobody knows


def gone(desk: Desk) -> dict[str, Any]:
    batch = undelivered(desk, ["49590338271", "49590338272"])["KinesisBatchInfo"]
    return {"KinesisBatchInfo": batch | {"streamArn": desk.stream + "-gone"}}


def test_a_batch_of_which_some_records_are_gone_says_so(desk, emulator):
    found = run([1, 2])
    desk.stored(found)
    old = desk.put(payload(1, found))
    emulator.clock.sleep(20 * 3600)
    new = desk.put(payload(2, found))
    emulator.clock.sleep(10 * 3600)  # a stream keeps a day
    deliver(undelivered(desk, old + new))
    (alert,) = desk.told()
    assert "2 records of shardId-000000000000" in alert.text("email")
    assert "of which the stream still holds 1" in alert.text("email")


def test_a_batch_of_two_runs_ends_both_with_one_alert(desk):
    first, second = run([1]), run([2], time=NOON + MINUTE, request="request-2")
    desk.stored(first, second)
    deliver(undelivered(desk, desk.put(payload(1, first), b"\x00", payload(2, second))))
    (alert,) = desk.told()
    assert first.name in alert.text("email")
    assert second.name in alert.text("email")
    assert {desk.run(name).state for name in (first.name, second.name)} == {INCOMPLETE}
    assert desk.ledger.head().failures == (first.name, second.name)


def test_a_batch_of_a_run_that_has_ended_is_told_and_changes_only_its_days(desk):
    found = run([1, 2], state=INCOMPLETE, reasons=("another batch",), notice="undelivered/other")
    desk.stored(found, days=(entry(1, 9), entry(2, 19)))
    deliver(undelivered(desk, desk.put(payload(2, found))))
    assert len(desk.told()) == 1
    assert desk.run(found.name) == found
    assert desk.digests() == {1: True, 2: False}


@pytest.mark.parametrize("name", ["2020-03-09T12:00:00.000Z#nobody", "r"])
def test_records_of_a_run_that_the_ledger_does_not_know_are_told_all_the_same(desk, name):
    desk.stored()
    deliver(undelivered(desk, desk.put(encode(event(1, 10, run=name)))))
    (alert,) = desk.told()
    assert "1 day: 2020-03-01" in alert.text("email")
    assert "runs not readable" in alert.text("email")


@pytest.mark.parametrize(
    "response", [{}, {"responseContext": {"statusCode": 200, "executedVersion": "$LATEST"}}]
)
def test_a_message_that_does_not_say_how_the_function_failed_is_told(desk, response):
    found = run([1])
    desk.stored(found)
    message = undelivered(desk, desk.put(payload(1, found)))
    del message["responseContext"]
    deliver(message | response)
    assert len(desk.told()) == 1


# A fetcher that failed for good


def test_a_fetcher_that_failed_before_it_stored_a_run_leaves_a_failed_one_and_one_alert(desk):
    deliver(unfetched())
    (found,) = desk.ledger.recent_runs()
    assert (found.time, found.request, found.trigger, found.state) == (NOON, "request-1", "schedule", FAILED)
    (alert,) = desk.told()
    assert alert.subject == "Daybook ALERT: the run of 2020-03-10 12:00 UTC failed"
    assert (
        "RetriesExhausted after 3 attempts: SourceUnavailable: "
        "nyt at https://example.org/us.csv: answered 404" in alert.text("email")
    )
    assert desk.ledger.head().failures == (found.name,)
    deliver(unfetched(), NOW + MINUTE)
    assert desk.ledger.recent_runs() == [found]
    assert len(desk.told()) == 1


def test_a_fetcher_that_failed_within_its_run_leaves_what_was_not_heard_of_pending(desk):
    found = run([1, 2, 3], inserted=frozenset({date(1)}), entries=1)
    desk.stored(found, days=(entry(1, 10), entry(2, 19), entry(4, 40)))
    deliver(unfetched())
    after = desk.run(found.name)
    assert (after.state, after.reason_count) == (FAILED, 1)
    assert after.inserted == {date(1)}
    assert desk.digests() == {1: True, 2: False, 4: True}
    head = desk.ledger.head()
    assert (head.open, head.failures, head.last_run) == (frozenset(), (found.name,), NOON)
    (alert,) = desk.told()
    assert "Days concerned: 2 days: 2020-03-02, 2020-03-03" in alert.text("email")
    assert "1 row had been written" in alert.text("email")


def test_a_fetcher_that_only_could_not_tell_leaves_its_run_to_the_consumer(desk):
    found = run([1, 2])
    desk.stored(found)
    deliver(unfetched(responsePayload={"errorType": "NoticesUnsent", "errorMessage": "1 not sent: denied"}))
    assert desk.run(found.name) == found
    assert desk.ledger.head().open == {found.name}
    assert desk.told() == []


@pytest.mark.parametrize("state", [COMPLETED, FAILED])
def test_a_fetcher_that_failed_after_its_run_had_ended_only_has_its_notice_sent(desk, state):
    found = run([1], state=state)
    desk.stored(found)
    notice = Notice(f"{found.name}/report", DAILY_REPORT, "Daybook: 0 rows", "text", "text", found.name)
    head = desk.ledger.head()
    desk.ledger.commit((head, head), notices=[notice], now=NOON)
    deliver(unfetched())
    assert desk.ledger.recent_runs() == [found]
    assert desk.told() == []
    (report,) = desk.told(DAILY_REPORT)
    assert report.subject == "Daybook: 0 rows"


def test_a_request_that_grew_too_old_before_it_was_ever_tried_is_told(desk):
    message = unfetched()
    context = message["requestContext"] | {"condition": "EventAgeExceeded", "approximateInvokeCount": 0}
    for name in ("responseContext", "responsePayload"):
        del message[name]
    deliver(message | {"requestContext": context})
    (alert,) = desk.told()
    assert "EventAgeExceeded after 0 attempts: no answer" in alert.text("email")


def test_a_fetcher_that_ran_out_of_time_says_so_though_it_names_no_error(desk):
    deliver(unfetched(responsePayload={"errorMessage": "request-1 Task timed out after 120.00 seconds"}))
    (alert,) = desk.told()
    assert "Task timed out after 120.00 seconds" in alert.text("email")


@pytest.mark.parametrize("sent", [None, [], "run!", 7, {}, {"trigger": None}, {"scheduled_at": "soon"}])
@pytest.mark.parametrize("answered", [None, "text"])
def test_whatever_was_asked_and_answered_the_failure_is_told(desk, sent, answered):
    deliver(unfetched(requestPayload=sent, responsePayload=answered))
    (found,) = desk.ledger.recent_runs()
    assert (found.time, found.state) == (NOW, FAILED)
    assert len(desk.told()) == 1


def test_a_request_refused_for_its_time_to_come_does_not_carry_the_ledger_there(desk):
    deliver(unfetched(requestPayload={"scheduled_at": "2099-01-01T00:00:00Z"}))
    (found,) = desk.ledger.recent_runs()
    assert found.time == NOW
    assert desk.ledger.head().last_run == NOW


def test_a_failed_run_is_later_than_the_last_one_whatever_it_was_scheduled_for(desk):
    desk.stored(run(request="request-0", time=NOON + MINUTE, state=COMPLETED))
    deliver(unfetched())
    newest, _ = desk.ledger.recent_runs()
    assert newest.time == NOON + MINUTE + dt.timedelta(milliseconds=1)


def test_a_ledger_that_moves_meanwhile_is_read_again(desk, emulator):
    found = run([1])
    desk.stored(found, days=(entry(1, 9),))
    message = undelivered(desk, desk.put(payload(1, found)))
    calls = []

    def move():
        calls.append(1)
        if len(calls) == 2:  # after the digest is taken, before the run is ended
            del emulator.before["TransactWriteItems"]
            head, now = desk.ledger.head(), desk.run(found.name)
            counted = replace(now, duplicate=frozenset({date(1)}), entries=now.entries + 1)
            desk.ledger.commit((head, head), runs=[(now, counted)], now=NOW)

    emulator.before["TransactWriteItems"] = move
    try:
        deliver(message)
    finally:
        emulator.before.pop("TransactWriteItems", None)
    assert len(calls) == 2
    after = desk.run(found.name)
    assert (after.state, after.duplicate) == (INCOMPLETE, {date(1)})
    assert len(desk.told()) == 1

"""Replay and rebuild without a cloud: what the stream gives again, what the consumer answers, what a rebuild
would lose."""

import base64
import datetime as dt
import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from builders import NOON, entries, entry, event

from schemas.ledger import Head, Held, Run
from storage.archive import Archive
from storage.change import Change
from storage.errors import LedgerMoved, LogIncomplete, NoSuchRecord, NotTaken, Unreachable
from storage.ledger import Committed, Ledger
from storage.rebuild import lacking, rebuild
from storage.redelivery import from_stream
from storage.replay import REDELIVERY, REPLAY, Batch, feed, from_archive, recall
from storage.tables import row

HOUR = dt.timedelta(hours=1)


class Shards:
    """Kinesis with these records a shard: sequence number and hours after noon."""

    def __init__(self, **records: list[tuple[int, int]]) -> None:
        self.records = records

    def get_paginator(self, _name):
        pages = [{"Shards": [{"ShardId": name}]} for name in self.records]
        return SimpleNamespace(paginate=lambda **_: pages)

    def get_shard_iterator(self, **start):
        shard, kind = self.records[start["ShardId"]], start["ShardIteratorType"]
        numbers = [number for number, _ in shard]
        place = 0
        if kind == "AT_SEQUENCE_NUMBER":
            if int(start["StartingSequenceNumber"]) not in numbers:
                raise ClientError({"Error": {"Code": "InvalidArgumentException"}}, "GetShardIterator")
            place = numbers.index(int(start["StartingSequenceNumber"]))
        elif kind == "AT_TIMESTAMP":
            place = sum(NOON + hours * HOUR < start["Timestamp"] for _, hours in shard)
        return {"ShardIterator": f"{start['ShardId']}/{place}"}

    def get_records(self, **asked):
        shard, _, place = asked["ShardIterator"].partition("/")
        left = self.records[shard][int(place) :]
        records = [
            {
                "SequenceNumber": str(number),
                "ApproximateArrivalTimestamp": NOON + hours * HOUR,
                "Data": b"{}",
            }
            for number, hours in left[:2]
        ]
        following = f"{shard}/{int(place) + len(records)}"
        behind = 1 if len(left) > len(records) else 0
        return {"Records": records, "MillisBehindLatest": behind, "NextShardIterator": following}


STREAM = Shards(one=[(11, 0), (12, 1), (13, 2)], other=[(20, 0), (22, 3)])


def numbers(first, last):
    return [
        int(record["kinesis"]["sequenceNumber"])
        for batch in from_stream(STREAM, "stream", first, last)
        for record in json.loads(batch.payload)["Records"]
    ]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (None, None, [11, 12, 13, 20, 22]),
        (NOON + HOUR, None, [12, 13, 22]),
        (None, NOON + HOUR, [11, 12, 20]),
        (NOON + HOUR, NOON + 2 * HOUR, [12, 13]),
        ("12", None, [12, 13]),
        ("12", "12", [12]),
        (None, "20", [20]),
    ],
)
def test_a_sequence_number_is_one_shard_s_and_a_moment_is_every_one_s(first, last, expected):
    assert numbers(first, last) == expected


@pytest.mark.parametrize(("first", "last"), [("17", None), (None, "17"), ("12", "20")])
def test_a_sequence_number_that_no_shard_knows_is_an_error(first, last):
    with pytest.raises(NoSuchRecord):
        numbers(first, last)


def test_the_stream_s_records_come_as_redelivered_and_the_log_s_as_entries():
    (batch, *_) = from_stream(STREAM, "stream", None, None)
    assert {record["eventSource"] for record in json.loads(batch.payload)["Records"]} == {REDELIVERY}
    (batch,) = from_archive(archive([event(1, 10)]))
    (record,) = json.loads(batch.payload)["Records"]
    assert record["eventSource"] == REPLAY
    assert json.loads(base64.b64decode(record["kinesis"]["data"]))["subject"] == "US/2020-03-01"


class Objects:
    """S3 with these objects; nothing else is asked of it here."""

    def __init__(self, bodies):
        self.bodies = bodies

    def get_paginator(self, _name):
        return SimpleNamespace(paginate=lambda **_: [{"Contents": [{"Key": name} for name in self.bodies]}])

    def get_object(self, **asked):
        return {"Body": SimpleNamespace(read=lambda: self.bodies[asked["Key"]])}

    def put_object(self, **asked):
        self.bodies[asked["Key"]] = asked["Body"]


def archive(*objects):
    """The archive whose log has an object for each of these lists of events."""
    kept = Archive(Objects({"events/": b""}), "bucket")
    for events in objects:
        kept.keep_events(events)
    return kept


def test_the_log_is_cut_to_its_bounds_and_an_object_outside_of_them_is_an_empty_batch():
    log = archive([event(1, 10, 5), event(2, 20, 5)], [event(1, 11, 7, 10)], [event(1, 12, 9, 11)])
    batches = list(
        from_archive(log, dt.datetime.fromtimestamp(0.006, dt.UTC), dt.datetime.fromtimestamp(0.007, dt.UTC))
    )
    assert [batch.records for batch in batches] == [0, 1, 0]


BATCHES = [Batch(1, payload=b"1", until="1"), Batch(), Batch(2, payload=b"2", until="2")]


def test_a_batch_that_is_given_back_is_tried_again():
    calls = []

    def invoke(payload):
        calls.append(payload)
        return {"batchItemFailures": [{"itemIdentifier": "1"}] if len(calls) < 3 else []}

    assert feed(BATCHES, invoke, lambda _: None) == 3
    assert calls == [b"1", b"1", b"1", b"2"]


@pytest.mark.parametrize(
    ("reply", "tries"),
    [({"batchItemFailures": [{"itemIdentifier": "1"}]}, 3), ({"errorType": "KeyError"}, 1), (None, 1)],
)
def test_what_the_consumer_does_not_take_ends_the_replay(reply, tries):
    calls, seen = [], []

    def invoke(payload):
        calls.append(payload)
        return reply

    with pytest.raises(NotTaken, match="a batch of 1 events up to 1"):
        feed(BATCHES, invoke, seen.append)
    assert (len(calls), seen) == (tries, [])


class Remembered(Ledger):
    """A ledger in memory; ``moves`` are made under the commits, one each."""

    def __init__(self, head, days, moves=(), runs=()):
        self.now, self.days_, self.moves, self.rebuilt = head, dict(days), list(moves), None
        self.runs_ = list(runs)

    def head(self):
        return self.now

    def days(self):
        return dict(self.days_)

    def runs(self, limit=None):
        assert limit is None
        return self.runs_

    def commit(self, change: Change):
        if self.moves:
            self.now = replace(self.now, **self.moves.pop(0), moves=self.now.moves + 1)
        if change.head[0].moves != self.now.moves:
            raise LedgerMoved("under it")
        self.days_ |= {after.date: after for _, after in change.days}
        if change.head[0] != change.head[1]:
            self.now = replace(change.head[1], moves=self.now.moves + 1)
        return Committed(self.now, ())

    def empty(self, dates):
        assert (self.now.stamp, self.now.entries) == (0, 0), "the head comes first"
        for date in dates:
            del self.days_[date]

    def mark_rebuilt(self, now):
        self.rebuilt = now


DAYS = entries(entry(1, 11, 7, 2), entry(2, 20, 5))


def test_the_head_s_sums_are_counted_again_under_a_live_run():
    ledger: Any = Remembered(Head(stamp=1, entries=1), DAYS, [{"last_run": NOON}])
    head = recall(ledger, NOON)
    assert (head.stamp, head.entries, head.last_run) == (12, 3, NOON)
    assert recall(ledger, NOON) == head  # and nothing is written where they are right


def test_a_day_has_seen_the_duplicates_that_its_runs_count_though_the_log_has_none():
    first, second = DAYS
    later = NOON + dt.timedelta(hours=1)
    counted = Run(later, "r", "schedule", "completed", pending=(first, second), duplicate=frozenset([first]))
    ledger: Any = Remembered(Head(stamp=12, entries=3), DAYS, runs=[counted])
    recall(ledger, NOON)
    assert ledger.days() == {**DAYS, first: replace(DAYS[first], seen=counted.version)}


LOG = [[event(1, 10, 5), event(2, 20, 5)], [event(1, 11, 7, 10)]]
HEAD = Head(stamp=12, entries=3)
ROWS = [row(each) for events in LOG for each in events]


def test_a_log_that_has_everything_lacks_nothing():
    assert lacking(HEAD, DAYS, ROWS, archive(*LOG)) == []
    assert lacking(Head(), {}, [], archive()) == []
    newer = [event(1, 13, 9, 11)]  # logged, and not acknowledged yet
    assert lacking(HEAD, DAYS, ROWS, archive(*LOG, newer)) == []


@pytest.mark.parametrize(
    ("log", "rows", "missing"),
    [
        (
            LOG[1:],
            ROWS,
            [LOG[0][0].id, LOG[0][1].id, "2020-03-01: 1 of 2 entries", "2020-03-02: 0 of 1 entries"],
        ),
        (LOG[:1], [], [LOG[1][0].id, "2020-03-01: 1 of 2 entries"]),
        ([LOG[0][1:], LOG[1]], [], ["2020-03-01: 1 of 2 entries"]),  # its row can't be read either
        (LOG, [*ROWS, row(event(3, 30, 4))], [event(3, 30, 4).id]),  # of a date that the ledger has lost
    ],
)
def test_what_a_rebuild_would_lose_is_named(log, rows, missing):
    found = lacking(HEAD, DAYS, rows, archive(*log))
    assert [line for line in found if "in all" not in line] == missing


def test_a_date_that_the_ledger_has_lost_counts_by_the_log():
    assert lacking(HEAD, {DAYS[LOG[0][1].day.date].date: DAYS[LOG[0][1].day.date]}, ROWS, archive(*LOG)) == []


def rebuilding(ledger, log, tables, invoke=lambda _: {"batchItemFailures": []}):
    return rebuild(ledger, tables, archive(*log), invoke, lambda: NOON, lambda _: None)


class Emptied:
    """Tables with these rows, that fail as they are told."""

    def __init__(self, rows, unread=None, unemptied=None):
        self.rows, self.unread, self.unemptied, self.emptied = rows, unread, unemptied, 0

    def entries(self):
        if self.unread:
            raise self.unread
        return self.rows

    def empty(self):
        if self.unemptied:
            raise self.unemptied
        self.emptied += 1


def test_where_the_log_lacks_something_nothing_is_emptied_and_no_marker_stays():
    ledger, tables = Remembered(HEAD, DAYS), Emptied(ROWS)
    with pytest.raises(LogIncomplete):
        rebuilding(ledger, LOG[:1], tables)
    assert (tables.emptied, ledger.days_, ledger.now.held) == (0, DAYS, None)


def test_where_the_rows_can_t_be_read_nothing_is_emptied():
    ledger, tables = Remembered(HEAD, DAYS), Emptied(ROWS, unread=Unreachable("store", "timed out"))
    with pytest.raises(Unreachable):
        rebuilding(ledger, LOG, tables)
    assert (tables.emptied, ledger.now.held) == (0, None)


def test_the_marker_of_an_earlier_attempt_is_gone_on_with_and_stays_until_the_end():
    earlier = Held("a rebuild is under way", NOON - HOUR)
    ledger = Remembered(replace(HEAD, held=earlier), DAYS)
    with pytest.raises(LogIncomplete):
        rebuilding(ledger, LOG[:1], Emptied(ROWS))
    assert ledger.now.held == earlier
    with pytest.raises(Unreachable):
        rebuilding(ledger, LOG, Emptied(ROWS, unemptied=Unreachable("store", "throttled")))
    assert ledger.now.held == earlier

    def taken(_payload):
        assert ledger.now.held == earlier
        return {"batchItemFailures": []}

    assert rebuilding(ledger, LOG, Emptied(ROWS), taken) == 3
    assert (ledger.now.held, ledger.days_, ledger.rebuilt) == (None, {}, NOON)


def test_a_rebuild_that_the_consumer_breaks_off_leaves_its_marker():
    ledger = Remembered(HEAD, DAYS)
    with pytest.raises(NotTaken):
        rebuilding(ledger, LOG, Emptied(ROWS), lambda _: {"errorType": "KeyError"})
    assert ledger.now.held == Held("a rebuild is under way since 2020-03-10T12:00:00.000Z", NOON)

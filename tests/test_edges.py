"""The edges to AWS: ledger, archive, stream, store with its reader, notices; against the emulator."""

import base64
import datetime as dt
import gzip
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from builders import NOON, counts, date, day, entry, event, run
from dashboard.data import Reader, Unreachable, stamp
from dashboard.data_dynamodb import DynamoDBReader
from functions.archive import Archive, file_key
from functions.ledger import LEASE, Ledger, Reading
from functions.store import Store
from functions.store_dynamodb import DynamoDBStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemas.run import FAILED, Acknowledged, Head, Reason, Run, Settled, Warning
from schemas.tables import Row, attributes, plain

from functions import stream as stream_module
from functions.errors import AlreadyTold, LedgerMoved, NoticesUnsent, RowsRejected, StoreBusy
from functions.notices import Notices
from functions.stream import Record, Stream, chunks, delivered, read_range
from local.clock import Clock
from local.emulator import Emulator
from schemas import tables
from schemas.day import Counts, Day
from schemas.event import DayEvent, decode, encode
from schemas.moment import at, version
from schemas.notice import ALERTS, DAILY_REPORT, Notice

pytestmark = pytest.mark.cloud

SECOND = dt.timedelta(seconds=1)
MILLISECOND = dt.timedelta(milliseconds=1)
V = version(NOON)
NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)  # the emulator's; it takes nothing from its future
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(Clock.virtual(NOW)) as running:
        running.client("timestream-write").create_database(DatabaseName="daybook")
        yield running


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> Any:
    """A client of a service, made once."""
    return cache(emulator.client)


@pytest.fixture
def dynamodb(client: Any) -> Any:
    return client("dynamodb")


@pytest.fixture
def ledger(dynamodb: Any) -> Ledger:
    return Ledger(dynamodb, new_table(dynamodb))


def new_table(dynamodb: Any) -> str:
    """An empty ledger."""
    name = f"ledger-{next(numbers)}"
    keys = (("series", "HASH"), ("entry", "RANGE"))
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def notice(name: str = "run/report", topic: str = DAILY_REPORT, subject: str = "Daybook: 1 row") -> Notice:
    return Notice(name, topic, subject, "Rows inserted 1\n", "Daybook: 1 inserted", "run")


class Fake:
    """A client whose named calls are replaced; the rest goes to the real one."""

    def __init__(self, client: Any, **calls: Any) -> None:
        self.__dict__.update(calls)
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def cancelled(*reasons: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(answer, "TransactWriteItems")


# The ledger: items

untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
against_dynamodb = settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
dates = st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))
date_sets = st.frozensets(dates, max_size=4)
moments = st.integers(0, version(dt.datetime(2200, 1, 1, tzinfo=dt.UTC))).map(at)
whole = st.integers(0, 2**63)
warnings = st.lists(st.builds(Warning, texts, texts), max_size=3).map(tuple)
several = st.lists(texts, max_size=3).map(tuple)
maps = st.dictionaries(texts, texts, max_size=2)
heads = st.builds(
    Head,
    last_acknowledged=st.none() | dates,
    stamp=whole,
    open=st.frozensets(texts, max_size=3),
    last_run=st.none() | moments,
    last_success=st.none() | moments,
    settled=st.none() | st.builds(Settled, maps, whole, st.text(max_size=5), whole),
    warnings=warnings,
    failures=several,
    unsent=st.frozensets(texts, max_size=3),
    acceptances=whole,
    moves=whole,
)
runs = st.builds(
    Run,
    time=moments,
    request=texts,
    trigger=texts,
    state=st.sampled_from(["open", "completed", "failed", "incomplete"]),
    pending=st.lists(dates, max_size=4).map(tuple),
    new=st.dictionaries(dates, st.none() | dates, max_size=3),
    newest=st.none() | dates,
    files=maps,
    etags=maps,
    code=st.text(max_size=5),
    acceptances=whole,
    accepted=several,
    warnings=warnings,
    begun=st.frozensets(texts, max_size=3),
    ended=several,
    reasons=several,
    reason_count=whole,
    inserted=date_sets,
    updated=date_sets,
    duplicate=date_sets,
    failed=date_sets,
    entries=whole,
    notice=st.none() | texts,
)
all_counts = st.builds(Counts, whole, whole, st.none() | whole)
days = st.builds(
    Acknowledged,
    date=dates,
    counts=all_counts,
    digest=st.none() | texts,
    version=whole,
    revision=whole,
    event=texts,
    run=texts,
    at=moments,
)


@untimed
@given(runs)
def test_a_run_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert tables.run_of(plain(attributes(tables.run_item(found)))) == found


@untimed
@given(heads)
def test_the_head_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert tables.head_of(plain(attributes(tables.head_item(found)))) == found


@untimed
@given(days)
def test_a_day_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert tables.day_of(plain(attributes(tables.day_item(found)))) == found


@untimed
@given(texts, texts, moments)
def test_a_notice_is_the_same_when_it_comes_back_from_the_ledger(name, text, created):
    found = Notice(name, ALERTS, text, text, text, None)
    assert tables.notice_of(plain(attributes(tables.notice_item(found, created)))) == found


# The ledger: one transaction


@against_dynamodb
@given(heads, heads)
def test_one_head_turns_into_any_other(dynamodb, first, second):
    ledger = Ledger(dynamodb, new_table(dynamodb))
    before = ledger.commit((Head(), replace(first, moves=0)), now=NOON)
    after = ledger.commit((before, second), now=NOON)
    assert ledger.head() == after == replace(second, moves=2)


@against_dynamodb
@given(runs, runs)
def test_one_state_of_a_run_turns_into_any_other(dynamodb, first, second):
    ledger = Ledger(dynamodb, new_table(dynamodb))
    second = replace(second, time=first.time, request=first.request, entries=first.entries + 1)
    head = ledger.commit((Head(), Head()), runs=[(None, first)], now=NOON)
    ledger.commit((head, head), runs=[(first, second)], now=NOON)
    assert ledger.read(first.name).run == second


def test_a_ledger_before_anything_has_an_empty_head_and_nothing_else(ledger):
    assert ledger.head() == Head()
    assert (ledger.days(), ledger.recent_runs(), ledger.acceptances()) == ({}, [], {})
    assert ledger.read("unknown", [date(1)]) == Reading(Head(), None, {})
    assert not ledger.told("run/report")


def test_a_transaction_writes_head_run_days_files_and_notices_together(ledger, dynamodb):
    stored = run([1, 2])
    after = ledger.commit(
        (Head(), Head(stamp=3, open=frozenset({stored.name}))),
        runs=[(None, stored)],
        days=[(None, entry(1, 10)), (None, entry(2, 20, version=2))],
        files=[tables.checked_item("nyt", NOON)],
        notices=[notice()],
        now=NOON,
    )
    assert after == Head(stamp=3, open=frozenset({stored.name}), unsent=frozenset({"run/report"}), moves=1)
    reading = ledger.read(stored.name, [date(2), date(3)])
    assert (reading.head, reading.run, reading.entries) == (after, stored, {date(2): entry(2, 20, version=2)})
    assert ledger.days() == {date(1): entry(1, 10), date(2): entry(2, 20, version=2)}
    assert ledger.told("run/report")


def test_a_transaction_takes_98_days_beside_head_and_run_and_they_are_read_in_one_look(ledger):
    stored = run(range(1, 99))
    entered = [entry(number, number) for number in range(1, 99)]
    ledger.commit((Head(), Head()), runs=[(None, stored)], days=[(None, day) for day in entered], now=NOON)
    reading = ledger.read(stored.name, map(date, range(1, 99)))
    assert (reading.run, len(reading.entries)) == (stored, 98)


def commit_all(ledger: Ledger, head: Head, stored: Run, **changed: Any) -> None:
    """Everything that a chunk acknowledges, each on what was read."""
    counted = replace(stored, inserted=frozenset({date(1)}), entries=stored.entries + 1)
    known = {"runs": [(stored, counted)], "days": [(entry(1, 10), entry(1, 11, version=2))]} | changed
    ledger.commit((head, replace(head, stamp=99)), now=NOON, **known)


@pytest.fixture
def begun(ledger: Ledger) -> tuple[Head, Run]:
    """A head, an open run and a day in the ledger."""
    stored = run([1])
    head = Head(stamp=1, open=frozenset({stored.name}))
    days = [(None, entry(1, 10))]
    return ledger.commit((Head(), head), runs=[(None, stored)], days=days, now=NOON), stored


def unchanged(ledger: Ledger, stored: Run) -> bool:
    return ledger.days() == {date(1): entry(1, 10)} and ledger.head().stamp == 1


def test_where_nothing_moved_a_chunk_is_acknowledged(ledger, begun):
    head, stored = begun
    commit_all(ledger, head, stored)
    assert ledger.days() == {date(1): entry(1, 11, version=2)}
    assert ledger.read(stored.name).run.inserted == {date(1)}
    assert ledger.head().stamp == 99


def test_nothing_is_written_where_the_head_moved_since_it_was_read(ledger, begun):
    head, stored = begun
    ledger.commit((head, replace(head, acceptances=1)), now=NOON)
    with pytest.raises(LedgerMoved):
        commit_all(ledger, head, stored)
    assert unchanged(ledger, stored)


def test_nothing_is_written_where_the_head_came_into_being_meanwhile(ledger, begun):
    with pytest.raises(LedgerMoved):
        ledger.commit((Head(), Head(stamp=99)), now=NOON)
    assert ledger.head() == begun[0]


@pytest.mark.parametrize(
    "meanwhile", [{"entries": 1, "duplicate": frozenset({date(1)})}, {"state": FAILED, "reasons": ("why",)}]
)
def test_nothing_is_written_where_the_run_moved_or_ended_since_it_was_read(ledger, begun, meanwhile):
    head, stored = begun
    moved = replace(stored, **meanwhile)
    head = ledger.commit((head, head), runs=[(stored, moved)], now=NOON)
    with pytest.raises(LedgerMoved):
        commit_all(ledger, head, stored)
    assert unchanged(ledger, stored)
    assert ledger.read(stored.name).run == moved


def test_nothing_is_written_where_the_run_was_stored_meanwhile(ledger, begun):
    head, stored = begun
    with pytest.raises(LedgerMoved):
        ledger.commit((head, replace(head, stamp=99)), runs=[(None, stored)], now=NOON)
    assert unchanged(ledger, stored)


@pytest.mark.parametrize("read", [None, entry(1, 9, version=0), entry(1, 11, version=2)])
def test_nothing_is_written_where_a_day_moved_since_it_was_read(ledger, begun, read):
    head, stored = begun
    with pytest.raises(LedgerMoved):
        commit_all(ledger, head, stored, days=[(read, entry(1, 12, version=3)), (None, entry(2, 20))])
    assert unchanged(ledger, stored)
    assert ledger.read(stored.name).run == stored


def test_nothing_is_written_where_a_notice_exists_and_that_is_another_error(ledger, begun):
    head, stored = begun
    head = ledger.commit((head, head), notices=[notice("told")], now=NOON)
    with pytest.raises(AlreadyTold, match="told"):
        commit_all(ledger, head, stored, notices=[notice("new"), notice("told")])
    with pytest.raises(AlreadyTold):  # though the head has moved as well
        commit_all(ledger, begun[0], stored, notices=[notice("told")])
    assert unchanged(ledger, stored)
    assert not ledger.told("new")


def test_another_cause_of_a_cancelled_transaction_is_raised_as_it_is(ledger, begun):
    def fail(**_):
        raise cancelled("None", "ThrottlingError")

    failing = Ledger(Fake(None, transact_write_items=fail), "ledger")
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        commit_all(failing, *begun)


def test_a_conflict_with_a_transaction_under_way_counts_as_moved(begun):
    def fail(**_):
        raise cancelled("TransactionConflict", "None", "None")

    with pytest.raises(LedgerMoved):
        commit_all(Ledger(Fake(None, transact_write_items=fail), "ledger"), *begun)


def test_what_was_marked_sent_or_is_still_unsent_stays_so_whatever_the_writer_had_read(ledger):
    read = ledger.commit((Head(), Head()), notices=[notice("a"), notice("b")], now=NOON)
    ledger.mark_sent("a", NOON)
    after = ledger.commit((read, replace(read, stamp=1)), notices=[notice("c")], now=NOON)
    assert after.unsent == {"a", "b", "c"}  # as far as the writer knows
    assert ledger.head().unsent == {"b", "c"}


def test_a_head_that_an_operator_made_by_accepting_something_can_be_moved(ledger, dynamodb):
    dynamodb.update_item(
        TableName=ledger._table,
        Key=tables.key(tables.HEAD),
        UpdateExpression="ADD acceptances :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    head = ledger.head()
    assert head == Head(acceptances=1)
    assert ledger.commit((head, replace(head, stamp=1)), now=NOON) == ledger.head()


# The ledger: reading


def test_every_page_of_days_is_read(ledger, dynamodb):
    entered = [entry(number, number) for number in range(1, 8)]
    ledger.commit((Head(), Head()), days=[(None, day) for day in entered], now=NOON)

    def query(**request):
        return dynamodb.query(**({"Limit": 2} | request))

    paged = Ledger(Fake(dynamodb, query=query), ledger._table)
    assert list(paged.days().values()) == entered


def test_the_last_runs_come_newest_first_and_no_more_of_them_than_asked_for(ledger, dynamodb):
    head = Head()
    for number in range(6):
        stored = run(time=NOON + number * SECOND)
        head = ledger.commit((head, head), runs=[(None, stored)], now=NOON)

    def query(**request):
        return dynamodb.query(**(request | {"Limit": 2}))  # as where two runs fill a page

    paged = Ledger(Fake(dynamodb, query=query), ledger._table)
    newest = [NOON + number * SECOND for number in (5, 4, 3)]
    assert [found.time for found in ledger.recent_runs(3)] == newest
    assert [found.time for found in paged.recent_runs(3)] == newest


def test_acceptances_are_a_date_and_a_digest_or_gone(ledger, dynamodb):
    for name in ("accept#2020-03-01#0123456789ab", "accept#2020-03-02#gone"):
        dynamodb.put_item(TableName=ledger._table, Item=tables.key(name))
    assert ledger.acceptances().keys() == {(date(1), "0123456789ab"), (date(2), "gone")}


def one_key_at_a_time(dynamodb: Any, answered: int) -> Any:
    """A client that leaves all keys but the first unread, and after so many answers every one."""
    answers = itertools.count(1)

    def batch_get_item(RequestItems):  # noqa: N803
        ((table, request),) = RequestItems.items()
        first, rest = request["Keys"][:1], request["Keys"][1:]
        if next(answers) > answered:
            first, rest = [], request["Keys"]
        unread = {"UnprocessedKeys": {table: request | {"Keys": rest}} if rest else {}}
        found = {"Responses": {}}
        if first:
            found = dynamodb.batch_get_item(RequestItems={table: request | {"Keys": first}})
        return found | unread

    return Fake(dynamodb, batch_get_item=batch_get_item)


def test_keys_left_unread_are_asked_for_again_but_not_without_end(ledger, dynamodb, begun):
    head, stored = begun
    slow = Ledger(one_key_at_a_time(dynamodb, answered=9), ledger._table)
    reading = slow.read(stored.name, [date(1)])
    assert (reading.head, reading.run, reading.entries) == (head, stored, {date(1): entry(1, 10)})
    stuck = Ledger(one_key_at_a_time(dynamodb, answered=1), ledger._table)
    with pytest.raises(StoreBusy, match="left keys unread"):
        stuck.read(stored.name, [date(1)])


# The ledger: notices


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    ledger.commit((Head(), Head()), notices=[notice()], now=NOON)
    return ledger


def test_a_notice_is_leased_whole(told):
    assert told.lease("run/report", "request-1", NOON) == notice()


def test_the_same_holder_may_take_a_notice_up_again_and_another_only_after_five_minutes(told):
    assert told.lease("run/report", "request-1", NOON)
    assert told.lease("run/report", "request-1", NOON + SECOND)
    assert told.lease("run/report", "request-2", NOON + 2 * SECOND) is None
    assert told.lease("run/report", "request-2", NOON + SECOND + LEASE - MILLISECOND) is None
    assert told.lease("run/report", "request-2", NOON + SECOND + LEASE + MILLISECOND)
    assert told.lease("run/report", "request-1", NOON + SECOND + LEASE + SECOND) is None


def test_a_notice_that_was_sent_is_never_leased(told):
    told.lease("run/report", "request-1", NOON)
    told.mark_sent("run/report", NOON)
    assert told.lease("run/report", "request-1", NOON + SECOND) is None
    assert told.lease("run/report", "request-2", NOON + 2 * LEASE) is None
    assert told.head().unsent == frozenset()
    assert told.told("run/report")


def test_a_notice_that_nobody_knows_is_not_leased(told):
    assert told.lease("run/alert", "request-1", NOON) is None
    assert not told.told("run/alert")


def test_marking_a_notice_sent_is_tried_again_where_another_is_moving_the_head(told, dynamodb):
    conflicts = [cancelled("None", "TransactionConflict") for _ in range(4)]

    def transact_write_items(**request):
        if conflicts:
            raise conflicts.pop()
        return dynamodb.transact_write_items(**request)

    busy = Ledger(Fake(dynamodb, transact_write_items=transact_write_items), told._table)
    busy.mark_sent("run/report", NOON)
    assert told.head().unsent == frozenset()
    conflicts += [cancelled("None", "TransactionConflict") for _ in range(5)]
    with pytest.raises(ClientError):
        busy.mark_sent("run/report", NOON)
    conflicts[:] = [cancelled("None", "ThrottlingError")]
    with pytest.raises(ClientError):
        busy.mark_sent("run/report", NOON)


# The archive


@pytest.fixture
def s3(client: Any) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"archive-{next(numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def kept(s3: Any, bucket: str) -> dict[str, bytes]:
    """The bucket's objects by name."""
    found = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read() for item in found}


def test_a_file_comes_back_as_it_was_published_and_is_kept_once(s3, bucket):
    archive, payload = Archive(s3, bucket), b"\xef\xbb\xbfdate,cases\r\n\x00\xff" * 1_000
    sha256 = archive.keep_file("nyt", payload)
    assert archive.keep_file("nyt", payload) == sha256
    assert archive.file("nyt", sha256) == payload
    ((name, packed),) = kept(s3, bucket).items()
    assert name == file_key("nyt", sha256) == f"sources/nyt/{sha256}.csv.gz"
    assert len(packed) < len(payload)
    assert packed[4:8] == bytes(4)  # no time of packing: the same file is the same object
    assert gzip.decompress(packed) == payload


def test_an_empty_file_is_kept_too(s3, bucket):
    archive = Archive(s3, bucket)
    assert archive.file("jhu", archive.keep_file("jhu", b"")) == b""


def test_an_object_is_created_once_and_never_changed(s3, bucket):
    archive = Archive(s3, bucket)
    archive.keep_rejected("49590338271490256608559692538361571095921575989136588898", b"first")
    archive.keep_rejected("49590338271490256608559692538361571095921575989136588898", b"second")
    assert list(kept(s3, bucket).values()) == [b"first"]


def test_events_are_kept_as_lines_under_their_first_version_and_a_hash_of_all_ids(s3, bucket):
    archive, found = Archive(s3, bucket), [event(1, 10, V), event(2, 20, V)]
    archive.keep_events(found)
    archive.keep_events(found)
    archive.keep_events(found[:1])
    (first, first_lines), (second, second_lines) = sorted(
        kept(s3, bucket).items(), key=lambda item: len(item[1]), reverse=True
    )
    assert [decode(line) for line in first_lines.splitlines()] == found
    assert second_lines == encode(found[0]) + b"\n"
    assert first != second
    assert {name.rpartition("-")[0] for name in (first, second)} == {f"events/{V}"}


def test_all_reasons_of_a_refused_run_are_kept_one_a_line(s3, bucket):
    reasons = [Reason("nyt", "is empty", row, "2020-03-01", "cases", "") for row in range(2, 32)]
    Archive(s3, bucket).keep_reasons(run().name, reasons)
    ((name, lines),) = kept(s3, bucket).items()
    assert name == "reasons/2020-03-10T12:00:00.000Z#request-1.jsonl"
    assert [Reason(**json.loads(line)) for line in lines.splitlines()] == reasons


def test_a_bucket_that_is_not_there_is_no_kept_file(s3):
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Archive(s3, "nowhere").keep_file("nyt", b"")


# The stream: putting


class Shard:
    """Kinesis as far as PutRecords goes; refuses what ``refused`` says, by call and position in it."""

    def __init__(self, refused: dict[int, set[int]] | None = None) -> None:
        self.refused = refused or {}
        self.calls: list[list[DayEvent]] = []
        self.taken: list[DayEvent] = []

    def put_records(self, StreamName: str, Records: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        assert StreamName == "events"
        found = [decode(record["Data"]) for record in Records]
        assert {record["PartitionKey"] for record in Records} == {"US"}
        refused = self.refused.get(len(self.calls), self.refused.get(-1, set()))
        self.calls.append(found)
        self.taken += [event for place, event in enumerate(found) if place not in refused]
        outcomes = [
            {"ErrorCode": "ProvisionedThroughputExceededException"} if place in refused else {"ShardId": "1"}
            for place in range(len(found))
        ]
        return {"FailedRecordCount": len(refused), "Records": outcomes}


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(stream_module, "time", SimpleNamespace(sleep=found.append))
    return found


def test_events_go_out_in_their_order_at_most_500_a_call(waits):
    shard, found = Shard(), [event(number, number) for number in range(1, 1_102)]
    assert Stream(shard, "events").put(iter(found)) == 1_101
    assert [len(call) for call in shard.calls] == [500, 500, 101]
    assert (shard.taken, waits) == (found, [])


def test_no_events_are_no_call():
    shard = Shard()
    assert Stream(shard, "events").put([]) == 0
    assert shard.calls == []


def test_only_the_refused_records_are_put_again(waits):
    shard, found = Shard({0: {1, 3}, 1: {0}}), [event(number, number) for number in range(1, 6)]
    assert Stream(shard, "events").put(found) == 5
    assert [[event.day.counts.cases for event in call] for call in shard.calls] == [
        [1, 2, 3, 4, 5],
        [2, 4],
        [2],
    ]
    assert sorted(event.day.date for event in shard.taken) == [event.day.date for event in found]
    assert len(waits) == 2
    assert waits[0] <= 0.1 <= waits[1] <= 0.2


def test_records_refused_five_times_are_given_up_and_those_behind_them_not_tried(waits):
    shard, found = Shard({-1: {0}}), [event(number, number) for number in range(1, 502)]
    with pytest.raises(StoreBusy, match="1 records still refused by events after 5 attempts"):
        Stream(shard, "events").put(found)
    assert [len(call) for call in shard.calls] == [500, 1, 1, 1, 1]
    assert len(waits) == 4


# The stream: reading


@pytest.fixture
def kinesis(client: Any) -> Any:
    return client("kinesis")


@pytest.fixture
def arn(kinesis: Any) -> str:
    name = f"events-{next(numbers)}"
    kinesis.create_stream(StreamName=name, ShardCount=1)
    return kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]


def put(kinesis: Any, arn: str, *payloads: bytes) -> list[str]:
    """Their sequence numbers."""
    return [
        kinesis.put_record(StreamARN=arn, PartitionKey="US", Data=data)["SequenceNumber"] for data in payloads
    ]


SHARD = "shardId-000000000000"


def test_a_range_of_the_stream_is_read_exactly(kinesis, arn, emulator):
    found = [event(number, number) for number in range(1, 6)]
    sequences = put(kinesis, arn, *map(encode, found))
    middle = read_range(kinesis, arn, SHARD, sequences[1], sequences[3])
    assert [(record.sequence, record.event) for record in middle or []] == list(
        zip(sequences[1:4], found[1:4], strict=True)
    )
    (one,) = read_range(kinesis, arn, SHARD, sequences[4], sequences[4]) or []
    assert one == Record(sequences[4], emulator.clock.now(), encode(found[4]), found[4], None)


def test_a_range_that_ends_with_a_number_that_no_record_has_ends_before_it(kinesis, arn):
    sequences = put(kinesis, arn, *(encode(event(number, number)) for number in range(1, 4)))
    found = read_range(kinesis, arn, SHARD, sequences[0], str(int(sequences[2]) - 1))
    assert [record.sequence for record in found or []] == sequences[:2]
    beyond = read_range(kinesis, arn, SHARD, sequences[0], str(int(sequences[2]) + 1))
    assert [record.sequence for record in beyond or []] == sequences


def test_an_undecodable_record_of_a_range_is_given_with_its_problem(kinesis, arn):
    (sequence,) = put(kinesis, arn, b"\x00")
    (record,) = read_range(kinesis, arn, SHARD, sequence, sequence) or []
    assert (record.payload, record.event) == (b"\x00", None)
    assert "not JSON" in str(record.problem)


def test_a_stream_or_a_shard_that_is_gone_has_no_records(kinesis, arn):
    assert read_range(kinesis, arn + "-gone", SHARD, "1", "2") is None
    assert read_range(kinesis, arn, "shardId-000000000007", "1", "2") is None


def test_a_range_that_the_stream_has_forgotten_has_no_records_and_a_half_forgotten_one_the_rest(
    kinesis, arn, emulator
):
    old = put(kinesis, arn, *(encode(event(number, number)) for number in (1, 2)))
    emulator.clock.sleep(20 * 3600)
    new = put(kinesis, arn, *(encode(event(number, number)) for number in (3, 4)))
    emulator.clock.sleep(10 * 3600)  # a stream keeps a day
    assert read_range(kinesis, arn, SHARD, *old) is None
    half = read_range(kinesis, arn, SHARD, old[1], new[0])
    assert [record.sequence for record in half or []] == new[:1]


def test_an_empty_page_before_the_newest_record_is_not_the_end():
    record = {
        "SequenceNumber": "100",
        "ApproximateArrivalTimestamp": NOON.astimezone(dt.timezone(dt.timedelta(hours=-5))),
        "Data": encode(event(1, 10)),
    }
    pages = {
        "a": {"Records": [], "MillisBehindLatest": 5_000, "NextShardIterator": "b"},
        "b": {"Records": [record], "MillisBehindLatest": 0, "NextShardIterator": "c"},
        "c": {"Records": [], "MillisBehindLatest": 0, "NextShardIterator": "d"},
    }
    client = SimpleNamespace(
        exceptions=SimpleNamespace(InvalidArgumentException=KeyError, ResourceNotFoundException=KeyError),
        get_shard_iterator=lambda **_: {"ShardIterator": "a"},
        get_records=lambda ShardIterator, StreamARN: pages[ShardIterator],  # noqa: N803
    )
    for last in ("100", "101"):
        (found,) = read_range(client, "arn", SHARD, "99", last) or []
        assert (found.sequence, found.arrival, found.arrival.tzinfo) == ("100", NOON, dt.UTC)


def test_numbers_that_the_stream_never_gave_have_no_records():
    def refuse(**_):
        raise KeyError("InvalidArgumentException")

    client = SimpleNamespace(
        exceptions=SimpleNamespace(InvalidArgumentException=KeyError, ResourceNotFoundException=KeyError),
        get_shard_iterator=refuse,
    )
    assert read_range(client, "arn", SHARD, "99", "100") is None


# The stream: as delivered


def item(number: int, payload: bytes, source: str = "aws:kinesis") -> dict[str, Any]:
    kinesis = {
        "sequenceNumber": str(number),
        "approximateArrivalTimestamp": NOON.timestamp(),
        "data": base64.b64encode(payload).decode(),
    }
    return {"eventSource": source, "kinesis": kinesis}


def test_delivered_records_come_in_their_order_with_their_arrival():
    found = [event(2, 20), event(1, 10)]
    records, replayed = delivered({"Records": [item(7, encode(found[0])), item(8, encode(found[1]))]}, ["US"])
    assert [(record.sequence, record.arrival, record.event) for record in records] == [
        ("7", NOON, found[0]),
        ("8", NOON, found[1]),
    ]
    assert not replayed


def test_records_are_replayed_only_where_all_of_them_are():
    payload = encode(event(1, 10))
    replay, stream = item(1, payload, "daybook:replay"), item(2, payload)
    assert delivered({"Records": [replay, replay]}, ["US"])[1]
    assert not delivered({"Records": [replay, stream]}, ["US"])[1]


def envelope(**data: Any) -> bytes:
    """A valid event but for these data; id and time go with them."""
    found = json.loads(encode(event(1, 10)))
    found["data"] |= data
    entered = found["data"]
    found["subject"] = f"{entered['region']}/{entered['date']}"
    digest = counts(entered["cases"]).digest
    return json.dumps(found | {"id": f"{found['subject']}/{entered['version']}/{digest}"}).encode()


def test_the_builder_of_bad_events_builds_a_good_one_where_nothing_is_bad():
    assert decode(envelope()) == event(1, 10)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a CloudEvent"),
        (b'{"type": {}}', "not a CloudEvent"),
        (b'{"type": "daybook.day.recorded.v9"}', "not a CloudEvent"),
        (envelope(region="CA"), "is not US"),
        (envelope(cases=10.0), "cases"),
        (envelope(version=2**63 - 1), "version"),  # no moment before the year 10000
        (envelope(more=1), "more"),
    ],
)
def test_a_record_that_is_no_event_of_ours_is_delivered_with_its_problem(payload, problem):
    (record,), _ = delivered({"Records": [item(7, payload)]}, ["US"])
    assert (record.sequence, record.payload, record.event) == ("7", payload, None)
    assert problem in str(record.problem)


def record(number: int, found: DayEvent | None) -> Record:
    return Record(str(number), NOON, b"", found, None if found else "not JSON")


@pytest.mark.parametrize(
    ("found", "size", "expected"),
    [
        ([], 3, []),
        ([("r", 1), ("r", 2), ("r", 3)], 3, [[1, 2, 3]]),
        ([("r", 1), ("r", 2), ("r", 3), ("r", 4)], 3, [[1, 2, 3], [4]]),
        ([("r", 1), ("r", 2), ("s", 3), ("r", 4)], 9, [[1, 2], [3], [4]]),
        ([("r", 1), ("r", 2), ("r", 1), ("r", 2)], 9, [[1, 2], [3, 4]]),
        ([("r", 1), None, ("r", 2), ("r", 3)], 9, [[1], [2], [3, 4]]),
        ([None, None, ("r", 1)], 9, [[1], [2], [3]]),
        ([("r", 1), ("r", 2), None], 2, [[1, 2], [3]]),
    ],
)
def test_a_chunk_is_of_one_run_with_no_date_twice_and_what_is_no_event_stands_alone(found, size, expected):
    records = [
        record(number, run_and_date and event(run_and_date[1], 10, run=run_and_date[0]))
        for number, run_and_date in enumerate(found, 1)
    ]
    assert [[int(one.sequence) for one in chunk] for chunk in chunks(records, size)] == expected


def test_a_chunk_is_of_one_region():
    found = [event(1, 10), event(2, 10), event(3, 10)]
    found[1] = replace(found[1], day=replace(found[1].day, region="CA"))
    cut = chunks([record(number, one) for number, one in enumerate(found)], 9)
    assert [[one.sequence for one in chunk] for chunk in cut] == [["0"], ["1"], ["2"]]


def test_a_record_of_another_region_is_an_event_where_any_is_admitted():
    (record,), _ = delivered({"Records": [item(7, envelope(region="CA"))]}, ["*"])
    assert record.event and record.event.day.region == "CA"


# The store, and its reader


class InTimestream:
    """Two tables and a ledger of their own, with writer and reader."""

    def __init__(self, client: Any) -> None:
        number = next(numbers)
        self.names = f"daily-{number}", f"revisions-{number}"
        self.client = client("timestream-write")
        for name in self.names:
            self.client.create_table(
                DatabaseName="daybook",
                TableName=name,
                RetentionProperties={
                    "MemoryStoreRetentionPeriodInHours": 24,
                    "MagneticStoreRetentionPeriodInDays": 73_000,
                },
                MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
            )
        self.store = Store(self.client, "daybook", *self.names)
        dynamodb = client("dynamodb")
        self.reader = Reader(
            ledger_client=dynamodb,
            ledger_table=new_table(dynamodb),
            query_client=client("timestream-query"),
            database="daybook",
            daily_table=self.names[0],
            revisions_table=self.names[1],
        )

    def daily(self) -> list[tuple[int, int]]:
        """Number of the date, and cases."""
        return [((row.day.date - date(1)).days + 1, row.day.counts.cases) for row in self.reader.daily()]


class InDynamoDB(InTimestream):
    """The same, of the second store."""

    def __init__(self, client: Any) -> None:
        self.client = client("dynamodb")
        self.names = new_table(self.client), new_table(self.client)
        self.store = DynamoDBStore(self.client, *self.names)
        self.reader = DynamoDBReader(
            ledger_client=self.client,
            ledger_table=new_table(self.client),
            tables_client=self.client,
            daily_table=self.names[0],
            revisions_table=self.names[1],
        )


@pytest.fixture(params=[InTimestream, InDynamoDB])
def stored(request: Any, client: Any) -> Any:
    return request.param(client)


@pytest.fixture
def in_timestream(client: Any) -> InTimestream:
    return InTimestream(client)


@pytest.fixture
def in_dynamodb(client: Any) -> InDynamoDB:
    return InDynamoDB(client)


def row(number: int, cases: int, version: int = V, revision: int = 1, current: bool = True) -> Row:
    found = day(number, cases)
    return Row(found, version, revision, f"US/{found.date}/{version}/{found.counts.digest}", current)


def test_tables_that_were_never_written_to_are_empty(stored):
    assert stored.reader.daily() == stored.reader.revisions() == stored.reader.revisions(date(1)) == []
    assert stored.reader.as_of(NOON) == []
    assert stored.reader.head() == Head()


def test_a_table_that_does_not_exist_is_not_taken_for_an_empty_one(stored):
    elsewhere = replace(stored.reader, daily_table="nowhere")
    with pytest.raises((ClientError, Unreachable), match=r"does not exist|not found"):
        elsewhere.daily()


def test_rows_come_back_as_they_were_written_in_the_order_of_their_dates(stored):
    rows = [row(number, number, V - number) for number in range(1, 251)]
    stored.store.write(rows[::-1])
    assert stored.reader.daily() == stored.reader.revisions() == rows
    assert stamp(stored.reader.daily()) == sum(row.version for row in rows)
    stored.store.write(rows)  # again
    assert stored.reader.daily() == stored.reader.revisions() == rows


def test_every_entry_stays_in_revisions_and_only_the_current_one_in_daily(stored):
    stored.store.write([row(1, 10, V)])
    stored.store.write([row(1, 12, V + 2, revision=2)])
    stored.store.write([row(1, 11, V + 1, revision=2, current=False)])
    assert stored.reader.daily() == [row(1, 12, V + 2, revision=2)]
    found = [(row.version - V, row.day.counts.cases) for row in stored.reader.revisions(date(1))]
    assert found == [(0, 10), (1, 11), (2, 12)]
    assert stored.reader.revisions(date(2)) == []


def test_a_number_that_is_not_reported_any_more_is_not_the_former_one(stored):
    def entered(recovered, version):
        return Row(Day(date(1), Counts(10, 1, recovered)), version, 1, "id")

    for recovered, entry_version in ((5, V), (None, V + 1), (0, V + 2), (None, V + 3)):
        stored.store.write([entered(recovered, entry_version)])
        (found,) = stored.reader.daily()
        assert found.day.counts.recovered == recovered
    assert [row.day.counts.recovered for row in stored.reader.revisions()] == [5, None, 0, None]


def test_a_number_that_is_said_not_to_be_reported_is_not_believed_even_where_it_stands(in_timestream):
    columns = {
        "region": "US",
        "date": "2020-03-01 00:00:00.000000000",
        "cases": "10",
        "deaths": "1",
        "recovered": "5",
        "recovered_reported": "false",
        "revision": "2",
        "event_id": "id",
        "recorded_at": "2020-03-10 12:00:00.000000000",
    }
    page = {
        "ColumnInfo": [{"Name": name} for name in columns],
        "Rows": [{"Data": [{"ScalarValue": value} for value in columns.values()]}],
    }
    errors = SimpleNamespace(ValidationException=KeyError)
    client = SimpleNamespace(query=lambda **_: page, exceptions=errors)
    (found,) = replace(in_timestream.reader, query_client=client).daily()
    assert found == Row(Day(date(1), Counts(10, 1, None)), V, 2, "id")


def test_as_of_a_moment_each_day_is_what_was_entered_last_by_then(stored):
    first, second = NOON, NOON + dt.timedelta(days=1)
    stored.store.write([row(1, 10, version(first)), row(2, 20, version(first))])
    stored.store.write([row(1, 11, version(second), revision=2), row(3, 30, version(second))])

    def believed(moment):
        return [row.day.counts.cases for row in stored.reader.as_of(moment)]

    assert believed(first - MILLISECOND) == []
    assert believed(first) == believed(second - MILLISECOND) == [10, 20]
    assert believed(second) == believed(second + dt.timedelta(days=900)) == [11, 20, 30]


def test_an_empty_first_page_is_not_the_last(in_timestream, emulator, monkeypatch):
    in_timestream.store.write([row(1, 10), row(2, 20)])
    monkeypatch.setattr(emulator.queries, "empty_first_page", True)
    assert in_timestream.daily() == [(1, 10), (2, 20)]


def test_what_is_refused_for_its_content_is_named_and_the_other_rows_are_written(in_timestream):
    ahead = 73 * 366  # Timestream takes nothing from the future
    rows = [row(number, number) for number in range(1, 150)]
    rows[120] = row(ahead, 121)
    with pytest.raises(RowsRejected) as raised:
        in_timestream.store.write(rows)
    ((refused, why),) = raised.value.reasons.items()
    assert refused == rows[120].event
    assert "outside the time range" in why
    assert in_timestream.daily() == [(number, number) for number in range(1, 150) if number != 121]


def test_a_row_that_revisions_refuses_is_not_in_daily_either(in_timestream):
    ahead = row(1, 10, version(NOW + dt.timedelta(days=400)))
    with pytest.raises(RowsRejected) as raised:
        in_timestream.store.write([ahead, row(2, 20)])
    assert list(raised.value.reasons) == [ahead.event]
    assert in_timestream.daily() == [(2, 20)]


def test_a_date_before_1970_is_refused_without_failing_the_others(in_timestream):
    ancient = replace(row(1, 10), day=replace(day(1, 10), date=dt.date(202, 3, 1)), event="ancient")
    with pytest.raises(RowsRejected) as raised:
        in_timestream.store.write([ancient, row(2, 20)])
    assert raised.value.reasons == {"ancient": "lies before 1970"}
    assert in_timestream.daily() == [(2, 20)]


def test_a_newer_entry_than_the_ledger_knew_of_is_no_fault_of_the_row(stored, emulator):
    now = version(emulator.clock.now())
    stored.store.write([row(1, 10, now)])
    with pytest.raises(StoreBusy, match="holds a newer version"):
        stored.store.write([row(1, 11, now)])
    assert stored.daily() == [(1, 10)]


def test_any_other_error_of_the_store_is_raised_as_it_is(in_timestream):
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        Store(in_timestream.client, "daybook", "nowhere", "nowhere").write([row(1, 10)])


def test_an_older_entry_never_takes_the_place_of_a_newer_one(in_dynamodb):
    in_dynamodb.store.write([row(1, 12, V + 2, revision=2)])
    with pytest.raises(StoreBusy, match="holds a newer version"):
        in_dynamodb.store.write([row(2, 20, V), row(1, 11, V + 1, revision=2)])
    assert in_dynamodb.daily() == [(1, 12)]  # the other row of the transaction comes again with the batch


def test_an_entry_that_is_written_already_stays_what_it_is(in_dynamodb):
    in_dynamodb.store.write([row(1, 10, V)])
    with pytest.raises(StoreBusy):
        in_dynamodb.store.write([row(1, 11, V, current=False)])
    assert [found.day.counts.cases for found in in_dynamodb.reader.revisions()] == [10]


def test_a_table_of_many_pages_is_read_to_its_end(in_dynamodb):
    rows = [row(number, number) for number in range(1, 6)]
    in_dynamodb.store.write(rows)
    asked = []

    def query(**request):
        asked.append(request)
        return in_dynamodb.client.query(**request, Limit=2)

    paged = replace(in_dynamodb.reader, tables_client=SimpleNamespace(query=query))
    assert paged.daily() == rows
    assert len(asked) == 3


def test_a_store_that_gives_no_answer_is_out_of_reach(in_dynamodb):
    def query(**_):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    silent = replace(in_dynamodb.reader, tables_client=SimpleNamespace(query=query))
    with pytest.raises(Unreachable, match="store"):
        silent.revisions(date(1))


def test_no_rows_are_no_call():
    calls: list[object] = []
    client = SimpleNamespace(write_records=lambda **asked: calls.append(asked))
    Store(client, "daybook", "daily", "revisions").write([])
    assert calls == []


# Telling


@pytest.fixture(scope="module")
def topics(client: Any) -> dict[str, str]:
    sns = client("sns")
    return {name: sns.create_topic(Name=name)["TopicArn"] for name in (DAILY_REPORT, ALERTS)}


@pytest.fixture
def notices(emulator: Emulator, client: Any, topics: dict[str, str]) -> Notices:
    emulator.publications.clear()
    return Notices(client("sns"), topics)


class Dying(Ledger):
    """A ledger whose caller dies before it can mark anything sent."""

    def mark_sent(self, notice: str, now: dt.datetime) -> None:
        raise SystemExit


def test_a_notice_goes_to_its_topic_with_a_text_for_each_protocol_and_is_marked(
    emulator, notices, topics, told
):
    told.commit((told.head(), told.head()), notices=[notice("run/failed", ALERTS, "Daybook ALERT")], now=NOON)
    assert notices.send(told.head().unsent, told, "request-1", NOON) == 2
    alert, report = emulator.publications
    assert (alert.topic_arn, alert.subject) == (topics[ALERTS], "Daybook ALERT")
    assert (report.topic_arn, report.subject) == (topics[DAILY_REPORT], "Daybook: 1 row")
    assert report.structure == "json"
    assert json.loads(report.message) == {
        "default": "Rows inserted 1\n",
        "email": "Rows inserted 1\n",
        "sms": "Daybook: 1 inserted",
    }
    assert told.head().unsent == frozenset()


def test_a_notice_that_is_marked_sent_goes_out_no_second_time(emulator, notices, told):
    unsent = told.head().unsent
    assert notices.send(unsent, told, "request-1", NOON) == 1
    assert notices.send(unsent, told, "request-1", NOON) == 0
    assert notices.send(unsent, told, "request-2", NOON + 2 * LEASE) == 0
    assert len(emulator.publications) == 1


def test_a_notice_that_another_is_sending_is_left_to_it(emulator, notices, told):
    told.lease("run/report", "request-1", NOON)
    assert notices.send(told.head().unsent, told, "request-2", NOON + SECOND) == 0
    assert emulator.publications == []
    assert told.head().unsent == {"run/report"}


def test_where_the_sender_died_before_marking_the_same_holder_sends_again_at_once(emulator, notices, told):
    with pytest.raises(SystemExit):
        notices.send(told.head().unsent, Dying(told._client, told._table), "request-1", NOON)
    assert notices.send(told.head().unsent, told, "request-1", NOON + SECOND) == 1
    assert len(emulator.publications) == 2
    assert told.head().unsent == frozenset()


def test_where_the_sender_died_before_marking_another_sends_again_after_five_minutes(emulator, notices, told):
    with pytest.raises(SystemExit):
        notices.send(told.head().unsent, Dying(told._client, told._table), "request-1", NOON)
    assert notices.send(told.head().unsent, told, "request-2", NOON + LEASE - SECOND) == 0
    assert notices.send(told.head().unsent, told, "request-2", NOON + LEASE + SECOND) == 1
    assert len(emulator.publications) == 2


def test_a_notice_that_can_t_be_sent_holds_up_none_of_the_others_and_is_tried_again(
    emulator, client, topics, notices, told
):
    told.commit((told.head(), told.head()), notices=[notice("a/report", subject="refused")], now=NOON)
    sns = client("sns")

    def publish(**request):
        if request["Subject"] == "refused":
            raise ClientError({"Error": {"Code": "InvalidParameter", "Message": "refused"}}, "Publish")
        return sns.publish(**request)

    with pytest.raises(NoticesUnsent, match=r"1 not sent: .*InvalidParameter"):
        Notices(Fake(sns, publish=publish), topics).send(told.head().unsent, told, "request-1", NOON)
    assert [found.subject for found in emulator.publications] == ["Daybook: 1 row"]
    assert told.head().unsent == {"a/report"}
    assert notices.send(told.head().unsent, told, "request-1", NOON + SECOND) == 1


def test_a_label_comes_before_every_text_and_each_stays_within_its_length(emulator, client, topics, told):
    emulator.publications.clear()
    long = replace(notice("run/long", subject="s" * 99), sms="m" * 160)
    told.commit((told.head(), told.head()), notices=[long], now=NOON)
    Notices(client("sns"), topics, "sample").send(told.head().unsent, told, "request-1", NOON)
    cut, report = emulator.publications
    assert report.subject == "(sample) Daybook: 1 row"
    assert report.text("email") == report.text("https") == "(sample) Rows inserted 1\n"
    assert report.text("sms") == "(sample) Daybook: 1 inserted"
    assert (len(str(cut.subject)), len(cut.text("sms"))) == (99, 160)

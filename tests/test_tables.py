"""The two tables: one table of tests for both stores, and what each of them alone has to get right."""

import datetime as dt
import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from builders import NOON, counts, date, day, event
from services import Fake, Services, cancelled, failing, refused

from local.aws.emulator import Emulator
from local.clock import Clock
from schemas.day import Day
from schemas.figures import Counts
from schemas.moment import version
from storage.aws import client as aws_client
from storage.dynamodb import DynamoDBTables, daily_item
from storage.errors import Unreachable
from storage.tables import Row, open_tables, stamp
from storage.tables import row as row_of
from storage.timestream import TimestreamTables

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("tables")]

V = version(NOON)
NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)  # the emulator's; it takes nothing from its future
ONE_DAY = dt.timedelta(days=1)
MILLISECOND = dt.timedelta(milliseconds=1)
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Emulator(Clock.virtual(NOW)) as running:
        running.client("timestream-write").create_database(DatabaseName="daybook")
        yield Services(running)


def names_in(store: str, services: Services) -> dict[str, str]:
    """Two new tables."""
    if store == "dynamodb":
        daily, revisions = services.ledger_table(), services.ledger_table()
    else:
        number = next(numbers)
        daily, revisions = f"daily-{number}", f"revisions-{number}"
        for name in (daily, revisions):
            services.client("timestream-write").create_table(
                DatabaseName="daybook",
                TableName=name,
                RetentionProperties={
                    "MemoryStoreRetentionPeriodInHours": 24,
                    "MagneticStoreRetentionPeriodInDays": 73_000,
                },
                MagneticStoreWriteProperties={"EnableMagneticStoreWrites": True},
            )
    return {"store": store, "database": "daybook", "daily_table": daily, "revisions_table": revisions}


@pytest.fixture(params=["timestream", "dynamodb"])
def names(request: Any, services: Services) -> dict[str, str]:
    return names_in(request.param, services)


@pytest.fixture
def tables(names: dict[str, str], services: Services) -> Any:
    return open_tables(names, services.client)


@pytest.fixture
def in_timestream(services: Services) -> Any:
    return open_tables(names_in("timestream", services), services.client)


@pytest.fixture
def in_dynamodb(services: Services) -> Any:
    return open_tables(names_in("dynamodb", services), services.client)


def row(number: int, cases: int, version: int = V, run: str | None = "r") -> Row:
    found = day(number, cases)
    return Row(found, version, f"US/{found.date}/{version}/{found.counts.digest}", run)


def current(rows: list[Row]) -> list[Row]:
    """The rows as ``daily`` has them: it does not name the run."""
    return [replace(each, run=None) for each in rows]


# Both stores


def test_a_row_is_a_function_of_its_event():
    found = event(1, 10, V)
    assert row_of(found) == Row(found.day, V, found.id, "r")
    assert row_of(found).recorded_at == NOON


def test_tables_that_were_never_written_to_are_empty(tables):
    assert tables.daily() == tables.entries() == tables.entries(date(1)) == tables.as_of(NOON) == []
    assert tables.write([]) == {}
    tables.empty()
    assert tables.daily() == []


def test_rows_come_back_as_they_were_written_in_the_order_of_their_dates(tables):
    rows = [row(number, number, V - number) for number in range(1, 251)]
    assert tables.write(rows[::-1]) == {}
    assert (tables.daily(), tables.entries()) == (current(rows), rows)
    assert stamp(tables.daily()) == stamp(tables.entries()) == sum(row.version for row in rows)


@pytest.mark.parametrize("seed", range(3))
def test_writing_rows_again_in_any_order_changes_nothing(tables, seed):
    rng = random.Random(seed)
    rows = [row(number, number * 10 + entry, V + entry) for number in (1, 2, 3) for entry in range(4)]
    again = rows * 2
    rng.shuffle(again)
    for each in again:
        assert tables.write([each]) == {}
    assert tables.entries() == rows
    assert tables.daily() == current(rows[3::4])


def test_a_batch_of_older_and_newer_rows_is_written_whole_and_daily_keeps_the_newer(tables):
    tables.write([row(1, 12, V + 2), row(3, 30, V)])
    assert tables.write([row(1, 11, V + 1), row(2, 20, V), row(3, 31, V + 1)]) == {}
    assert [each.day.counts.cases for each in tables.daily()] == [12, 20, 31]
    assert [each.day.counts.cases for each in tables.entries()] == [11, 12, 20, 30, 31]


def test_every_entry_of_a_date_comes_oldest_first_with_its_run(tables):
    for cases, entry, run in ((12, V + 2, "c"), (10, V, "a"), (11, V + 1, "b")):
        tables.write([row(1, cases, entry, run)])
    assert [(each.version - V, each.day.counts.cases, each.run) for each in tables.entries(date(1))] == [
        (0, 10, "a"),
        (1, 11, "b"),
        (2, 12, "c"),
    ]
    assert tables.entries(date(2)) == []


def test_a_number_that_is_not_reported_any_more_is_not_the_former_one(tables):
    for number, recovered in enumerate((5, None, 0, None)):
        tables.write([Row(Day(date(1), Counts(10, 1, recovered)), V + number, "id", "r")])
        (found,) = tables.daily()
        assert found.day.counts.recovered == recovered
    assert [each.day.counts.recovered for each in tables.entries()] == [5, None, 0, None]


def test_as_of_a_moment_each_day_is_what_was_entered_last_by_then(tables):
    first, second = NOON, NOON + ONE_DAY
    tables.write([row(1, 10, version(first)), row(2, 20, version(first))])
    tables.write([row(1, 11, version(second)), row(3, 30, version(second))])

    def believed(moment):
        return [each.day.counts.cases for each in tables.as_of(moment)]

    assert believed(first - MILLISECOND) == []
    assert believed(first) == believed(second - MILLISECOND) == [10, 20]
    assert believed(second) == believed(second + 900 * ONE_DAY) == [11, 20, 30]


def test_tables_that_were_emptied_hold_nothing_and_can_be_written_to_again(tables):
    rows = [row(number, number) for number in range(1, 61)]
    tables.write(rows)
    tables.empty()
    assert tables.daily() == tables.entries() == []
    older = [row(1, 9, V - 1)]
    tables.write(older)
    assert (tables.daily(), tables.entries()) == (current(older), older)


def test_a_table_that_does_not_exist_is_out_of_reach_and_not_empty(names, services):
    gone = {"daily_table": "nowhere", "revisions_table": "nowhere"}
    elsewhere = open_tables(names | gone, services.client)
    for ask in (
        elsewhere.daily,
        elsewhere.entries,
        lambda: elsewhere.entries(date(1)),
        lambda: elsewhere.as_of(NOON),
        lambda: elsewhere.write([row(1, 10)]),
    ):
        with pytest.raises(Unreachable, match="store"):
            ask()


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
        refused("ThrottlingException"),
        refused("AccessDeniedException"),
        cancelled("ThrottlingError", "None"),
        cancelled("TransactionConflict", "None"),
    ],
    ids=lambda error: str(error)[:40],
)
def test_a_store_that_gives_no_answer_or_refuses_to_is_out_of_reach(names, error):
    call = failing(error)
    errors = SimpleNamespace(ValidationException=KeyError)
    silent = SimpleNamespace(query=call, write_records=call, transact_write_items=call, exceptions=errors)
    tables = open_tables(names, lambda _: silent)
    for ask in (tables.daily, tables.entries, lambda: tables.as_of(NOON), lambda: tables.write([row(1, 10)])):
        with pytest.raises(Unreachable, match="store"):
            ask()


def test_the_stamp_counts_each_date_s_newest_version_once():
    assert stamp([row(1, 10, 5), row(1, 11, 9), row(1, 10, 7), row(2, 20, 1)]) == 10
    assert stamp([]) == 0


def test_the_store_that_the_stack_names_is_opened():
    known = {"database": "daybook", "daily_table": "a", "revisions_table": "b"}
    assert isinstance(open_tables(known | {"store": "timestream"}, aws_client), TimestreamTables)
    assert isinstance(open_tables(known | {"store": "dynamodb"}, lambda _: None), DynamoDBTables)


# Timestream alone


COLUMNS = {
    "region": "US",
    "date": "2020-03-01 00:00:00.000000000",
    "cases": "10",
    "deaths": "1",
    "recovered": "5",
    "recovered_reported": "false",
    "event_id": "id",
    "recorded_at": "2020-03-10 12:00:00.000000000",
}


def answering(columns: dict[str, str]) -> TimestreamTables:
    """Tables of one row, as a query answers it."""
    page = {
        "ColumnInfo": [{"Name": name} for name in columns],
        "Rows": [{"Data": [{"ScalarValue": value} for value in columns.values()]}],
    }
    errors = SimpleNamespace(ValidationException=KeyError)
    client = SimpleNamespace(query=lambda **_: page, exceptions=errors)
    return TimestreamTables(lambda _: client, "daybook", "daily", "revisions")


def test_a_number_that_is_said_not_to_be_reported_is_not_believed_even_where_it_stands():
    assert answering(COLUMNS).daily() == [Row(Day(date(1), Counts(10, 1, None)), V, "id")]


@pytest.mark.parametrize("missing", COLUMNS.keys() - {"region"})
def test_a_row_of_a_new_table_that_still_lacks_a_column_is_not_visible_yet(missing):
    reported = COLUMNS | {"recovered_reported": "true"}
    partial = answering({name: text for name, text in reported.items() if name != missing})
    assert len(answering(reported).daily()) == 1
    assert (partial.daily(), partial.entries(), partial.as_of(NOON)) == ([], [], [])


def test_a_figure_s_column_may_be_missing_for_as_long_as_nobody_reports_it():
    never = {name: text for name, text in COLUMNS.items() if name != "recovered"}
    assert answering(never).daily() == answering(COLUMNS).daily()


@pytest.mark.parametrize(
    ("rejected", "refused"),
    [
        ({"Reason": "older", "ExistingVersion": 9}, False),
        (
            {
                "Reason": "A record already exists with the same time, dimensions, measure name, and record "
                "version. A higher record version must be specified in order to update the measure value. "
                "Specifying record version is supported by the latest SDKs."
            },
            False,
        ),
        ({"Reason": "The record timestamp is outside the time range"}, True),
    ],
)
def test_a_row_behind_a_newer_version_is_no_refusal_of_its_content(rejected, refused):
    def write_records(TableName: str, **_: Any) -> None:  # noqa: N803
        if TableName == "daily":
            answer = {"Error": {"Code": "RejectedRecordsException"}, "RejectedRecords": [rejected]}
            raise ClientError(answer, "WriteRecords")  # type: ignore[arg-type]

    rejected |= {"RecordIndex": 0}
    client = SimpleNamespace(write_records=write_records)
    answer = TimestreamTables(lambda _: client, "daybook", "daily", "revisions").write([row(1, 10)])
    assert answer == ({row(1, 10).event: rejected["Reason"]} if refused else {})


def test_an_empty_first_page_is_not_the_last(in_timestream, services, monkeypatch):
    in_timestream.write([row(1, 10), row(2, 20)])
    monkeypatch.setattr(services.emulator.queries, "empty_first_page", True)
    assert len(in_timestream.daily()) == 2


def test_what_is_refused_for_its_content_is_named_and_the_other_rows_are_written(in_timestream):
    ahead = 73 * 366  # Timestream takes nothing from the future
    rows = [row(number, number) for number in range(1, 150)]
    rows[120] = row(ahead, 121)
    ((event_id, why),) = in_timestream.write(rows).items()
    assert event_id == rows[120].event
    assert "outside the time range" in why
    assert [each.day.counts.cases for each in in_timestream.daily()] == [n for n in range(1, 150) if n != 121]


def test_a_row_that_revisions_refuses_is_not_in_daily_either(in_timestream):
    ahead = row(1, 10, version(NOW + 400 * ONE_DAY))
    assert list(in_timestream.write([ahead, row(2, 20)])) == [ahead.event]
    assert [each.day.counts.cases for each in in_timestream.daily()] == [20]


def test_a_date_before_1970_is_refused_without_failing_the_others(in_timestream):
    ancient = replace(row(1, 10), day=replace(day(1, 10), date=dt.date(202, 3, 1)), event="ancient")
    assert in_timestream.write([ancient, row(2, 20)]) == {"ancient": "lies before 1970"}
    assert [each.day.counts.cases for each in in_timestream.daily()] == [20]


def test_a_table_deleted_by_an_attempt_that_died_is_made_again_with_the_other_one_s_properties(services):
    names, client = names_in("timestream", services), services.client("timestream-write")
    tables = open_tables(names, services.client)
    client.delete_table(DatabaseName="daybook", TableName=names["daily_table"])
    tables.empty()
    found = [
        client.describe_table(DatabaseName="daybook", TableName=names[name])["Table"]["RetentionProperties"]
        for name in ("daily_table", "revisions_table")
    ]
    assert found[0] == found[1]
    assert tables.daily() == []


# DynamoDB alone


def test_a_table_of_many_pages_is_read_to_its_end(services):
    names, client = names_in("dynamodb", services), services.client("dynamodb")
    rows = [row(number, number) for number in range(1, 6)]
    open_tables(names, services.client).write(rows)
    asked = []

    def query(**request):
        asked.append(request)
        return client.query(**request, Limit=2)

    assert open_tables(names, lambda _: Fake(client, query=query)).entries() == rows
    assert len(asked) == 3


def test_where_every_row_is_older_than_what_stands_only_their_entries_are_written(in_dynamodb):
    in_dynamodb.write([row(number, 100 + number, V + 1) for number in (1, 2)])
    in_dynamodb.write([row(number, number, V) for number in (1, 2)])
    assert [each.day.counts.cases for each in in_dynamodb.daily()] == [101, 102]
    assert [each.day.counts.cases for each in in_dynamodb.entries()] == [1, 101, 2, 102]


def test_an_item_does_not_name_what_is_not_reported():
    found = daily_item(Row(Day(date(1), counts(10, 1, None)), V, "id"))
    assert "recovered" not in found

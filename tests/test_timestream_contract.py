"""What Timestream for LiveAnalytics promises, asked through boto3 of the stand-in.

From AWS's documentation (WriteRecords, RejectedRecord, Query, quotas). Nothing here looks inside the
stand-in, so that the same questions can be put to the service.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
import sqlglot
from sqlglot import exp

from local.aws.emulator import Emulator
from local.clock import Clock
from storage import raw_tables
from storage.tables import open_tables

NOW = datetime(2020, 6, 1, 12, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 21, tzinfo=UTC)
names = (f"table_{number}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(Clock.virtual(NOW)) as running:
        running.client("timestream-write").create_database(DatabaseName="daybook")
        running.client("s3").create_bucket(Bucket="rejected-data")
        yield running


@pytest.fixture(scope="module")
def write(emulator: Emulator) -> Any:
    return emulator.client("timestream-write")


@pytest.fixture(scope="module")
def query(emulator: Emulator) -> Any:
    return emulator.client("timestream-query")


@pytest.fixture
def table(write: Any) -> str:
    """Memory for an hour, then the magnetic store for 200 years; what it rejects later goes to a bucket."""
    return create_table(write)


@pytest.fixture
def memory_only(write: Any) -> str:
    return create_table(write, magnetic=False)


# Versions


def test_a_record_is_there_once_it_is_written(write: Any, query: Any, table: str) -> None:
    answer = put(write, table, record(cases=1))

    assert answer["RecordsIngested"] == {"Total": 1, "MemoryStore": 1, "MagneticStore": 0}
    assert rows(query, table, "region, measure_name, time, cases") == [
        ["US", "day", "2020-06-01 12:00:00.000000000", "1"]
    ]


def test_a_higher_version_replaces_the_values(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1, version=1))
    put(write, table, record(cases=2, version=2))

    assert rows(query, table, "cases") == [["2"]]


def test_a_replacement_leaves_none_of_the_older_measures(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1, recovered=5, version=1))
    put(write, table, record(cases=1, version=2))

    assert rows(query, table, "cases, recovered") == [["1", None]]


def test_the_same_version_with_the_same_values_is_accepted_again(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1, version=7))
    put(write, table, record(cases=1, version=7))

    assert rows(query, table, "cases") == [["1"]]


def test_a_version_is_one_where_none_is_given(write: Any, table: str) -> None:
    put(write, table, record(cases=1, version=None))

    [rejected] = rejections(write, table, record(cases=2, version=1))
    assert rejected["ExistingVersion"] == 1


def test_the_same_version_with_other_values_is_rejected(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1, version=7))

    [rejected] = rejections(write, table, record(cases=2, version=7))

    assert rejected["RecordIndex"] == 0
    assert rejected["ExistingVersion"] == 7
    assert "A higher record version must be specified" in rejected["Reason"]
    assert rows(query, table, "cases") == [["1"]]


@pytest.mark.parametrize("cases", [1, 2])
def test_a_lower_version_is_rejected(write: Any, table: str, cases: int) -> None:
    put(write, table, record(cases=1, version=7))

    [rejected] = rejections(write, table, record(cases=cases, version=6))

    assert rejected["ExistingVersion"] == 7
    assert rejected["Reason"].startswith("The record version 6 is lower than the existing version 7.")


def test_a_higher_version_of_the_same_values_counts_from_then_on(write: Any, table: str) -> None:
    put(write, table, record(cases=1, version=1))
    put(write, table, record(cases=1, version=5))

    [rejected] = rejections(write, table, record(cases=2, version=4))
    assert rejected["ExistingVersion"] == 5


@pytest.mark.parametrize("version", [0, -1])
def test_a_version_below_one_is_invalid(write: Any, table: str, version: int) -> None:
    assert "Version" in refusal(write, table, record(version=version))


def test_a_record_is_another_one_by_dimension_time_or_measure_name(
    write: Any, query: Any, table: str
) -> None:
    put(
        write,
        table,
        record(cases=1),
        record(cases=2, region="CA"),
        record(cases=3, time=NOW - timedelta(seconds=1)),
        record(cases=4, name="other"),
    )

    assert rows(query, table, "count(*)") == [["4"]]


def test_the_order_of_dimensions_makes_no_difference(write: Any, query: Any, table: str) -> None:
    dimensions = [{"Name": "region", "Value": "US"}, {"Name": "date", "Value": "2020-01-21"}]
    put(write, table, {**record(cases=1, version=1), "Dimensions": dimensions})
    put(write, table, {**record(cases=2, version=2), "Dimensions": dimensions[::-1]})

    assert rows(query, table, "cases") == [["2"]]


# Rejection of some


def test_the_others_of_a_call_are_written_where_one_is_rejected(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1, version=2))

    [rejected] = rejections(
        write, table, record(cases=10, region="CA"), record(cases=9, version=1), record(cases=11, region="NY")
    )

    assert rejected["RecordIndex"] == 1
    assert rows(query, table, "region, cases", "ORDER BY region") == [["CA", "10"], ["NY", "11"], ["US", "1"]]


def test_every_rejected_record_is_listed(write: Any, memory_only: str) -> None:
    listed = rejections(
        write, memory_only, record(time=LONG_AGO), record(), record(time=NOW + timedelta(hours=1))
    )

    assert [rejected["RecordIndex"] for rejected in listed] == [0, 2]
    assert all("outside the time range" in rejected["Reason"] for rejected in listed)
    assert not any("ExistingVersion" in rejected for rejected in listed)


def test_a_record_twice_in_a_call_is_written_once(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1), record(cases=1))

    assert rows(query, table, "cases") == [["1"]]


def test_two_values_for_one_record_in_a_call_leave_the_first(write: Any, query: Any, table: str) -> None:
    [rejected] = rejections(write, table, record(cases=1), record(cases=2))

    assert rejected["RecordIndex"] == 1
    assert rows(query, table, "cases") == [["1"]]


def test_an_invalid_record_stops_the_whole_call(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1))

    refusal(write, table, record(cases=5, region="CA"), record(version=0))

    assert rows(query, table, "region") == [["US"]]


# Limits


def test_a_hundred_records_are_written_at_once_and_no_more(write: Any, table: str) -> None:
    hundred = [record(time=LONG_AGO + timedelta(days=day)) for day in range(100)]
    assert put(write, table, *hundred)["RecordsIngested"]["Total"] == 100

    assert "100" in refusal(write, table, *hundred, record())


def test_a_record_of_more_than_two_kilobytes_is_rejected(write: Any, table: str) -> None:
    put(write, table, record(region="x" * 1900))

    [rejected] = rejections(write, table, record(region="x" * 2048))
    assert "2048" in rejected["Reason"]


def test_names_have_a_length(write: Any, table: str) -> None:
    long = {**record(), "Dimensions": [{"Name": "d" * 61, "Value": "x"}]}

    assert len(rejections(write, table, record(name="m" * 257), long)) == 2


@pytest.mark.parametrize("reserved", ["time", "measure_name", "measure_value::double"])
def test_some_names_are_reserved(write: Any, table: str, reserved: str) -> None:
    assert "reserved" in refusal(write, table, {**record(), "Dimensions": [{"Name": reserved, "Value": "x"}]})


@pytest.mark.parametrize(("hours", "days"), [(8_767, 1), (1, 73_001)])
def test_retention_has_its_limits(write: Any, hours: int, days: int) -> None:
    with pytest.raises(write.exceptions.ValidationException):
        create_table(write, hours=hours, days=days)


# Retention windows


def test_a_time_older_than_the_memory_store_goes_to_the_magnetic_one(
    write: Any, query: Any, table: str
) -> None:
    answer = put(write, table, record(cases=1, time=LONG_AGO), record())

    assert answer["RecordsIngested"] == {"Total": 2, "MemoryStore": 1, "MagneticStore": 1}
    assert rows(query, table, "cases", "ORDER BY time LIMIT 1") == [["1"]]


def test_without_magnetic_writes_a_time_older_than_the_memory_store_is_rejected(
    write: Any, memory_only: str
) -> None:
    put(write, memory_only, record(time=NOW - timedelta(minutes=59)))

    assert len(rejections(write, memory_only, record(time=NOW - timedelta(minutes=61)))) == 1


def test_a_time_older_than_the_magnetic_store_is_rejected(write: Any) -> None:
    table = create_table(write, days=10)

    put(write, table, record(time=NOW - timedelta(days=9)))
    assert len(rejections(write, table, record(time=NOW - timedelta(days=11)))) == 1


def test_the_future_is_a_quarter_of_an_hour(write: Any, table: str) -> None:
    put(write, table, record(time=NOW + timedelta(minutes=15)))

    assert len(rejections(write, table, record(time=NOW + timedelta(minutes=15, seconds=1)))) == 1


@pytest.mark.parametrize("unit", ["SECONDS", "MILLISECONDS", "MICROSECONDS", "NANOSECONDS"])
def test_a_time_is_given_in_its_unit(write: Any, query: Any, table: str, unit: str) -> None:
    per_second = {"SECONDS": 1, "MILLISECONDS": 10**3, "MICROSECONDS": 10**6, "NANOSECONDS": 10**9}[unit]
    moment = str(int(NOW.timestamp()) * per_second)
    put(write, table, {**record(recorded_at=moment), "Time": moment, "TimeUnit": unit})

    assert rows(query, table, "time, recorded_at") == [["2020-06-01 12:00:00.000000000"] * 2]


# The magnetic store


def test_a_version_conflict_in_the_magnetic_store_is_silent_and_reported_to_s3(
    emulator: Emulator, write: Any, query: Any, table: str
) -> None:
    put(write, table, record(cases=1, time=LONG_AGO, version=2))

    answer = put(write, table, record(cases=9, time=LONG_AGO, version=1))

    assert answer["RecordsIngested"]["MagneticStore"] == 1
    assert rows(query, table, "cases") == [["1"]]
    [report] = reports(emulator, table)
    assert report["TableName"] == table
    assert report["RejectedRecords"][0]["ExistingVersion"] == 2


def test_only_version_conflicts_are_silent_in_the_magnetic_store(write: Any, table: str) -> None:
    put(write, table, record(cases=1, time=LONG_AGO))

    [rejected] = rejections(write, table, record(cases=1.5, time=LONG_AGO, version=2))
    assert "BIGINT" in rejected["Reason"]


# CommonAttributes


def test_common_attributes_are_merged_into_every_record(write: Any, query: Any, table: str) -> None:
    common = {
        "Dimensions": [{"Name": "region", "Value": "US"}],
        "MeasureName": "day",
        "MeasureValueType": "MULTI",
        "Version": 3,
    }
    own = [
        {
            "Time": millis(NOW),
            "Dimensions": [{"Name": "date", "Value": date}],
            "MeasureValues": measures(cases=1),
        }
        for date in ("2020-01-21", "2020-01-22")
    ]
    write.write_records(DatabaseName="daybook", TableName=table, CommonAttributes=common, Records=own)

    assert rows(query, table, "region, date", "ORDER BY date") == [["US", "2020-01-21"], ["US", "2020-01-22"]]


def test_what_a_record_says_itself_comes_first(write: Any, table: str) -> None:
    write.write_records(
        DatabaseName="daybook", TableName=table, CommonAttributes={"Version": 3}, Records=[record(version=9)]
    )

    [rejected] = rejections(write, table, record(cases=5, version=8))
    assert rejected["ExistingVersion"] == 9


def test_a_dimension_given_both_ways_is_invalid(write: Any, table: str) -> None:
    with pytest.raises(write.exceptions.ValidationException, match="unique names"):
        write.write_records(
            DatabaseName="daybook",
            TableName=table,
            CommonAttributes={"Dimensions": [{"Name": "region", "Value": "US"}]},
            Records=[record()],
        )


# Types


def test_every_type_comes_back_as_text(write: Any, query: Any, table: str) -> None:
    put(
        write,
        table,
        record(cases=33_336_811, rate=0.5, reported=True, event="a'b", recorded_at="1590000000123"),
    )

    columns = "cases, rate, reported, event, recorded_at"
    assert rows(query, table, columns) == [
        ["33336811", "0.5", "true", "a'b", "2020-05-20 18:40:00.123000000"]
    ]
    assert types(query, f'SELECT {columns} FROM "daybook"."{table}"') == [
        "BIGINT",
        "DOUBLE",
        "BOOLEAN",
        "VARCHAR",
        "TIMESTAMP",
    ]


def test_a_measure_that_is_absent_is_null(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1, recovered=0), record(cases=2, region="CA"))

    sql = f'SELECT recovered FROM "daybook"."{table}" ORDER BY cases'
    data = [row["Data"] for row in query.query(QueryString=sql)["Rows"]]
    assert data == [[{"ScalarValue": "0"}], [{"NullValue": True}]]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BIGINT", "1.0"),
        ("BIGINT", "9223372036854775808"),
        ("BIGINT", "1_000"),
        ("BIGINT", " 5"),
        ("BIGINT", "٣"),
        ("DOUBLE", "NaN"),
        ("DOUBLE", "Infinity"),
        ("DOUBLE", "1e999"),
        ("DOUBLE", "many"),
        ("BOOLEAN", "yes"),
        ("TIMESTAMP", "2020-01-21"),
        ("TIMESTAMP", "-1"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_rejected(write: Any, table: str, kind: str, value: str) -> None:
    bad = {**record(), "MeasureValues": [{"Name": "measure", "Type": kind, "Value": value}]}

    [rejected] = rejections(write, table, bad)
    assert kind in rejected["Reason"]


def test_a_measure_keeps_the_type_it_was_first_written_with(write: Any, table: str) -> None:
    put(write, table, record(cases=1))

    [rejected] = rejections(write, table, record(cases=1.5, region="CA"))
    assert "BIGINT" in rejected["Reason"]


def test_a_name_is_either_a_dimension_or_a_measure(write: Any, table: str) -> None:
    put(write, table, record(cases=1))

    [rejected] = rejections(write, table, {**record(), "Dimensions": [{"Name": "cases", "Value": "x"}]})
    assert "cases" in rejected["Reason"]


def test_a_single_measure_has_a_column_for_its_type(write: Any, query: Any, table: str) -> None:
    single = {"Dimensions": [{"Name": "region", "Value": "US"}], "Time": millis(NOW), "MeasureName": "cases"}
    put(write, table, {**single, "MeasureValue": "7", "MeasureValueType": "BIGINT"})

    assert rows(query, table, 'measure_name, "measure_value::bigint"') == [["cases", "7"]]


@pytest.mark.parametrize(
    "change",
    [
        {"MeasureValues": []},
        {"MeasureValue": "1"},
        {"MeasureValueType": "BIGINT"},
        {"Time": "yesterday"},
        {"TimeUnit": "HOURS"},
        {"MeasureValues": [{"Name": "cases", "Type": "MULTI", "Value": "1"}]},
        {"MeasureValues": [{"Name": "cases", "Type": "BIGINT", "Value": "1"}] * 2},
    ],
)
def test_a_record_that_makes_no_sense_is_invalid(write: Any, table: str, change: dict[str, Any]) -> None:
    assert "ValidationException" in refusal(write, table, {**record(), **change})


# Databases and tables


def test_what_does_not_exist_is_not_found(write: Any) -> None:
    with pytest.raises(write.exceptions.ResourceNotFoundException):
        put(write, "nowhere", record())
    with pytest.raises(write.exceptions.ResourceNotFoundException):
        write.describe_database(DatabaseName="nowhere")


def test_what_exists_already_is_a_conflict(write: Any, table: str) -> None:
    with pytest.raises(write.exceptions.ConflictException):
        write.create_table(DatabaseName="daybook", TableName=table)
    with pytest.raises(write.exceptions.ConflictException):
        write.create_database(DatabaseName="daybook")


def test_a_table_describes_itself(write: Any, table: str) -> None:
    described = write.describe_table(DatabaseName="daybook", TableName=table)["Table"]

    assert described["TableStatus"] == "ACTIVE"
    assert described["RetentionProperties"]["MagneticStoreRetentionPeriodInDays"] == 73_000
    assert described["MagneticStoreWriteProperties"]["EnableMagneticStoreWrites"] is True
    assert described["CreationTime"] == NOW
    assert described["Arn"].endswith(f"database/daybook/table/{table}")


def test_a_table_made_again_is_empty(write: Any, query: Any, table: str) -> None:
    put(write, table, record(cases=1))
    write.delete_table(DatabaseName="daybook", TableName=table)
    write.create_table(DatabaseName="daybook", TableName=table)

    assert rows(query, table, "count(*)") == [["0"]]
    put(write, table, record(cases=2, version=1))


def test_a_database_with_tables_can_not_be_deleted(write: Any, table: str) -> None:
    with pytest.raises(write.exceptions.ValidationException):
        write.delete_database(DatabaseName="daybook")


def test_tables_are_listed_in_pages(write: Any) -> None:
    write.create_database(DatabaseName="many")
    for number in range(3):
        write.create_table(DatabaseName="many", TableName=f"table_{number}")

    first = write.list_tables(DatabaseName="many", MaxResults=2)
    second = write.list_tables(DatabaseName="many", MaxResults=2, NextToken=first["NextToken"])
    assert [table["TableName"] for page in (first, second) for table in page["Tables"]] == [
        "table_0",
        "table_1",
        "table_2",
    ]
    assert "NextToken" not in second


def test_endpoint_discovery_stays_on_this_machine(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)

    for service in ("timestream-write", "timestream-query"):
        client: Any = boto3.session.Session().client(service)  # pyright: ignore[reportCallIssue, reportArgumentType]
        [endpoint] = client.describe_endpoints()["Endpoints"]
        assert endpoint["Address"] == emulator.endpoint
        assert endpoint["Address"].startswith("http://127.0.0.1:")

    discovered: Any = boto3.session.Session().client("timestream-write")
    assert discovered.list_databases()["Databases"]


# Pages


def test_a_result_comes_in_pages_of_at_most_a_thousand_rows(write: Any, query: Any) -> None:
    table = filled(write, 1_100)
    sql = f'SELECT cases FROM "daybook"."{table}" ORDER BY cases'

    first = query.query(QueryString=sql)
    second = query.query(QueryString=sql, NextToken=first["NextToken"])

    assert [len(first["Rows"]), len(second["Rows"])] == [1_000, 100]
    assert "NextToken" not in second
    assert values(first) + values(second) == [[str(number)] for number in range(1_100)]


def test_max_rows_is_kept_and_has_a_limit(write: Any, query: Any) -> None:
    sql = f'SELECT cases FROM "daybook"."{filled(write, 5)}" ORDER BY cases'
    pages = list(query.get_paginator("query").paginate(QueryString=sql, MaxRows=2))

    assert [len(page["Rows"]) for page in pages] == [2, 2, 1]
    with pytest.raises(query.exceptions.ValidationException):
        query.query(QueryString=sql, MaxRows=1_001)


def test_a_page_has_at_most_a_megabyte(write: Any, query: Any) -> None:
    sql = f"SELECT rpad('x', 2000, 'x') AS text FROM daybook.{filled(write, 900)}"
    sizes = [len(json.dumps(page["Rows"])) for page in query.get_paginator("query").paginate(QueryString=sql)]

    assert len(sizes) == 2
    assert max(sizes) <= 1024 * 1024 + 10_000


def test_later_pages_are_of_the_same_result(write: Any, query: Any) -> None:
    table = filled(write, 4)
    sql = f'SELECT cases FROM "daybook"."{table}" ORDER BY cases'
    first = query.query(QueryString=sql, MaxRows=2)
    put(write, table, record(cases=-1, region="CA"))

    second = query.query(QueryString=sql, MaxRows=2, NextToken=first["NextToken"])
    assert values(second) == [["2"], ["3"]]


@pytest.mark.parametrize("other", ["", " "])
def test_a_token_goes_with_its_query(write: Any, query: Any, table: str, other: str) -> None:
    sql = f'SELECT cases FROM "daybook"."{filled(write, 3)}"'
    token = query.query(QueryString=sql, MaxRows=1)["NextToken"]

    with pytest.raises(query.exceptions.ValidationException, match="Invalid pagination token"):
        query.query(QueryString=sql + other, NextToken=token if other else "nonsense")


def test_a_finished_query_says_so(query: Any) -> None:
    answer = query.query(QueryString="SELECT 1")

    assert answer["QueryId"]
    assert answer["QueryStatus"]["ProgressPercentage"] == 100.0
    assert "NextToken" not in answer


# SQL


def test_select_star_gives_dimensions_measure_name_time_and_measures(
    write: Any, query: Any, table: str
) -> None:
    put(write, table, record(cases=1, deaths=0))

    answer = query.query(QueryString=f'SELECT * FROM "daybook"."{table}"')
    columns = [column["Name"] for column in answer["ColumnInfo"]]
    assert columns == ["region", "measure_name", "time", "cases", "deaths"]


@pytest.mark.parametrize(
    "sql",
    [
        " ",
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "DELETE FROM daybook.{table}",
        "WITH gone AS (DELETE FROM daybook.{table}) SELECT 1",
        "CREATE TABLE daybook.other AS SELECT 1",
        "EXPLAIN SELECT 1",
        "SELECT cases FROM {table}",
        "SELECT cases FROM daybook.nowhere",
        "SELECT cases FROM elsewhere.{table}",
        "SELECT nothing FROM daybook.{table}",
        "SELECT nonsense(cases) FROM daybook.{table}",
        "SELECT * FROM read_text('{file}')",
        "SELECT * FROM '{file}'",
        "COPY (SELECT 1) TO '{file}'",
        "ATTACH '{file}' AS other",
        "INSTALL httpfs",
        "SET enable_external_access = true",
        "PRAGMA database_list",
    ],
)
def test_a_query_is_one_select_and_reaches_nothing_but_the_tables(
    write: Any, query: Any, sql: str, tmp_path: Path
) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("secret\n")

    with pytest.raises(query.exceptions.ValidationException) as refused:
        query.query(QueryString=sql.format(file=file, table=filled(write, 1)))

    assert "secret\n" not in str(refused.value)
    assert file.read_text() == "secret\n"


def test_the_message_names_the_column_that_does_not_exist(query: Any, table: str) -> None:
    with pytest.raises(query.exceptions.ValidationException, match="Column 'nothing' does not exist"):
        rows(query, table, "nothing")


def test_what_the_product_sends_is_the_service_s_sql_as_well() -> None:
    """DuckDB runs it; a parser of Trino's SQL and the list of Timestream's functions stand for it."""
    sent: list[str] = []

    class Queries:
        exceptions = SimpleNamespace(ValidationException=ZeroDivisionError)

        def query(self, QueryString: str) -> Any:  # noqa: N803 boto3's
            sent.append(QueryString)
            return {"ColumnInfo": [], "Rows": []}

    exports = {"database": "daybook-dev", "daily_table": "daily", "revisions_table": "revisions"}
    tables = open_tables({"store": "timestream", **exports}, lambda _service: Queries())
    tables.daily()
    tables.entries()
    tables.entries(LONG_AGO.date())
    tables.as_of(NOW)
    raw_tables.read_rows(lambda _service: Queries(), {"store": "timestream", **exports}, "daily", "daily")
    assert len(sent) >= 5
    for sql in sent:
        (tree,) = sqlglot.parse(sql, read="trino")
        assert isinstance(tree, exp.Select)
        functions = [node for node in tree.find_all(exp.Func) if not isinstance(node, exp.Connector)]
        called = {
            node.name if isinstance(node, exp.Anonymous) else node.sql_name().lower() for node in functions
        }
        # https://docs.aws.amazon.com/timestream/latest/developerguide/sql-constructs-functions.html
        assert called <= {"row_number", "from_milliseconds"}


# Building blocks


def create_table(write: Any, magnetic: bool = True, hours: int = 1, days: int = 73_000) -> str:
    name = next(names)
    location = {"S3Configuration": {"BucketName": "rejected-data", "EncryptionOption": "SSE_S3"}}
    write.create_table(
        DatabaseName="daybook",
        TableName=name,
        RetentionProperties={
            "MemoryStoreRetentionPeriodInHours": hours,
            "MagneticStoreRetentionPeriodInDays": days,
        },
        MagneticStoreWriteProperties={
            "EnableMagneticStoreWrites": magnetic,
            "MagneticStoreRejectedDataLocation": location,
        },
    )
    return name


def filled(write: Any, count: int) -> str:
    """A table of so many days, whose cases are 0, 1, 2, …"""
    name = create_table(write)
    days = [record(cases=number, time=LONG_AGO - timedelta(days=count - number)) for number in range(count)]
    for start in range(0, count, 100):
        put(write, name, *days[start : start + 100])
    return name


def record(
    time: datetime = NOW, region: str = "US", name: str = "day", version: int | None = 1, **measured: Any
) -> dict[str, Any]:
    return {
        "Dimensions": [{"Name": "region", "Value": region}],
        "Time": millis(time),
        "MeasureName": name,
        "MeasureValueType": "MULTI",
        "MeasureValues": measures(**(measured or {"cases": 0})),
        **({} if version is None else {"Version": version}),
    }


def measures(**measured: Any) -> list[dict[str, str]]:
    kinds = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE", str: "VARCHAR"}
    return [
        {
            "Name": name,
            "Type": "TIMESTAMP" if name == "recorded_at" else kinds[type(value)],
            "Value": str(value).lower() if isinstance(value, bool) else str(value),
        }
        for name, value in measured.items()
    ]


def millis(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1000))


def put(write: Any, table: str, *records: dict[str, Any]) -> dict[str, Any]:
    return write.write_records(DatabaseName="daybook", TableName=table, Records=list(records))


def rejections(write: Any, table: str, *records: dict[str, Any]) -> list[dict[str, Any]]:
    with pytest.raises(write.exceptions.RejectedRecordsException) as rejected:
        put(write, table, *records)
    return rejected.value.response["RejectedRecords"]


def refusal(write: Any, table: str, *records: dict[str, Any]) -> str:
    with pytest.raises(write.exceptions.ValidationException) as refused:
        put(write, table, *records)
    return str(refused.value)


def values(answer: dict[str, Any]) -> list[list[str | None]]:
    return [[datum.get("ScalarValue") for datum in row["Data"]] for row in answer["Rows"]]


def rows(query: Any, table: str, columns: str, rest: str = "") -> list[list[str | None]]:
    return values(query.query(QueryString=f'SELECT {columns} FROM "daybook"."{table}" {rest}'))


def types(query: Any, sql: str) -> list[str]:
    return [column["Type"]["ScalarType"] for column in query.query(QueryString=sql)["ColumnInfo"]]


def reports(emulator: Emulator, table: str) -> list[dict[str, Any]]:
    s3 = emulator.client("s3")
    listed = s3.list_objects_v2(Bucket="rejected-data", Prefix=f"daybook/{table}/").get("Contents", [])
    return [
        json.loads(s3.get_object(Bucket="rejected-data", Key=item["Key"])["Body"].read()) for item in listed
    ]

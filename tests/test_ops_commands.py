"""`python -m ops` against a local cloud that runs: each command, as an operator meets it."""

import csv
import datetime as dt
import gzip
import io
import json
import os
import sys
import threading
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import replace

import pytest
from builders import nyt
from system import system

from local.up import attend, reachable
from ops import rebuild
from ops.__main__ import run
from ops.local_target import opened
from ops.outputs import OUTPUTS
from ops.replay import archived
from schemas import tables
from schemas.event import encode
from schemas.run import COMPLETED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops")]

CASES = {f"2020-03-0{number}": number * 10 for number in range(1, 6)}


class Operated:
    """A system with a history, its folder, and what `python -m ops` says of it."""

    def __init__(self, daybook, folder, asked):
        self.daybook, self.folder, self.asked = daybook, folder, asked
        self.cloud = daybook.cloud
        self.exports = daybook.cloud.stack.exports

    def ops(self, *arguments):
        """Exit code, stdout as bytes, stderr."""
        out, told = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        with redirect_stdout(out), redirect_stderr(told):
            code = run(["--state", str(self.folder), *arguments])
        out.flush()
        return code, out.buffer.getvalue(), told.getvalue()

    def data(self, *arguments):
        """Exit code, and stdout as the JSON that it is, in the form that was promised."""
        code, out, told = self.ops(*arguments, "--json")
        assert out, told
        found = json.loads(out)
        if "--pending" in arguments:
            assert all(isinstance(date, str) for date in found)
        else:
            promised = next(schema for name, schema in OUTPUTS.items() if name.split()[0] == arguments[0])
            assert promised.validate(found) == {}, found
        return code, found

    @contextmanager
    def attended(self):
        """What is asked for is carried on, as `python -m local up` does while it waits."""
        ended = threading.Event()

        def go_on():
            while not ended.is_set():
                if self.asked.wait(0.02):
                    attend(self.cloud, self.asked, lambda: None)

        thread = threading.Thread(target=go_on)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def objects(self):
        s3, bucket = self.cloud.client("s3"), self.exports["archive_bucket"]
        listed = s3.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {
            found["Key"]: s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read() for found in listed
        }

    def rows(self):
        return self.cloud.reader.daily(), self.cloud.reader.revisions()

    def put(self, name, body):
        self.cloud.client("s3").put_object(Bucket=self.exports["archive_bucket"], Key=name, Body=body)

    def remove(self, name):
        self.cloud.client("s3").delete_object(Bucket=self.exports["archive_bucket"], Key=name)

    def items(self):
        found = self.cloud.client("dynamodb").scan(TableName=self.exports["ledger_table"])["Items"]
        return {item["entry"]["S"]: item for item in found}

    def enter(self, item):
        self.cloud.client("dynamodb").put_item(TableName=self.exports["ledger_table"], Item=item)

    def change(self, entry, **attributes):
        self.enter(self.items()[entry] | tables.attributes(attributes))

    def write(self, table, records):
        self.cloud.client("timestream-write").write_records(
            DatabaseName=self.exports["database"], TableName=self.exports[table], Records=records
        )

    def rewrite(self, table, records):
        """The table with these records and no other."""
        with opened(self.folder) as target:
            rebuild._make_anew(target, self.exports[table])
        self.write(table, records)


@pytest.fixture(scope="module")
def operated(tmp_path_factory):
    """Three runs: five days; one restated and one new; the same once more."""
    folder = tmp_path_factory.mktemp("state")
    with system(stream_retention_hours="168") as daybook, reachable(daybook.cloud, folder) as asked:
        daybook.publish(CASES)
        daybook.run()
        daybook.publish(CASES | {"2020-03-02": 22, "2020-03-06": 60})
        daybook.run()
        daybook.publish(CASES | {"2020-03-02": 22, "2020-03-03": 33, "2020-03-06": 60, "2020-03-07": 70})
        daybook.run()
        yield Operated(daybook, folder, asked)


@pytest.fixture
def mended(operated):
    """The same, and put right again after whatever a test does to it."""
    objects, items, rows = operated.objects(), operated.items(), operated.rows()
    yield operated
    for name in operated.objects().keys() - objects.keys():
        operated.remove(name)
    for name, body in objects.items():
        operated.put(name, body)
    for entry in operated.items().keys() - items.keys():
        operated.cloud.client("dynamodb").delete_item(
            TableName=operated.exports["ledger_table"], Key=tables.key(entry)
        )
    for item in items.values():
        operated.enter(item)
    if operated.rows() != rows:
        code, _, told = operated.ops("replay", "--rebuild", "--yes")
        assert code == 0, told
    operated.daybook.agrees()


def test_status_says_how_far_the_record_goes_and_that_nothing_is_pending(operated):
    code, found = operated.data("status")
    assert code == 0
    assert found["stack"] == "local"
    assert (found["last_acknowledged"], found["newest_published"], found["lag_days"]) == (
        "2020-03-07",
        "2020-03-07",
        0,
    )
    assert (found["days"], found["pending"], found["complete"], found["open"]) == (7, [], True, [])
    assert found["last_run"]["state"] == COMPLETED
    code, out, told = operated.ops("status")
    assert code == 0
    assert b"Last acknowledged date  2020-03-07\n" in out
    assert told.startswith(f"local cloud running on {operated.cloud.emulator.endpoint}")


def test_a_day_whose_acknowledgement_was_taken_back_is_pending_with_exit_code_5(mended):
    item = mended.items()["day#2020-03-04"]
    del item["digest"]
    mended.enter(item)
    assert mended.data("days", "--pending") == (5, ["2020-03-04"])
    assert mended.ops("status")[0] == 5


def test_runs_are_listed_newest_first_with_their_counts(operated):
    code, found = operated.data("runs")
    assert code == 0
    assert [(one["inserted"], one["updated"]) for one in found] == [(1, 1), (1, 1), (5, 0)]
    assert len(operated.data("runs", "--limit", "1")[1]) == 1
    lines = operated.ops("runs")[1].decode().splitlines()
    assert lines[0].split()[:3] == ["time", "state", "pending"]
    assert lines[3].split()[:5] == ["2020-03-10", "12:00", "completed", "5", "5"]


def test_days_are_listed_and_the_restated_ones_alone(operated):
    assert [day["cases"] for day in operated.data("days")[1]] == [10, 22, 33, 40, 50, 60, 70]
    revised = operated.data("days", "--revised")[1]
    assert [(day["date"], day["revision"]) for day in revised] == [("2020-03-02", 2), ("2020-03-03", 2)]
    assert b"2020-03-02     22       0          0         2  2020-03-11 12:00\n" in operated.ops("days")[1]


def test_history_tells_every_value_its_run_and_its_files_and_brings_the_file(operated):
    code, found = operated.data("history", "2020-03-02")
    assert code == 0
    assert [(one["recorded_at"], one["cases"], one["revision"]) for one in found] == [
        ("2020-03-10T12:00:00.000Z", 20, 1),
        ("2020-03-11T12:00:00.000Z", 22, 2),
    ]
    assert found[1]["previous"] == {"cases": 20, "deaths": 0, "recovered": 0}
    runs = operated.data("runs")[1]
    assert [one["run"] for one in found] == [runs[2]["run"], runs[1]["run"]]
    code, body, _ = operated.ops("history", "--file", found[0]["files"]["nyt"][:12])
    assert (code, body) == (0, nyt(*(f"{date},{cases},0" for date, cases in CASES.items())))
    assert operated.ops("history", "2020-05-01")[:2] == (0, b"")


def test_a_file_that_is_not_kept_is_told_with_exit_code_2(operated):
    code, out, told = operated.ops("history", "--file", "0" * 64)
    assert (code, out) == (2, b"")
    assert "No file in the archive" in told


def test_as_of_gives_the_table_as_it_was_believed_then(operated, tmp_path):
    def believed(when):
        return [
            int(row["cases"]) for row in csv.DictReader(operated.ops("as-of", when)[1].decode().splitlines())
        ]

    assert believed("2020-03-09") == []
    assert believed("2020-03-10T11:59:59") == []
    assert believed("2020-03-10T12:00") == [10, 20, 30, 40, 50]
    assert believed("2020-03-11") == [10, 22, 30, 40, 50, 60]
    assert believed("2020-03-12T14:00+02:00") == [10, 22, 33, 40, 50, 60, 70]
    path = tmp_path / "then.csv"
    assert operated.ops("as-of", "2020-03-10", "--out", str(path))[:2] == (0, b"")
    assert path.read_text().splitlines()[:2] == ["date,cases,deaths,recovered", "2020-03-01,10,0,0"]
    assert operated.data("as-of", "2020-03-10")[1][0]["recorded_at"] == "2020-03-10T12:00:00.000Z"


@pytest.mark.parametrize("source", ["archive", "stream"])
def test_a_replay_into_full_tables_changes_nothing_and_tells_nobody(operated, source):
    before = operated.items(), operated.cloud.reader.daily(), operated.cloud.reader.revisions()
    told = len(operated.cloud.emulator.publications)
    code, found = operated.data("replay", "--source", source)
    assert (code, found["replayed"], found["days"]) == (0, 9, 7)
    moves = {entry: item for entry, item in before[0].items() if entry != "head"}
    assert {entry: item for entry, item in operated.items().items() if entry in moves} == moves
    assert (operated.cloud.reader.daily(), operated.cloud.reader.revisions()) == before[1:]
    assert len(operated.cloud.emulator.publications) == told
    operated.daybook.agrees()


@pytest.mark.parametrize(
    ("bounds", "count"),
    [
        (["--from", "2020-03-11"], 4),
        (["--from", "2020-03-11", "--to", "2020-03-11"], 2),
        (["--to", "2020-03-11T11:59"], 5),
        (["--from", "2020-03-12T12:00:00.001"], 0),
    ],
)
def test_a_dry_run_counts_what_lies_between_the_bounds(operated, bounds, count):
    for source in ("archive", "stream"):
        if source == "stream" and "T" in bounds[-1]:
            continue  # there it is when the record arrived, a moment after
        code, found = operated.data("replay", "--dry-run", "--source", source, *bounds)
        assert (code, found["replayed"], found["dry_run"]) == (0, count, True)


def test_the_stream_is_replayed_from_a_sequence_number_on(operated):
    kinesis, stream = operated.cloud.client("kinesis"), operated.exports["stream"]
    (shard,) = kinesis.list_shards(StreamName=stream)["Shards"]
    iterator = kinesis.get_shard_iterator(
        StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    numbers = [record["SequenceNumber"] for record in kinesis.get_records(ShardIterator=iterator)["Records"]]
    chosen = ["--from", numbers[2], "--to", numbers[5]]
    assert operated.data("replay", "--source", "stream", "--dry-run", *chosen)[1]["replayed"] == 4
    code, _, told = operated.ops("replay", *chosen)
    assert code == 2
    assert "--source stream" in told


def test_a_rebuild_from_the_log_makes_the_same_tables_and_days(operated):
    def facts():
        days = {
            day.date: (day.counts, day.version, day.revision) for day in operated.cloud.ledger.days().values()
        }
        return (
            operated.cloud.reader.daily(),
            operated.cloud.reader.revisions(),
            days,
            operated.cloud.ledger.head().stamp,
        )

    write = operated.cloud.client("timestream-write")
    names = {"DatabaseName": operated.exports["database"], "TableName": operated.exports["daily_table"]}
    before, table = facts(), write.describe_table(**names)["Table"]
    told = len(operated.cloud.emulator.publications)
    code, found = operated.data("replay", "--rebuild", "--yes")
    assert (code, found["replayed"]) == (0, 9)
    assert facts() == before
    made = write.describe_table(**names)["Table"]
    for name in ("RetentionProperties", "MagneticStoreWriteProperties"):
        assert made[name] == table[name]
    assert len(operated.cloud.emulator.publications) == told
    assert operated.ops("verify")[0] == 0


def test_a_rebuild_that_died_between_two_tables_is_started_again(mended):
    mended.cloud.client("timestream-write").delete_table(
        DatabaseName=mended.exports["database"], TableName=mended.exports["revisions_table"]
    )
    assert mended.ops("replay", "--rebuild", "--yes")[0] == 0
    assert mended.ops("verify")[:2] == (0, b"Every invariant holds; 9 events in the log.\n")


def test_a_rebuild_asks_for_the_stacks_name(operated, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("something\n"))
    code, out, told = operated.ops("replay", "--rebuild")
    assert (code, out) == (2, b"")
    assert "nothing was changed" in told


def test_a_log_that_can_t_be_read_is_found_before_anything_is_emptied(mended):
    name = next(name for name in mended.objects() if name.startswith("events/"))
    mended.put(name, mended.objects()[name][:-40])
    code, _, told = mended.ops("replay", "--rebuild", "--yes")
    assert code == 6
    assert name in told
    assert "Nothing was changed." in told
    mended.daybook.agrees()


def lowered(row, by):
    return tables.Row(row.day, row.version - by, row.revision, row.event)


def changed(row, cases):
    counts = tables.Counts(cases, 0, 0)
    return tables.Row(tables.Day(row.day.date, counts), row.version, row.revision, row.event)


def a_row_changed_in_daily(at):
    row = at.cloud.reader.daily()[3]
    record = tables.daily_record(changed(row, 41))
    at.write("daily_table", [record | {"Version": row.version + 1}])


def a_row_gone_from_daily(at):
    at.rewrite("daily_table", map_records(tables.daily_record, at.cloud.reader.daily()[:-1]))


def a_version_lowered_in_daily(at):
    rows = at.cloud.reader.daily()
    at.rewrite("daily_table", map_records(tables.daily_record, [*rows[:-1], lowered(rows[-1], 5)]))


def a_row_nobody_acknowledged(at):
    row = at.cloud.reader.daily()[-1]
    later = tables.Row(tables.Day(dt.date(2020, 3, 9), row.day.counts), row.version, 1, row.event)
    at.write("daily_table", [tables.daily_record(later)])


def a_day_acknowledged_and_never_written(at):
    item = at.items()["day#2020-03-07"]
    at.enter(item | {"entry": {"S": "day#2020-03-08"}})


def a_day_lost_from_the_ledger(at):
    at.cloud.client("dynamodb").delete_item(
        TableName=at.exports["ledger_table"], Key=tables.key("day#2020-03-04")
    )


def a_version_lowered_in_the_ledger(at):
    at.change("day#2020-03-02", version=tables.day_of(tables.plain(at.items()["day#2020-03-02"])).version - 1)


def a_figure_changed_in_the_ledger(at):
    at.change("day#2020-03-05", cases=51)


def a_stamp_that_is_no_sum(at):
    at.change("head", stamp=1)


def a_last_acknowledged_date_that_is_no_day(at):
    at.change("head", last_acknowledged="2020-03-31")


def an_entry_gone_from_revisions(at):
    rows = [row for row in at.cloud.reader.revisions() if row.revision > 1]
    at.rewrite("revisions_table", map_records(tables.revision_record, rows))


def an_entry_that_was_never_made(at):
    row = lowered(at.cloud.reader.revisions()[0], 7)
    at.write("revisions_table", [tables.revision_record(row)])


def an_archive_object_cut_short(at):
    name = first_of(at, "events/")
    at.put(name, at.objects()[name][:-40])


def an_archive_object_with_a_line_less(at):
    name = first_of(at, "events/")
    at.put(name, b"".join(at.objects()[name].splitlines(keepends=True)[:-1]))


def an_archive_object_gone(at):
    at.remove(first_of(at, "events/"))


def a_source_file_that_is_another(at):
    at.put(first_of(at, "sources/nyt/"), gzip.compress(b"date,cases,deaths\n"))


def a_source_file_gone(at):
    at.remove(first_of(at, "sources/jhu/"))


def a_run_completed_with_a_date_unaccounted_for(at):
    entry = min(entry for entry in at.items() if entry.startswith("run#"))
    at.change(entry, inserted=frozenset(["2020-03-01"]))


def first_of(at, prefix):
    return min(name for name in at.objects() if name.startswith(prefix))


def map_records(record, rows):
    return [record(row) for row in rows]


@pytest.mark.parametrize(
    ("plant", "place", "what"),
    [
        (a_row_changed_in_daily, "daily", "2020-03-04 has 41 cases"),
        (a_row_gone_from_daily, "daily", "2020-03-07 is acknowledged, and has no row"),
        (a_version_lowered_in_daily, "daily", "2020-03-07: version 1584014399995 is older"),
        (a_row_nobody_acknowledged, "daily", "2020-03-09 has a row, and was never acknowledged"),
        (a_day_acknowledged_and_never_written, "daily", "2020-03-08 is acknowledged, and has no row"),
        (a_day_lost_from_the_ledger, "ledger", "2020-03-04 was entered, and has no entry in the ledger"),
        (a_version_lowered_in_the_ledger, "ledger", "2020-03-02: version 1583927999999 or its figures"),
        (a_figure_changed_in_the_ledger, "ledger", "2020-03-05: version"),
        (a_stamp_that_is_no_sum, "ledger", "the stamp is 1, the sum"),
        (a_last_acknowledged_date_that_is_no_day, "ledger", "2020-03-31, which is no acknowledged day"),
        (
            an_entry_gone_from_revisions,
            "revisions",
            "2020-03-01: the entry of 2020-03-10 12:00:00 UTC has no row",
        ),
        (
            an_entry_that_was_never_made,
            "revisions",
            "2020-03-01: the entry of 2020-03-10 11:59:59 UTC is not",
        ),
        (an_archive_object_cut_short, "archive", "is damaged: line 5 is no event"),
        (an_archive_object_with_a_line_less, "archive", "holds other events than its name says (4 of them)"),
        (an_archive_object_gone, "log", "2020-03-01 is acknowledged, and its event"),
        (a_source_file_that_is_another, "archive", "holds another file than its name says"),
        (a_source_file_gone, "archive", ".csv.gz is missing"),
        (a_run_completed_with_a_date_unaccounted_for, "runs", "is completed with 1 of 5 dates"),
    ],
)
def test_verify_finds_and_names_a_planted_fault(mended, plant, place, what):
    plant(mended)
    code, found = mended.data("verify")
    assert (code, found["holds"]) == (7, False)
    assert any(
        one["broken"] and one["place"] == place and what in one["what"] for one in found["findings"]
    ), found


def test_what_was_set_aside_is_reported_and_breaks_nothing(mended):
    mended.put("rejected/4711", b"not an event")
    code, found = mended.data("verify")
    assert code == 0
    assert [one["what"] for one in found["findings"]] == ["a record was set aside: rejected/4711"]


def test_verify_deep_compares_with_the_sources_as_they_are_now(mended):
    published = dict(mended.daybook.publisher.files)
    assert mended.data("verify", "--deep") == (0, {"holds": True, "findings": [], "published_since": []})
    mended.daybook.publisher.files["nyt"] = published["nyt"].replace(b"2020-03-05,50", b"2020-03-05,55")
    assert mended.data("verify", "--deep")[0] == 5
    mended.daybook.publisher.files["nyt"] = b"<html>"
    code, _, told = mended.ops("verify", "--deep")
    assert code == 4
    assert "Traceback" not in told
    mended.daybook.publisher.files = published


def test_a_cloud_that_has_ended_is_not_taken_for_a_running_one(tmp_path):
    (tmp_path / "running.json").write_text(json.dumps({"endpoint": "http://127.0.0.1:9", "pid": 2**22 + 1}))
    told = io.StringIO()
    with redirect_stderr(told):
        code = run(["status", "--state", str(tmp_path)])
    assert code == 3
    assert "python -m local up" in told.getvalue()
    assert os.getpid() != 2**22 + 1


def test_the_doctor_passes_a_stack_in_order_and_names_what_mends_it(operated):
    code, found = operated.data("doctor")
    states = {one["what"]: one["state"] for one in found}
    assert code == 0, found
    for what in ("Python", "stack", "table daily", "table revisions", "stream", "source nyt", "source jhu"):
        assert states[what] == "PASS"
    write = operated.cloud.client("timestream-write")
    names = {"DatabaseName": operated.exports["database"], "TableName": operated.exports["daily_table"]}
    properties = write.describe_table(**names)["Table"]["MagneticStoreWriteProperties"]
    write.update_table(**names, MagneticStoreWriteProperties={"EnableMagneticStoreWrites": False})
    code, out, _ = operated.ops("doctor")
    write.update_table(**names, MagneticStoreWriteProperties=properties)
    assert code == 3
    assert (
        b"FAIL  table daily: magnetic writes OFF, kept 73,000 days\n      \xe2\x86\x92 pulumi up --refresh\n"
        in out
    )


def test_the_logs_of_all_three_are_read_together_and_those_of_a_run_alone(operated):
    code, lines = operated.data("logs", "--since", "10m")
    assert code == 0
    assert {line["function"] for line in lines} == {"fetcher", "consumer"}
    assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)
    first = operated.data("runs")[1][-1]["run"]
    _, mine = operated.data("logs", "--run", first)
    stages = [(line["function"], json.loads(line["line"])["stage"]) for line in mine]
    assert stages == [
        ("fetcher", "decided"),
        ("fetcher", "emitted"),
        ("consumer", "acknowledged"),
        ("consumer", "completed"),
    ]
    assert operated.ops("logs", "--run", first)[1].count(b"\n") == len(mine)


def test_a_test_message_goes_to_each_topic_and_leaves_the_ledger_alone(operated):
    before, told = operated.items(), len(operated.cloud.emulator.publications)
    assert operated.data("notify", "test")[0] == 5  # nobody subscribes here
    sns = operated.cloud.client("sns")
    for topic in ("daily_report_topic", "alerts_topic"):
        sns.subscribe(TopicArn=operated.exports[topic], Protocol="email", Endpoint="a@example.com")
    code, found = operated.data("notify", "test")
    assert code == 0
    assert [(one["topic"], one["endpoint"], one["confirmed"]) for one in found] == [
        ("daily-report", "a@example.com", True),
        ("alerts", "a@example.com", True),
    ]
    sent = operated.cloud.emulator.publications[told + 2 :]
    assert [message.subject for message in sent] == [
        "Daybook TEST: daily-report reaches you",
        "Daybook TEST: alerts reaches you",
    ]
    assert [message.message_id for message in sent] == [one["message"] for one in found]
    assert all("Nothing has happened." in message.text("email") for message in sent)
    assert operated.items() == before


def test_the_cost_is_that_of_the_stack_s_own_parts_and_rises_with_the_views(operated):
    found = {views: operated.data("cost", "--views-a-day", views)[1] for views in ("0", "100")}
    items = {one["what"]: one["usd"] for one in found["0"]["items"]}
    assert (items["Kinesis shards"], items["Kinesis retention"]) == (10.95, 14.6)
    assert found["0"]["month_usd"] == pytest.approx(sum(items.values()), abs=0.01)
    assert found["100"]["month_usd"] - found["0"]["month_usd"] == pytest.approx(105, abs=1)
    assert found["0"]["prices"]["looked_up"] == "2026-11-23"
    assert operated.ops("cost")[1].decode().splitlines()[0].split() == ["a", "month", "USD", "for"]


def test_a_replay_says_how_many_events_the_store_refuses_for_good(mended):
    with opened(mended.folder) as target:
        one = next(iter(archived(target.client("s3"), target.facts["archive_bucket"])))[0]
        early = replace(one, day=replace(one.day, date=dt.date(1969, 12, 31)))
        mended.put(f"events/{early.version}-early.jsonl", encode(early) + b"\n")
    code, found = mended.data("replay")
    assert (code, found["replayed"], found["refused"]) == (0, 10, 1)
    assert b"Refused for good        1 of them" in mended.ops("replay")[1]

"""`daybook` against a local cloud that runs: each command, as an operator meets it."""

import csv
import datetime as dt
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

from dashboard import health
from dashboard.cache import Desk
from dashboard.settings import Settings
from docs import generate
from local.up import attend, reachable
from ops.__main__ import run
from schemas.event import decode
from schemas.ledger import COMPLETED, FAILED, SETS
from storage import ledger_items

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ops")]

CASES = {f"2020-03-0{number}": number * 10 for number in range(1, 6)}


class Operated:
    """A system with a history, its folder, and what `daybook` says of it."""

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
            promised = generate.contracts()[
                f"ops.{'notify-test' if arguments[0] == 'notify' else arguments[0]}"
            ]
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
        return self.cloud.tables.daily(), self.cloud.tables.entries()

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
        self.enter(self.items()[entry] | ledger_items.attributes(attributes))


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
            TableName=operated.exports["ledger_table"], Key=ledger_items.key(entry)
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
    assert (found["days"], found["pending"], found["complete"], found["owing"]) == (7, [], True, [])
    assert found["last_run"]["state"] == COMPLETED
    code, out, told = operated.ops("status")
    assert code == 0
    assert b"Last acknowledged date  2020-03-07\n" in out
    assert told.startswith(f"local cloud running on {operated.cloud.emulator.endpoint}")


def test_what_a_run_that_failed_owes_is_pending_with_exit_code_5(mended):
    """A fetcher that died for good after it had stored its run: page and commands agree."""
    newest = mended.cloud.ledger.runs(1)[0]
    later = replace(
        newest,
        time=newest.time + dt.timedelta(hours=1),
        request="died",
        state=FAILED,
        pending=(dt.date(2020, 3, 4), dt.date(2020, 3, 8)),
        **{name: frozenset() for name in SETS},
    )
    mended.enter(
        ledger_items.key(f"run#{later.name}") | ledger_items.attributes(ledger_items.run_item(later))
    )
    mended.change("head", owing=frozenset({later.name}), newest="2020-03-08")
    assert mended.data("days", "--pending") == (5, ["2020-03-04", "2020-03-08"])
    code, found = mended.data("status")
    assert (code, found["pending"], found["lag_days"]) == (5, ["2020-03-04", "2020-03-08"], 1)
    settings = Settings.read(mended.exports["dashboard_environment"])
    looked = Desk(mended.cloud.ledger, mended.cloud.tables, settings, mended.cloud.clock.now).look()
    assert ([day.date.isoformat() for day in health.pending(looked)], health.lag(looked)) == (
        found["pending"],
        found["lag_days"],
    )


def test_runs_are_listed_newest_first_with_their_counts(operated):
    code, found = operated.data("runs")
    assert code == 0
    assert [(one["inserted"], one["updated"]) for one in found] == [(1, 1), (1, 1), (5, 0)]
    assert len(operated.data("runs", "--limit", "1")[1]) == 1
    lines = operated.ops("runs")[1].decode().splitlines()
    assert lines[0].split()[:4] == ["time", "trigger", "state", "pending"]
    assert lines[3].split()[:6] == ["2020-03-10", "12:00", "schedule", "completed", "5", "5"]


def test_days_are_listed_and_the_restated_ones_alone(operated):
    assert [day["cases"] for day in operated.data("days")[1]] == [10, 22, 33, 40, 50, 60, 70]
    revised = operated.data("days", "--revised")[1]
    assert [(day["date"], day["entries"]) for day in revised] == [("2020-03-02", 2), ("2020-03-03", 2)]
    assert b"2020-03-02     22       0          0        2  2020-03-11 12:00\n" in operated.ops("days")[1]


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
    assert path.read_text().splitlines()[:2] == [
        "date,region,cases,deaths,recovered,recorded_at",
        "2020-03-01,US,10,0,0,2020-03-10T12:00:00.000Z",
    ]
    assert operated.data("as-of", "2020-03-10")[1][0]["recorded_at"] == "2020-03-10T12:00:00.000Z"


@pytest.mark.parametrize("source", ["archive", "stream"])
def test_a_replay_into_full_tables_changes_nothing_and_tells_nobody(operated, source):
    before = operated.items(), operated.rows()
    told = len(operated.cloud.emulator.publications)
    code, found = operated.data("replay", "--source", source)
    assert (code, found["replayed"], found["days"]) == (0, 9, 7)
    moves = {entry: item for entry, item in before[0].items() if entry != "head"}
    assert {entry: item for entry, item in operated.items().items() if entry in moves} == moves
    assert operated.rows() == before[1]
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
        head = operated.cloud.ledger.head()
        days = {
            day.date: (day.counts, day.version, day.entries) for day in operated.cloud.ledger.days().values()
        }
        return operated.rows(), days, head.stamp, head.entries, head.held

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
    assert operated.cloud.ledger.rebuilt_at() == operated.cloud.ledger.head().last_run


def test_a_rebuild_that_died_between_two_tables_is_started_again(mended):
    mended.cloud.client("timestream-write").delete_table(
        DatabaseName=mended.exports["database"], TableName=mended.exports["revisions_table"]
    )
    assert mended.ops("replay", "--rebuild", "--yes")[0] == 0
    mended.daybook.agrees()


@pytest.mark.parametrize("operation", ["DeleteTable", "CreateTable", "BatchWriteItem", "WriteRecords"])
def test_a_rebuild_that_breaks_off_leaves_its_marker_and_is_ended_by_the_same_command(mended, operation):
    before = mended.rows()
    with mended.daybook.on_call(operation, lambda: "AccessDenied"):
        code, _, told = mended.ops("replay", "--rebuild", "--yes")
    assert code == 6, told
    assert "daybook replay --rebuild goes on with it" in told
    code, found = mended.data("status")
    assert (code, found["held"][:25]) == (5, "a rebuild is under way si")
    assert b"daybook replay --rebuild" in mended.ops("status")[1]
    code, out, _ = mended.ops("doctor")
    assert (code, b"FAIL  ledger: a rebuild is under way" in out) == (3, True)
    assert mended.ops("replay", "--rebuild", "--yes")[0] == 0
    assert (mended.rows(), mended.data("status")[1]["held"]) == (before, None)
    mended.daybook.agrees()


def test_while_a_rebuild_is_under_way_nothing_is_fetched_or_replayed(mended):
    mended.change("head", held={"reason": "a rebuild", "since": "2020-03-12T12:00:00.000Z"})
    before = mended.rows()
    answer = mended.cloud.runtime.invoke(mended.exports["fetcher"], b"{}")
    assert "PipelineHeld" in answer.response.decode()
    assert mended.ops("replay", "--source", "stream")[0] == 5
    assert mended.rows() == before


def last_object(at):
    return max(name for name in at.objects() if name.startswith("events/"))


def first_object(at):
    """It holds entries that were restated since."""
    return min(name for name in at.objects() if name.startswith("events/"))


@pytest.mark.parametrize("choose", [last_object, first_object])
def test_a_rebuild_empties_nothing_where_the_log_lacks_an_object(mended, choose):
    name = choose(mended)
    missing = [decode(line).id for line in mended.objects()[name].splitlines()]
    before, items = mended.rows(), mended.items()
    mended.remove(name)
    code, _, told = mended.ops("replay", "--rebuild", "--yes")
    assert code == 7
    assert [event for event in missing if event not in told] == []
    assert mended.rows() == before
    assert {entry: item for entry, item in mended.items().items() if entry != "head"} == {
        entry: item for entry, item in items.items() if entry != "head"
    }
    assert mended.cloud.ledger.head().held is None


def test_a_rebuild_brings_back_a_day_that_the_ledger_has_lost(mended):
    before = mended.items()["day#2020-03-02"]
    mended.cloud.client("dynamodb").delete_item(
        TableName=mended.exports["ledger_table"], Key=ledger_items.key("day#2020-03-02")
    )
    assert mended.ops("replay", "--rebuild", "--yes")[0] == 0
    after = mended.items()["day#2020-03-02"]
    assert {name: after[name] for name in ("version", "entries", "event", "cases")} == {
        name: before[name] for name in ("version", "entries", "event", "cases")
    }
    mended.daybook.agrees()


def test_a_replay_brings_back_a_day_that_ledger_and_tables_have_lost(mended):
    before = mended.rows()
    mended.cloud.client("dynamodb").delete_item(
        TableName=mended.exports["ledger_table"], Key=ledger_items.key("day#2020-03-04")
    )
    mended.cloud.tables.empty()
    mended.change("head", stamp=5)
    assert mended.ops("replay")[0] == 0
    assert mended.rows() == before
    mended.daybook.agrees()


def test_a_folder_that_a_console_made_in_the_log_is_passed_over(mended):
    mended.put("events/", b"")
    assert mended.data("replay", "--dry-run")[1]["replayed"] == 9
    assert mended.ops("replay", "--rebuild", "--yes")[0] == 0
    assert len(mended.data("history", "2020-03-02")[1]) == 2


def test_a_rebuild_asks_for_the_stacks_name(operated, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("something\n"))
    code, out, told = operated.ops("replay", "--rebuild")
    assert (code, out) == (2, b"")
    assert "nothing was changed" in told


def test_a_log_that_can_t_be_read_is_found_before_anything_is_emptied(mended):
    name = next(name for name in mended.objects() if name.startswith("events/"))
    mended.put(name, mended.objects()[name][:-40])
    code, _, told = mended.ops("replay", "--rebuild", "--yes")
    assert code == 7
    assert name in told
    assert mended.cloud.ledger.head().held is None
    mended.daybook.agrees()


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
        b"FAIL  table daily: magnetic writes OFF, kept 73,000 days\n"
        b"      \xe2\x86\x92 python -m local up makes it anew" in out
    )


def test_the_logs_of_all_three_are_read_together_and_those_of_a_run_alone(operated):
    code, lines = operated.data("logs", "--since", "10m")
    assert code == 0
    assert {line["function"] for line in lines} == {"fetcher", "consumer"}
    assert [line["timestamp"] for line in lines] == sorted(line["timestamp"] for line in lines)
    first = operated.data("runs")[1][-1]["run"]
    _, mine = operated.data("logs", "--run", first)
    stages = [(line["function"], json.loads(line["line"])["stage"]) for line in mine]
    assert stages[:4] == [  # a replay says more of it
        ("fetcher", "stored"),
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
    assert (
        found["0"]["prices"]["kinesis_shard_hour"] == "https://aws.amazon.com/kinesis/data-streams/pricing/"
    )
    assert operated.ops("cost")[1].decode().splitlines()[0].split() == ["a", "month", "USD", "for"]

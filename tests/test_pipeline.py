"""The whole way on the local cloud: published files in; tables, ledger and messages out."""

import datetime as dt
import json
import os
import signal

import pytest
from system import DAY, START, system

from schemas.ledger import COMPLETED, FAILED, INCOMPLETE, OPEN

pytestmark = pytest.mark.cloud


@pytest.fixture
def daybook():
    with system() as found:
        yield found


@pytest.fixture(params=["timestream", "dynamodb"])
def in_either(request):
    """A stack whose tables are in one store, or in the other."""
    with system(store=request.param) as found:
        yield found


def publish_many(daybook):
    """700 days: two calls of PutRecords, eight batches."""
    dates = [(dt.date(2018, 1, 1) + dt.timedelta(days=number)).isoformat() for number in range(700)]
    daybook.publish({date: number for number, date in enumerate(dates, 1)})


def test_a_first_run_loads_the_whole_history_and_a_later_one_only_what_is_new_or_restated(in_either):
    in_either.publish({"2020-03-01": 10, "2020-03-02": 20})
    first = in_either.run()
    in_either.publish({"2020-03-01": 11, "2020-03-02": 20, "2020-03-03": 30})
    second = in_either.run()
    assert (len(first.inserted), len(first.updated)) == (2, 0)
    assert (len(second.inserted), len(second.updated), len(second.pending)) == (1, 1, 2)
    assert in_either.daily() == {"2020-03-01": 11, "2020-03-02": 20, "2020-03-03": 30}
    assert in_either.revisions("2020-03-01") == [10, 11]
    assert in_either.subjects("daily-report") == [
        "Daybook: 2 rows inserted, 0 updated, through 2020-03-02",
        "Daybook: 1 row inserted, 1 updated, through 2020-03-03",
    ]
    assert in_either.told("alerts") == []
    in_either.agrees()


def test_a_day_that_goes_a_b_a_b_keeps_all_four_entries_and_each_as_of_answer_is_right(in_either):
    for cases in (10, 11, 10, 11):
        in_either.publish({"2020-03-01": cases})
        in_either.run()
    assert in_either.revisions("2020-03-01") == [10, 11, 10, 11]
    believed = [
        [row.day.counts.cases for row in in_either.cloud.tables.as_of(START + number * DAY)]
        for number in range(-1, 4)
    ]
    assert believed == [[], [10], [11], [10], [11]]
    in_either.agrees()


def test_unchanged_files_are_not_read_again_and_the_run_reports_nothing_new(daybook):
    daybook.publish({"2020-03-01": 10})
    first = daybook.run()
    second = daybook.run()
    assert (second.state, second.pending, second.files) == (COMPLETED, (), {})
    assert second.basis and first.basis
    assert second.basis.etags == first.basis.etags
    assert "published nothing new" in daybook.told("daily-report")[-1].text("email")


def test_a_malformed_file_changes_nothing_is_told_once_and_is_made_good_by_the_next_run(in_either):
    in_either.publish({"2020-03-01": 10})
    in_either.run()
    in_either.publish({"2020-03-01": 10, "2020-03-02": 20})
    good = in_either.publisher.files["nyt"]
    in_either.publisher.files["nyt"] = good.replace(b",20,", b",twenty,")
    failed = in_either.run()
    assert (failed.state, failed.reason_count) == (FAILED, 1)
    assert in_either.daily() == {"2020-03-01": 10}
    (alert,) = in_either.told("alerts")
    assert 'nyt, row 3, 2020-03-02, cases: "twenty" is not a whole number' in alert.text("email")
    assert len(alert.text("sms")) <= 160
    in_either.publisher.files["nyt"] = good
    cured = in_either.run()
    assert cured.state == COMPLETED
    assert in_either.daily() == {"2020-03-01": 10, "2020-03-02": 20}
    assert "makes good what failed before: 2020-03-11 12:00 UTC" in in_either.told("daily-report")[-1].text(
        "email"
    )
    assert len(in_either.told("alerts")) == 1
    in_either.agrees()


def test_a_source_that_can_t_be_fetched_fails_the_run_once_after_lambda_s_retries(daybook):
    daybook.publish({"2020-03-01": 10})
    del daybook.publisher.files["jhu"]
    failed = daybook.run()
    assert failed.state == FAILED
    (alert,) = daybook.told("alerts")
    assert "answered 404" in alert.text("email")
    daybook.publish({"2020-03-01": 10})
    assert daybook.run().state == COMPLETED
    assert daybook.daily() == {"2020-03-01": 10}
    assert len(daybook.told("alerts")) == 1


def test_the_consumer_dying_between_store_and_ledger_is_made_good_by_the_redelivery(in_either):
    killed = []

    def kill():
        if not killed:
            (process,) = in_either.cloud.runtime.processes(in_either.cloud.stack.exports["consumer"])
            killed.append(process)
            os.kill(process, signal.SIGKILL)

    in_either.publish({"2020-03-01": 10, "2020-03-02": 20})
    first = in_either.run(settle=False)
    with in_either.on_call("TransactWriteItems", kill):
        in_either.cloud.settle(until=in_either.moment - dt.timedelta(minutes=1))
    run = in_either.stored(first.request)
    assert len(killed) == 1
    assert (run.state, len(run.inserted), len(run.duplicate)) == (COMPLETED, 2, 0)
    assert in_either.revisions("2020-03-01") == [10]
    assert in_either.subjects("daily-report") == ["Daybook: 2 rows inserted, 0 updated, through 2020-03-02"]
    assert in_either.told("alerts") == []
    in_either.agrees()


def test_a_batch_redelivered_after_part_of_it_was_acknowledged_counts_nothing_twice(daybook):
    daybook.publish({f"2020-01-{day:02}": day for day in range(1, 31)})
    first = daybook.run(settle=False)
    records = daybook.cloud.client("kinesis")
    stream = daybook.cloud.stack.exports["stream"]
    shard = records.list_shards(StreamName=stream)["Shards"][0]["ShardId"]
    iterator = records.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    found = records.get_records(ShardIterator=iterator["ShardIterator"])["Records"]
    from local.mapping.batch import Batch, shape

    (mapping,) = daybook.cloud.stack.mappings
    shaped = [shape(record, shard, mapping) for record in found]
    partial = Batch(tuple(shaped[:10]), daybook.cloud.clock.now())
    answer = daybook.cloud.runtime.invoke(mapping.function_name, partial.payload())
    assert json.loads(answer.response) == {"batchItemFailures": []}
    assert len(daybook.stored(first.request).inserted) == 10
    daybook.cloud.settle()
    run = daybook.stored(first.request)
    assert (run.state, len(run.inserted), len(run.duplicate)) == (COMPLETED, 30, 0)
    assert len(daybook.cloud.tables.entries()) == 30
    assert daybook.subjects("daily-report") == ["Daybook: 30 rows inserted, 0 updated, through 2020-01-30"]
    daybook.agrees()


def test_a_record_that_can_t_be_decoded_in_the_middle_of_a_batch_is_set_aside_and_the_rest_goes_on(daybook):
    kinesis, stream = daybook.cloud.client("kinesis"), daybook.cloud.stack.exports["stream"]
    calls = []

    def slip_in():
        calls.append(1)
        if len(calls) == 2:  # between the 500th and the 501st event: in the sixth batch of 98
            kinesis.put_record(StreamName=stream, PartitionKey="US", Data=b"\x00 not an event")

    publish_many(daybook)
    with daybook.on_call("PutRecords", slip_in):
        run = daybook.run()
    assert (run.state, len(run.inserted), len(run.failed)) == (COMPLETED, 700, 0)
    assert len(daybook.daily()) == 700
    (alert,) = daybook.told("alerts")
    assert alert.subject == "Daybook ALERT: a record without a readable date was set aside"
    name = alert.text("email").partition("rejected/")[2].split()[0]
    bucket = daybook.cloud.stack.exports["archive_bucket"]
    kept = daybook.cloud.client("s3").get_object(Bucket=bucket, Key=f"rejected/{name}")
    assert kept["Body"].read() == b"\x00 not an event"
    assert daybook.subjects("daily-report") == ["Daybook: 700 rows inserted, 0 updated, through 2019-12-01"]
    daybook.agrees()


def test_an_invalid_event_of_a_run_is_set_aside_and_takes_nothing_from_the_day_that_it_names(daybook):
    daybook.publish({"2020-03-01": 10})
    run = daybook.run(settle=False)
    assert run.state == OPEN
    event = {"run": run.name, "subject": "US/2020-03-01", "type": "daybook.day.recorded.v1"}
    kinesis, stream = daybook.cloud.client("kinesis"), daybook.cloud.stack.exports["stream"]
    kinesis.put_record(StreamName=stream, PartitionKey="US", Data=json.dumps(event).encode())
    daybook.cloud.settle()
    assert daybook.stored(run.request).inserted == {dt.date(2020, 3, 1)}
    (alert,) = daybook.told("alerts")
    assert alert.subject == "Daybook ALERT: a record that names 2020-03-01 was set aside"
    again = daybook.run()
    assert (again.state, again.pending) == (COMPLETED, ())
    assert daybook.daily() == {"2020-03-01": 10}
    daybook.agrees()


def test_the_fetcher_dying_after_half_its_puts_sends_the_rest_when_lambda_tries_again(daybook):
    calls = []

    def dies_before_the_second():
        calls.append(1)
        if len(calls) != 2:
            return None
        (process,) = daybook.cloud.runtime.processes(daybook.cloud.stack.exports["fetcher"])
        os.kill(process, signal.SIGKILL)
        return "InternalFailure"

    publish_many(daybook)
    with daybook.on_call("PutRecords", dies_before_the_second):
        run = daybook.run()
    assert len(calls) == 3
    assert (run.state, len(run.inserted), len(run.duplicate), len(run.failed)) == (COMPLETED, 700, 0, 0)
    assert len(daybook.cloud.tables.entries()) == 700
    assert daybook.subjects("daily-report") == ["Daybook: 700 rows inserted, 0 updated, through 2019-12-01"]
    assert daybook.told("alerts") == []
    daybook.agrees()


def test_a_consumer_that_never_succeeds_ends_in_one_alert_naming_the_days_and_the_next_run_makes_it_good(
    daybook,
):
    daybook.publish({"2020-03-01": 10})
    daybook.run()
    daybook.publish({"2020-03-01": 12, "2020-03-02": 20})
    with daybook.on_call("WriteRecords", lambda: "AccessDeniedException"):
        broken = daybook.run()
    assert broken.state == INCOMPLETE
    (alert,) = daybook.told("alerts")
    assert alert.subject == "Daybook ALERT: 2 days could not be entered"
    assert "2 days: 2020-03-01, 2020-03-02" in alert.text("email")
    daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
    mended = daybook.run()
    assert (mended.state, len(mended.pending)) == (COMPLETED, 2)
    assert (mended.updated, mended.duplicate) == ({dt.date(2020, 3, 1)}, {dt.date(2020, 3, 2)})
    assert daybook.daily() == {"2020-03-01": 10, "2020-03-02": 20}
    assert daybook.revisions("2020-03-01") == [10, 12, 10]  # the log held the 12
    late = daybook.stored(broken.request)
    assert (late.state, len(late.inserted), len(late.updated)) == (COMPLETED, 1, 1)
    assert daybook.cloud.ledger.head().last_acknowledged == dt.date(2020, 3, 2)
    assert daybook.cloud.ledger.head().failures == ()
    assert len(daybook.told("alerts")) == 1
    assert len(daybook.told("daily-report")) == 3
    daybook.agrees()


def test_what_was_given_up_before_the_log_held_it_was_never_entered(daybook):
    daybook.publish({"2020-03-01": 10})
    daybook.run()
    daybook.publish({"2020-03-01": 12})
    with daybook.on_call("BatchGetItem", lambda: "AccessDeniedException"):
        broken = daybook.run()
    daybook.publish({"2020-03-01": 10})
    mended = daybook.run()
    assert (mended.state, mended.duplicate) == (COMPLETED, {dt.date(2020, 3, 1)})
    assert daybook.revisions("2020-03-01") == [10]
    late = daybook.stored(broken.request)
    assert (late.state, late.superseded) == (COMPLETED, {dt.date(2020, 3, 1)})
    daybook.agrees()

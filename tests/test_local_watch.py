"""The watch over a local cloud, on both stores: all is well, or what is destroyed is found where it was."""

import pytest
from in_process import in_process
from system import EITHER_STORE

from local.scenario.watch import Watch, broken, dump
from ops.invariants import ending, files

pytestmark = pytest.mark.cloud
CASES = {"2020-03-01": 10, "2020-03-02": 20, "2020-03-03": 30}


@pytest.fixture(scope="module", params=EITHER_STORE)
def daybook(request):
    with in_process(store=request.param) as daybook:
        yield daybook


@pytest.fixture
def watched(daybook):
    """Three runs: three days; one restated and one new; that one restated back to what it was."""
    daybook.cloud.again()
    daybook.moment = daybook.cloud.clock.now()
    looking = Watch(daybook.cloud, lambda: said(daybook), daybook.cloud.wire.asked)
    daybook.cloud.runtime.after.append(looking.look)
    for news in ({}, {"2020-03-02": 22, "2020-03-04": 40}, {"2020-03-04": 40}):
        daybook.publish(CASES | news)
        daybook.run()
    return looking


def said(daybook):
    return files.published(daybook.publisher.files, daybook.cloud.clock.now().date())


def table(daybook):
    return {"TableName": daybook.cloud.stack.exports["ledger_table"]}


def key(entry):
    return {"series": {"S": "US"}, "entry": {"S": entry}}


def test_a_life_without_faults_breaks_nothing(daybook, watched):
    assert broken(daybook.cloud, watched) == []
    assert len(watched.put) == 3 + 2 + 1


def test_a_mapping_that_is_made_anew_changes_nothing(daybook, watched):
    before = dump(daybook.cloud)
    daybook.cloud.mappings = daybook.cloud.fresh_mappings()
    daybook.cloud.settle(until=daybook.moment)
    assert ending.changed(before, dump(daybook.cloud)) == []
    assert broken(daybook.cloud, watched) == []


def test_a_lost_object_of_the_log_is_found_and_nothing_else(daybook, watched):
    s3, bucket = daybook.cloud.client("s3"), daybook.cloud.stack.exports["archive_bucket"]
    s3.delete_object(Bucket=bucket, Key=daybook.cloud.archive.log_names()[0])
    assert broken(daybook.cloud, watched) == [
        "log: what was entered 2020-03-10 12:00:00 UTC is not in the log, but in revisions and the ledger: "
        "3 days: 2020-03-01, 2020-03-02, 2020-03-03"
    ]


def test_a_lost_day_is_found_and_nothing_else(daybook, watched):
    dynamodb = daybook.cloud.client("dynamodb")
    dynamodb.delete_item(**table(daybook), Key=key("day#2020-03-02"))
    assert broken(daybook.cloud, watched) == [
        "ledger: 2020-03-02 was entered, and has no entry in the ledger"
    ]


def test_what_moves_back_on_the_way_is_found(daybook, watched):
    def change(entry, expression, **values):
        update = {"UpdateExpression": expression, "ExpressionAttributeValues": values}
        daybook.cloud.client("dynamodb").update_item(**table(daybook), **update, Key=key(entry))

    change("day#2020-03-02", "SET version = version - :one", **{":one": {"N": "1"}})
    change("head", "SET last_acknowledged = :date", **{":date": {"S": "2020-03-01"}})
    watched.look("consumer")
    back, version = (found.what for found in watched.problems)
    assert back.startswith("the last acknowledged date went back from 2020-03-04 to 2020-03-01")
    assert version.startswith("2020-03-02 went back from version")


def test_a_record_that_is_put_out_of_order_or_a_message_of_nobody_is_found(daybook, watched):
    watched.put = list(reversed(watched.put))
    topic = daybook.told("daily-report")[0].topic_arn
    message = '{"default": "Nobody made this."}'
    daybook.cloud.client("sns").publish(
        TopicArn=topic, Subject="Daybook: 1 row inserted, 0 updated", Message=message, MessageStructure="json"
    )
    found = broken(daybook.cloud, watched)
    assert [one.partition(" ")[0] for one in found] == ["runs:", "runs:", "notices:", "notices:"]

"""Each function's rights against the calls that it makes: all that it needs, and nothing else.

The calls are those of the real handlers on the local cloud, through good days and bad ones.
"""

import base64
import datetime as dt
import json
import os
import signal
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import boto3
import botocore.session
import pytest
from partial import records
from reliability import counted
from rights import Call, listing, read_call
from system import EITHER_STORE, System, system

from dashboard.app import create_app
from dashboard.settings import Settings
from schemas.event import decode
from schemas.ledger import COMPLETED, FAILED, INCOMPLETE
from storage.aws import CONFIG
from storage.ledger import Ledger
from storage.redelivery import from_stream
from storage.replay import feed
from storage.tables import open_tables

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("permissions")]

POLLS = "the event source mapping reads the stream with the function's role"
DELIVERS = "Lambda publishes to the on-failure destination with the function's role"
WRITES_LOG = "Lambda writes the function's log with its role"
ENCRYPTS = "SNS encrypts what goes to alerts in the name of who publishes it"
REPORTS_REFUSALS = "Timestream reports late refusals to this bucket, and asks that who writes may do so"
AGENTS = "Beanstalk's agents on the machine act with its role: they fetch the bundle, log, report health"
# What no handler calls itself, and why it is granted: role, action, what the resource holds.
SERVICE_SIDE = {
    ("consumer", "kinesis:DescribeStream", "stream"): POLLS,
    ("consumer", "kinesis:DescribeStreamSummary", "stream"): POLLS,
    ("consumer", "kinesis:GetRecords", "stream"): POLLS,
    ("consumer", "kinesis:GetShardIterator", "stream"): POLLS,
    ("consumer", "kinesis:ListShards", "stream"): POLLS,
    ("consumer", "sns:Publish", "failures"): DELIVERS,
    ("fetcher", "sns:Publish", "failures"): DELIVERS,
    ("dashboard", "s3:GetObject", "-bundles-"): AGENTS,
    ("dashboard", "s3:GetObject", ":elasticbeanstalk-"): AGENTS,
    ("dashboard", "logs:CreateLogStream", "/aws/elasticbeanstalk/daybook-local/"): AGENTS,
    ("dashboard", "logs:DescribeLogStreams", "/aws/elasticbeanstalk/daybook-local/"): AGENTS,
    ("dashboard", "logs:PutLogEvents", "/aws/elasticbeanstalk/daybook-local/"): AGENTS,
    ("dashboard", "elasticbeanstalk:PutInstanceStatistics", "application/daybook-local"): AGENTS,
    ("dashboard", "elasticbeanstalk:PutInstanceStatistics", "environment/daybook-local/"): AGENTS,
    **{
        (function, action, "key"): ENCRYPTS
        for function, action in product(
            ("fetcher", "consumer", "reporter"), ("kms:Decrypt", "kms:GenerateDataKey")
        )
    },
    **{
        (function, action, "log-group"): WRITES_LOG
        for function, action in product(
            ("fetcher", "consumer", "reporter"), ("logs:CreateLogStream", "logs:PutLogEvents")
        )
    },
    ("schedule", "lambda:InvokeFunction", "fetcher"): "EventBridge Scheduler invokes with this role",
}
# Where the tables are in Timestream.
OF_TIMESTREAM = {
    ("consumer", "s3:PutObject", "-rejected-"): REPORTS_REFUSALS,
    ("consumer", "s3:GetBucketAcl", "-rejected-"): REPORTS_REFUSALS,
}
TAKES_NO_RESOURCE = {"timestream": {"timestream:DescribeEndpoints"}, "dynamodb": set()}
PAGES = ("/data/days.csv", "/data/entries.csv", "/status.json")


class Seen:
    """What was called and what is granted."""

    def __init__(self, store: str, calls: set[Call], policies: dict[str, list[dict[str, Any]]]) -> None:
        self.store = store
        self.calls = calls
        self.service_side = SERVICE_SIDE | (OF_TIMESTREAM if store == "timestream" else {})
        self.grants = {
            (role.removeprefix("daybook-local-"), action, resource)
            for role, statements in policies.items()
            for statement in statements
            for action, resource in product(statement["Action"], resources_of(statement))
        }
        self.effects = {found["Effect"] for statements in policies.values() for found in statements}

    def needed(self) -> set[tuple[str, str, str]]:
        return {
            (call.caller.removeprefix("daybook-local-"), action, resource)
            for call in self.calls
            for action, resource in call.rights
        }


@pytest.fixture(scope="module", params=EITHER_STORE)
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    calls: set[Call] = set()

    def record(operation: str, environ: dict[str, Any]) -> None:
        if "Credential=daybook-" in environ.get("HTTP_AUTHORIZATION", ""):
            calls.add(read_call(operation, environ))

    with system(store=request.param) as daybook:
        daybook.cloud.emulator.on_call(record)
        good_days(daybook)
        bad_days(daybook)
        policies = daybook.cloud.stack.policies
    yield Seen(request.param, calls, dict(policies))


def good_days(daybook: System) -> None:
    """A first load, then a new day with a restated one, then nothing."""
    daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
    assert len(daybook.run().inserted) == 2
    daybook.publish({"2020-03-01": 11, "2020-03-02": 20, "2020-03-03": 30})
    assert len(daybook.run().updated) == 1
    assert daybook.run().pending == ()


def bad_days(daybook: System) -> None:
    """Malformed files, a source that isn't there, a record that can't be read, a batch that is never
    entered, a fetcher that dies, a run of which nothing is heard; a day's records out
    of the stream again; and a trial message."""
    daybook.publisher.files["nyt"] += b"\n2020-03-04,many,0"
    assert daybook.run().state == FAILED
    del daybook.publisher.files["jhu"]
    assert daybook.run().state == FAILED
    daybook.publish({"2020-03-01": 12})
    assert daybook.run().state == FAILED  # two acknowledged dates are missing
    daybook.publish({"2020-03-01": 12, "2020-03-02": 20, "2020-03-03": 30})
    with daybook.on_call("PutRecords", lambda: slip_in(daybook)):
        assert daybook.run().state == COMPLETED
    stream = from_stream(daybook.cloud.client("kinesis"), daybook.cloud.stack.exports["stream"], None, None)
    feed(stream, lambda body: consumed(daybook, body), lambda _: None)  # the consumer reads the log
    daybook.publish({"2020-03-01": 13, "2020-03-02": 20, "2020-03-03": 30})
    never_entered = daybook.run(settle=False)
    with daybook.on_call("PutObject", lambda: "AccessDenied"):  # into the archive, before any table
        daybook.cloud.settle(until=daybook.moment - dt.timedelta(minutes=1))
    assert daybook.stored(never_entered.request).state == INCOMPLETE
    archived_after_all(daybook)
    looked_at(daybook)  # while a run owes a date
    with daybook.on_call("PutRecords", dying(daybook)):
        assert daybook.run().state == COMPLETED
    daybook.publish({"2020-03-01": 14, "2020-03-02": 20, "2020-03-03": 30})
    forgotten = daybook.run(settle=False)
    daybook.run()
    late = daybook.stored(forgotten.request)
    assert (late.state, late.reason_count) == (COMPLETED, 1)
    daybook.cloud.runtime.invoke(daybook.cloud.stack.exports["reporter"], b'{"trigger": "trial"}')


def looked_at(daybook: System) -> None:
    """The dashboard, by the name of its role: every file that it serves, and the state of the pipeline."""
    exports = daybook.cloud.stack.exports
    told = Settings.read(exports["dashboard_environment"])
    session: Any = boto3.Session("daybook-local-dashboard", "local", region_name=exports["region"])
    with pytest.MonkeyPatch.context() as environment:
        # From there, unlike from an argument, the SDK asks Timestream for its endpoints, as it does on AWS.
        environment.setenv("AWS_ENDPOINT_URL", daybook.cloud.emulator.endpoint)
        ledger = Ledger(session.client("dynamodb", config=CONFIG), told.ledger_table)
        tables = open_tables(vars(told), lambda service: session.client(service, config=CONFIG))
        page = create_app(ledger, tables, told).server.test_client()
        assert [page.get(path).status_code for path in PAGES] == [200] * len(PAGES)
        assert page.get("/status.json").get_json()["last_acknowledged"] == "2020-03-03"
        assert page.get("/status.json").get_json()["pending"]


def archived_after_all(daybook: System) -> None:
    """The refused call took effect, so that the next run finds the event in the log, and puts it again."""
    newest = base64.b64decode(records(daybook.cloud)[-1]["kinesis"]["data"])
    daybook.cloud.archive.keep_events([decode(newest)])


def consumed(daybook: System, body: bytes) -> Any:
    return json.loads(daybook.cloud.runtime.invoke(daybook.cloud.stack.exports["consumer"], body).response)


def slip_in(daybook: System) -> None:
    stream = daybook.cloud.stack.exports["stream"]
    daybook.cloud.client("kinesis").put_record(StreamName=stream, PartitionKey="US", Data=b"no event")


def dying(daybook: System) -> Any:
    """The fetcher is killed before its first put; Lambda tries again."""
    killed: list[int] = []

    def kill() -> str | None:
        if killed:
            return None
        killed.extend(daybook.cloud.runtime.processes(daybook.cloud.stack.exports["fetcher"]))
        os.kill(killed[0], signal.SIGKILL)
        return "InternalFailure"

    return kill


def test_every_call_that_a_function_makes_is_allowed(seen: Seen):
    assert {role for role, _, _ in seen.needed()} == {"fetcher", "consumer", "reporter", "dashboard"}
    assert seen.effects == {"Allow"}
    assert sorted(needed for needed in seen.needed() if not allowed(needed, seen.grants)) == []


def test_every_right_is_used_or_needed_by_a_service_for_a_reason(seen: Seen):
    unused = {grant for grant in seen.grants if not any(covers(grant, needed) for needed in seen.needed())}
    assert (
        sorted(grant for grant in unused if not any(explains(known, grant) for known in seen.service_side))
        == []
    )
    stale = [known for known in seen.service_side if not any(explains(known, grant) for grant in unused)]
    assert stale == []


def test_no_right_is_to_every_action_or_every_resource_where_aws_takes_one(seen: Seen):
    assert [action for _, action, _ in seen.grants if "*" in action] == []
    assert {action for _, action, resource in seen.grants if resource == "*"} == TAKES_NO_RESOURCE[seen.store]


def test_any_right_that_is_missing_or_is_too_much_would_be_noticed(seen: Seen):
    used = {grant for grant in seen.grants if any(covers(grant, needed) for needed in seen.needed())}
    assert len(used) > 20
    with counted("doors", 2 * len(used)):
        for grant in used:  # each of them, left out
            left = {other for other in seen.grants if other != grant}
            assert [needed for needed in seen.needed() if not allowed(needed, left)], grant
            _, action, resource = grant  # and given to one who doesn't need it
            more = ("schedule", action, resource)
            assert not any(covers(more, needed) for needed in seen.needed())
            assert not any(explains(known, more) for known in seen.service_side), more


def test_every_call_is_one_that_the_sdk_knows(seen: Seen):
    """They were made by boto3, which checks what goes out; here, that it is what its service has."""
    models = {"timestream": ("timestream-write", "timestream-query")}
    session = botocore.session.get_session()
    for service, operation in {(call.service, call.operation) for call in seen.calls}:
        known = {
            name
            for model in models.get(service, (service,))
            for name in session.get_service_model(model).operation_names
        }
        assert operation in known, (service, operation)


def resources_of(statement: dict[str, Any]) -> list[str]:
    """With the prefix that a condition limits a listing to: the only condition that a right has."""
    if "Condition" not in statement:
        return statement["Resource"]
    prefix = statement["Condition"]["StringLike"]["s3:prefix"]
    return [listing(resource, prefix) for resource in statement["Resource"]]


def covers(grant: tuple[str, str, str], needed: tuple[str, str, str]) -> bool:
    return grant[:2] == needed[:2] and fnmatchcase(needed[2], grant[2])


def allowed(needed: tuple[str, str, str], grants: set[tuple[str, str, str]]) -> bool:
    return any(covers(grant, needed) for grant in grants)


def explains(known: tuple[str, str, str], grant: tuple[str, str, str]) -> bool:
    return known[:2] == grant[:2] and known[2] in grant[2]

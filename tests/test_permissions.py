"""Each function's rights against the calls that it makes: all that it needs, and nothing else.

The calls are those of the real handlers on the local cloud, through good days and bad ones.
"""

import os
import signal
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
from system import System, system

from local.rights import Call, read_call
from schemas.run import COMPLETED, FAILED, INCOMPLETE

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("permissions")]

POLLS = "the event source mapping reads the stream with the function's role"
DELIVERS = "Lambda publishes to the on-failure destination with the function's role"
WRITES_LOG = "Lambda writes the function's log with its role"
ENCRYPTS = "SNS encrypts what goes to alerts in the name of who publishes it"
REPORTS_REFUSALS = "Timestream reports late refusals to this bucket, and asks that who writes may do so"
# What no handler calls itself, and why it is granted: role, action, what the resource holds.
SERVICE_SIDE = {
    ("consumer", "kinesis:DescribeStream", "stream"): POLLS,
    ("consumer", "kinesis:DescribeStreamSummary", "stream"): POLLS,
    ("consumer", "kinesis:GetRecords", "stream"): POLLS,
    ("consumer", "kinesis:GetShardIterator", "stream"): POLLS,
    ("consumer", "kinesis:ListShards", "stream"): POLLS,
    ("consumer", "sns:Publish", "failures"): DELIVERS,
    ("fetcher", "sns:Publish", "failures"): DELIVERS,
    ("consumer", "s3:PutObject", "rejected"): REPORTS_REFUSALS,
    ("consumer", "s3:GetBucketAcl", "rejected"): REPORTS_REFUSALS,
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
TAKES_NO_RESOURCE = {"timestream:DescribeEndpoints"}


class Seen:
    """What was called and what is granted."""

    def __init__(self, calls: set[Call], policies: dict[str, list[dict[str, Any]]]) -> None:
        self.calls = calls
        self.grants = {
            (role.removeprefix("daybook-local-"), action, resource)
            for role, statements in policies.items()
            for statement in statements
            for action, resource in product(statement["Action"], statement["Resource"])
        }
        self.effects = {found["Effect"] for statements in policies.values() for found in statements}

    def needed(self) -> set[tuple[str, str, str]]:
        return {
            (call.caller.removeprefix("daybook-local-"), action, resource)
            for call in self.calls
            for action, resource in call.rights
        }


@pytest.fixture(scope="module")
def seen() -> Iterator[Seen]:
    calls: set[Call] = set()

    def record(operation: str, environ: dict[str, Any]) -> None:
        if "Credential=daybook-" in environ.get("HTTP_AUTHORIZATION", ""):
            calls.add(read_call(operation, environ))

    with system() as daybook:
        daybook.cloud.emulator.on_call(record)
        good_days(daybook)
        bad_days(daybook)
        policies = daybook.cloud.stack.policies
    yield Seen(calls, dict(policies))


def good_days(daybook: System) -> None:
    """A first load, then a new day with a restated one, then nothing."""
    daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
    assert len(daybook.run().inserted) == 2
    daybook.publish({"2020-03-01": 11, "2020-03-02": 20, "2020-03-03": 30})
    assert len(daybook.run().updated) == 1
    assert daybook.run().pending == ()


def bad_days(daybook: System) -> None:
    """Malformed files, a source that isn't there, a record that can't be read, a batch that is never
    entered, a fetcher that dies, a run of which nothing is heard; and a trial message."""
    daybook.publisher.files["nyt"] += b"\n2020-03-04,many,0"
    assert daybook.run().state == FAILED
    del daybook.publisher.files["jhu"]
    assert daybook.run().state == FAILED
    daybook.publish({"2020-03-01": 12})
    assert daybook.run().state == FAILED  # two acknowledged dates are missing
    daybook.publish({"2020-03-01": 12, "2020-03-02": 20, "2020-03-03": 30})
    with daybook.on_call("PutRecords", lambda: slip_in(daybook)):
        assert daybook.run().state == COMPLETED
    daybook.publish({"2020-03-01": 13, "2020-03-02": 20, "2020-03-03": 30})
    with daybook.on_call("WriteRecords", lambda: "AccessDeniedException"):
        assert daybook.run().state == INCOMPLETE
    with daybook.on_call("PutRecords", dying(daybook)):
        assert daybook.run().state == COMPLETED
    daybook.publish({"2020-03-01": 14, "2020-03-02": 20, "2020-03-03": 30})
    forgotten = daybook.run(settle=False)
    daybook.run()
    assert daybook.stored(forgotten.request).state == INCOMPLETE
    daybook.cloud.runtime.invoke(daybook.cloud.stack.exports["reporter"], b'{"trigger": "trial"}')


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
    assert {role for role, _, _ in seen.needed()} == {"fetcher", "consumer", "reporter"}
    assert seen.effects == {"Allow"}
    assert sorted(needed for needed in seen.needed() if not allowed(needed, seen.grants)) == []


def test_every_right_is_used_or_needed_by_a_service_for_a_reason(seen: Seen):
    unused = {grant for grant in seen.grants if not any(covers(grant, needed) for needed in seen.needed())}
    assert (
        sorted(grant for grant in unused if not any(explains(known, grant) for known in SERVICE_SIDE)) == []
    )
    stale = [known for known in SERVICE_SIDE if not any(explains(known, grant) for grant in unused)]
    assert stale == []


def test_no_right_is_to_every_action_or_every_resource_where_aws_takes_one(seen: Seen):
    assert [action for _, action, _ in seen.grants if "*" in action] == []
    assert {action for _, action, resource in seen.grants if resource == "*"} == TAKES_NO_RESOURCE


def test_a_right_that_is_missing_would_be_noticed(seen: Seen):
    without = {grant for grant in seen.grants if grant[1] != "dynamodb:Query"}
    assert [needed for needed in seen.needed() if not allowed(needed, without)]


def covers(grant: tuple[str, str, str], needed: tuple[str, str, str]) -> bool:
    return grant[:2] == needed[:2] and fnmatchcase(needed[2], grant[2])


def allowed(needed: tuple[str, str, str], grants: set[tuple[str, str, str]]) -> bool:
    return any(covers(grant, needed) for grant in grants)


def explains(known: tuple[str, str, str], grant: tuple[str, str, str]) -> bool:
    return known[:2] == grant[:2] and known[2] in grant[2]

"""``doctor``: what stands in the way, and the command that mends each of it."""

import importlib.metadata
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

from ops.errors import CONFIGURATION, DONE, Problem
from ops.find_stack import session
from ops.held import GOES_ON
from ops.json_output import as_json
from ops.options import JSON, Options, command
from ops.stack import Stack
from ops.terminal import line
from schemas.answer import Answer, text
from schemas.figures import SOURCES
from storage.tables import DYNAMODB, TIMESTREAM

PASS, WARN, FAIL = "PASS", "WARN", "FAIL"
OLDEST_PYTHON = (3, 11)
LOCKED = Path(__file__).resolve().parents[2] / "requirements.txt"
KEPT_UNRESERVED = 100  # Lambda Developer Guide, "Configuring reserved concurrency"
OTHER_STORE = "use DynamoDB: pulumi config set daybook:store dynamodb"
RETENTION_HOURS = 24  # of a stream whose stack does not say
MAX_CLOCK_SECONDS = 60
LOOK = {"timeout": 10, "redirect": False, "retries": False, "preload_content": False}
RIGHTS = "see the rights of your role"
SANDBOX = "SMS reach numbers alone that are verified with SNS: this account is in its SMS sandbox"
SANDBOX_REMEDY = "SNS, Text messaging (SMS), Exit SMS sandbox; or verify the number there"


class ResultAnswer(Answer):
    """One thing that the doctor looked at: PASS, WARN or FAIL, and the command that mends it."""

    state = text()
    what = text()
    found = text()
    remedy = text()


ANSWER = ResultAnswer(many=True)


@dataclass(frozen=True)
class Result:
    """What a look at one thing came to."""

    state: str
    what: str
    found: str
    remedy: str = ""


@command()
@JSON
def doctor(options: Options, as_data: bool) -> int:
    """What stands in the way, with remedies. PASS, WARN or FAIL for Python, account, tables, mapping,
    stream, subscriptions and sources. Exit code 3 if something fails."""
    with ExitStack() as opened:
        results = examine(lambda: opened.enter_context(options.stack()))
    if as_data:
        as_json(ANSWER, results)
    else:
        for result in results:
            line(f"{result.state}  {result.what}: {result.found}")
            if result.state != PASS and result.remedy:
                line(f"      → {result.remedy}")
    return CONFIGURATION if any(result.state == FAIL for result in results) else DONE


def examine(find: Callable[[], Stack]) -> list[Result]:
    """What each look comes to. ``find`` gives the stack, or raises Problem: a result as well."""
    results = [*_machine()]
    try:
        stack = find()
    except Problem as problem:
        results.append(Result(FAIL, "stack", problem.failed, problem.remedy))
        return results + _looked_at("account", lambda: _new_account(session()), RIGHTS)
    results.append(Result(PASS, "stack", stack.description))
    remedy = RIGHTS if stack.aws else "end the local cloud and start it again: make run"
    for look in (_account, _ledger, _tables, _mapping, _stream, _subscriptions, _sources):
        results += _looked_at(look.__name__.strip("_"), partial(look, stack), remedy)
    return results


def _looked_at(what: str, look: Callable[[], Iterable[Result]], remedy: str) -> list[Result]:
    """What a look comes to; an error is a result as well."""
    try:
        return [*look()]
    except Exception as error:
        return [Result(FAIL, what, str(error)[:300] or type(error).__name__, remedy)]


def _verdict(good: bool, what: str, found: Any, remedy: str, otherwise: str = FAIL) -> Result:
    return Result(PASS if good else otherwise, what, str(found), "" if good else remedy)


def _repair(stack: Stack) -> str:
    """What makes a resource again as the program has it."""
    return "pulumi up --refresh" if stack.aws else "python -m local up makes it anew, from what is kept"


def _machine() -> Iterator[Result]:
    """Python and packages."""
    version = sys.version.split()[0]
    yield _verdict(sys.version_info >= OLDEST_PYTHON, "Python", version, "make setup PYTHON=python3.12")
    wrong = [f"{name} {has or 'missing'} instead of {want}" for name, want, has in _packages() if has != want]
    yield _verdict(not wrong, "packages", "; ".join(wrong) or "as locked", "make setup", WARN)


def _packages() -> Iterator[tuple[str, str, str | None]]:
    """Name, locked version, installed version; None where it is missing, markers left out of account."""
    for locked in LOCKED.read_text(encoding="utf-8").splitlines() if LOCKED.exists() else ():
        name, pinned, rest = locked.partition("==")
        if not pinned or locked.startswith((" ", "#")) or ";" in rest:
            continue
        has = None
        with suppress(importlib.metadata.PackageNotFoundError):
            has = importlib.metadata.version(name)
        yield name, rest.split()[0], has


def _account(stack: Stack) -> Iterator[Result]:
    """Who we are, and what this account may do."""
    if not stack.aws:
        yield Result(PASS, "credentials", "none are needed on this machine")
        return
    identity = stack.client("sts").get_caller_identity()
    yield _verdict(
        identity["Account"] == stack.facts["account"],
        "credentials",
        f"{identity['Arn']}, region {stack.facts['region']}",
        f"use those of account {stack.facts['account']}: AWS_PROFILE",
    )
    if stack.facts["store"] == TIMESTREAM:
        yield _timestream(stack.client)
    yield _concurrency(stack.client)


def _new_account(session: Any) -> Iterator[Result]:
    """What an account without a stack may do, which a first deployment would find out one by one."""
    if session.get_credentials() is None:
        yield Result(WARN, "credentials", "none", "aws configure, or set AWS_PROFILE")
        return
    if session.region_name is None:
        yield Result(FAIL, "region", "none is set", "export AWS_REGION=us-east-1")
        return
    client = session.client
    yield Result(PASS, "region", session.region_name)
    yield Result(PASS, "credentials", client("sts").get_caller_identity()["Arn"])
    yield _timestream(client)
    yield _concurrency(client)
    yield Result(
        WARN,
        "CloudFront",
        "accounts that AWS has not verified are refused a distribution, and nothing tells before",
        "where a deployment says so: pulumi config set daybook:front none, and ask AWS Support to verify it",
    )


def _concurrency(client: Callable[[Any], Any]) -> Result:
    """How many executions no function reserves. Of these Lambda keeps 100, or all where there are fewer."""
    unreserved = client("lambda").get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    return _verdict(
        unreserved > KEPT_UNRESERVED,
        "concurrency limit",
        f"{unreserved} executions are unreserved",
        "nothing, while daybook:reserve_concurrency is false. To reserve one, ask for more: "
        "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
        "--desired-value 1000",
        WARN,
    )


def _timestream(client: Callable[[Any], Any]) -> Result:
    """Closed to new customers since 2025-06-20: an account that never used it is refused here."""
    from botocore.exceptions import ClientError, EndpointConnectionError

    from storage.aws import code

    what = "Timestream for LiveAnalytics"
    try:
        client("timestream-write").list_databases(MaxResults=1)
    except EndpointConnectionError as error:
        remedy = f"this region may not have it; {OTHER_STORE}; or take another: AWS_REGION"
        return Result(FAIL, what, str(error)[:300], remedy)
    except ClientError as error:
        remedy = RIGHTS
        if code(error) == "AccessDeniedException" and "not authorized to perform" not in str(error):
            remedy = f"it is closed to new customers; {OTHER_STORE}"
        return Result(FAIL, what, str(error)[:300], remedy)
    return Result(PASS, what, "this account may use it")


def _ledger(stack: Stack) -> Iterator[Result]:
    """Whether a rebuild or a backfill, or what is left of one, keeps the functions from their work."""
    held = stack.ledger.head().held
    found, remedy = (held.reason, GOES_ON[held.work]) if held else ("nothing is held", "")
    yield _verdict(held is None, "ledger", found, remedy)


def _tables(stack: Stack) -> Iterator[Result]:
    names = stack.facts["daily_table"], stack.facts["revisions_table"]
    if stack.facts["store"] == DYNAMODB:
        for name in names:
            table = stack.client("dynamodb").describe_table(TableName=name)["Table"]
            found = f"{table['TableStatus']}, about {table['ItemCount']:,} items"
            yield _verdict(table["TableStatus"] == "ACTIVE", f"table {name}", found, _repair(stack))
        return
    write, database = stack.client("timestream-write"), stack.facts["database"]
    for name in names:
        table = write.describe_table(DatabaseName=database, TableName=name)["Table"]
        days = table["RetentionProperties"]["MagneticStoreRetentionPeriodInDays"]
        writes = table.get("MagneticStoreWriteProperties", {}).get("EnableMagneticStoreWrites", False)
        found = f"magnetic writes {'on' if writes else 'OFF'}, kept {days:,} days"
        yield _verdict(writes and days >= 36_500, f"table {name}", found, _repair(stack))


def _mapping(stack: Stack) -> Iterator[Result]:
    """The local cloud's mapping is its own and always on."""
    if not stack.aws:
        return
    found = stack.client("lambda").get_event_source_mapping(UUID=stack.facts["mapping"])
    good = found["State"] == "Enabled" and "ReportBatchItemFailures" in found.get("FunctionResponseTypes", [])
    remedy = f"aws lambda update-event-source-mapping --uuid {stack.facts['mapping']} --enabled"
    yield _verdict(good, "mapping", f"{found['State']}, {found.get('LastProcessingResult', '')}", remedy)


def _stream(stack: Stack) -> Iterator[Result]:
    found = stack.client("kinesis").describe_stream_summary(StreamName=stack.facts["stream"])[
        "StreamDescriptionSummary"
    ]
    hours = found["RetentionPeriodHours"]
    wanted = int(stack.facts.get("stream_retention_hours", RETENTION_HOURS))
    good = found["StreamStatus"] == "ACTIVE" and hours >= wanted
    yield _verdict(good, "stream", f"{found['StreamStatus']}, keeps {hours} hours", _repair(stack))


def in_sandbox(sns: Any) -> bool:
    """Whether SNS sends this account's SMS to numbers alone that were verified there, as a new account's."""
    return bool(sns.get_sms_sandbox_account_status()["IsInSandbox"])


def _subscriptions(stack: Stack) -> Iterator[Result]:
    for name in ("daily_report_topic", "alerts_topic"):
        people = [*stack.subscriptions(name)]
        waiting = [one["Endpoint"] for one in people if one["SubscriptionArn"] == "PendingConfirmation"]
        topic = stack.facts[name].rpartition(":")[2]
        if waiting:
            remedy = "open the message from AWS and confirm; removed and added again, it is sent anew"
            yield Result(WARN, topic, f"not confirmed: {', '.join(waiting)}", remedy)
        else:
            remedy = "pulumi config set --path 'daybook:emails[0]' you@example.com && pulumi up"
            remedy = remedy if stack.aws else "nothing: no mail leaves this machine"
            yield _verdict(bool(people), topic, f"{len(people)} subscribed", remedy, WARN)
        if any(one["Protocol"] == "sms" for one in people) and in_sandbox(stack.client("sns")):
            yield Result(WARN, topic, SANDBOX, SANDBOX_REMEDY)


def _sources(stack: Stack) -> Iterator[Result]:
    """Whether both answer, and whether this machine's clock agrees with theirs. A kept state has none."""
    import urllib3

    from functions.outward import pool
    from functions.sources import shown

    for source in () if stack.kept else SOURCES:
        url = stack.facts[f"{source}_url"]
        try:
            answer = pool(url).request("GET", url, **LOOK)
            answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            remedy = "try again later, as the next run does; a proxy is HTTPS_PROXY"
            yield Result(FAIL, f"source {source}", str(error)[:300], remedy)
            continue
        remedy = f"look at {shown(url)}"
        yield _verdict(answer.status == 200, f"source {source}", f"answers {answer.status}", remedy)
        if stack.clock is not None and (date := answer.headers.get("Date")):
            off = abs((parsedate_to_datetime(date).astimezone(UTC) - stack.clock()).total_seconds())
            yield _verdict(off < MAX_CLOCK_SECONDS, "clock", f"{off:.0f} s off", "set this machine's clock")

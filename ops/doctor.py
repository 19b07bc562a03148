"""``doctor``: what stands in the way, and the command that mends each of it."""

import importlib.metadata
import socket
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.exceptions import ClientError, EndpointConnectionError

from functions.outward import pool
from functions.sources import shown
from ops.errors import CONFIGURATION, DONE, Problem
from ops.output import as_json, line
from ops.reading import REBUILD_AGAIN
from ops.target import Target, session
from schemas.figures import SOURCES
from storage.aws import code
from storage.tables import DYNAMODB, TIMESTREAM

PASS, WARN, FAIL = "PASS", "WARN", "FAIL"
OLDEST_PYTHON = (3, 11)
LOCKED = Path(__file__).resolve().parent.parent / "requirements.txt"
KEPT_UNRESERVED = 100  # Lambda Developer Guide, "Configuring reserved concurrency"
OTHER_STORE = "use DynamoDB: pulumi config set daybook:store dynamodb"
RETENTION_HOURS = 24  # of a stream whose stack does not say
MAX_CLOCK_SECONDS = 60
LOOK = {"timeout": 10, "redirect": False, "retries": False, "preload_content": False}
DASHBOARD_PORT = 8050
SANDBOX = "SMS reach numbers alone that are verified with SNS: this account is in its SMS sandbox"
SANDBOX_REMEDY = "SNS, Text messaging (SMS), Exit SMS sandbox; or verify the number there"


@dataclass(frozen=True)
class Result:
    state: str
    what: str
    found: str
    remedy: str = ""


def doctor(find: Callable[[], Target], as_data: bool) -> int:
    """Exit code 3 where something fails. ``find`` gives the target, or raises Problem: a result as well."""
    results = [*_machine()]
    try:
        target = find()
    except Problem as problem:
        results.append(Result(FAIL, "stack", problem.failed, problem.remedy))
        results += _looked_at("account", lambda: _new_account(session()))
    else:
        results.append(Result(PASS, "stack", target.description))
        for look in (_account, _ledger, _tables, _mapping, _stream, _subscriptions, _sources):
            results += _looked_at(look.__name__.strip("_"), partial(look, target))
    if as_data:
        as_json([vars(one) for one in results])
    else:
        for one in results:
            line(f"{one.state}  {one.what}: {one.found}")
            if one.state != PASS and one.remedy:
                line(f"      → {one.remedy}")
    return CONFIGURATION if any(one.state == FAIL for one in results) else DONE


def _looked_at(what: str, look: Callable[[], Iterable[Result]]) -> list[Result]:
    """What a look comes to; an error is a result as well."""
    try:
        return [*look()]
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"[:300]
        return [Result(FAIL, what, problem, "see the rights of your role")]


def _verdict(good: bool, what: str, found: Any, remedy: str, otherwise: str = FAIL) -> Result:
    return Result(PASS if good else otherwise, what, str(found), "" if good else remedy)


def _machine() -> Iterator[Result]:
    """Python, packages, the dashboard's port."""
    version = sys.version.split()[0]
    yield _verdict(sys.version_info >= OLDEST_PYTHON, "Python", version, "make setup PYTHON=python3.12")
    wrong = [f"{name} {has or 'missing'} instead of {want}" for name, want, has in _packages() if has != want]
    yield _verdict(not wrong, "packages", "; ".join(wrong) or "as locked", "make setup", WARN)
    with socket.socket() as probe:
        taken = probe.connect_ex(("127.0.0.1", DASHBOARD_PORT)) == 0
    found = f"{DASHBOARD_PORT} is {'taken' if taken else 'free'}"
    yield _verdict(
        not taken, "port", found, "it may be the dashboard itself; otherwise end what uses it", WARN
    )


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


def _account(target: Target) -> Iterator[Result]:
    """Who we are, and what this account may do."""
    if not target.aws:
        yield Result(PASS, "credentials", "none are needed on this machine")
        return
    identity = target.client("sts").get_caller_identity()
    yield _verdict(
        identity["Account"] == target.facts["account"],
        "credentials",
        f"{identity['Arn']}, region {target.facts['region']}",
        f"use those of account {target.facts['account']}: AWS_PROFILE",
    )
    if target.facts["store"] == TIMESTREAM:
        yield _timestream(target.client)
    yield _concurrency(target.client)


def _new_account(session: boto3.Session) -> Iterator[Result]:
    """What an account without a stack may do, which a first deployment would find out one by one."""
    if session.get_credentials() is None:
        yield Result(WARN, "credentials", "none", "aws configure, or set AWS_PROFILE")
        return
    if session.region_name is None:
        yield Result(FAIL, "region", "none is set", "export AWS_REGION=us-east-1")
        return
    client: Any = session.client
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
    what = "Timestream for LiveAnalytics"
    try:
        client("timestream-write").list_databases(MaxResults=1)
    except EndpointConnectionError as error:
        remedy = f"this region may not have it; {OTHER_STORE}; or take another: AWS_REGION"
        return Result(FAIL, what, str(error)[:300], remedy)
    except ClientError as error:
        remedy = "see the rights of your role"
        if code(error) == "AccessDeniedException" and "not authorized to perform" not in str(error):
            remedy = f"it is closed to new customers; {OTHER_STORE}"
        return Result(FAIL, what, str(error)[:300], remedy)
    return Result(PASS, what, "this account may use it")


def _ledger(target: Target) -> Iterator[Result]:
    """Whether a rebuild, or what is left of one, keeps fetcher and consumer from their work."""
    held = target.ledger.head().held
    yield _verdict(held is None, "ledger", held.reason if held else "nothing is held", REBUILD_AGAIN)


def _tables(target: Target) -> Iterator[Result]:
    names = target.facts["daily_table"], target.facts["revisions_table"]
    if target.facts["store"] == DYNAMODB:
        for name in names:
            table = target.client("dynamodb").describe_table(TableName=name)["Table"]
            found = f"{table['TableStatus']}, about {table['ItemCount']:,} items"
            yield _verdict(table["TableStatus"] == "ACTIVE", f"table {name}", found, "pulumi up --refresh")
        return
    write, database = target.client("timestream-write"), target.facts["database"]
    for name in names:
        table = write.describe_table(DatabaseName=database, TableName=name)["Table"]
        days = table["RetentionProperties"]["MagneticStoreRetentionPeriodInDays"]
        writes = table.get("MagneticStoreWriteProperties", {}).get("EnableMagneticStoreWrites", False)
        found = f"magnetic writes {'on' if writes else 'OFF'}, kept {days:,} days"
        yield _verdict(writes and days >= 36_500, f"table {name}", found, "pulumi up --refresh")


def _mapping(target: Target) -> Iterator[Result]:
    """The local cloud's mapping is its own and always on."""
    if not target.aws:
        return
    found = target.client("lambda").get_event_source_mapping(UUID=target.facts["mapping"])
    good = found["State"] == "Enabled" and "ReportBatchItemFailures" in found.get("FunctionResponseTypes", [])
    remedy = f"aws lambda update-event-source-mapping --uuid {target.facts['mapping']} --enabled"
    yield _verdict(good, "mapping", f"{found['State']}, {found.get('LastProcessingResult', '')}", remedy)


def _stream(target: Target) -> Iterator[Result]:
    found = target.client("kinesis").describe_stream_summary(StreamName=target.facts["stream"])[
        "StreamDescriptionSummary"
    ]
    hours = found["RetentionPeriodHours"]
    wanted = int(target.facts.get("stream_retention_hours", RETENTION_HOURS))
    good = found["StreamStatus"] == "ACTIVE" and hours >= wanted
    yield _verdict(good, "stream", f"{found['StreamStatus']}, keeps {hours} hours", "pulumi up --refresh")


def in_sandbox(sns: Any) -> bool:
    """Whether SNS sends this account's SMS to numbers alone that were verified there, as a new account's."""
    return bool(sns.get_sms_sandbox_account_status()["IsInSandbox"])


def _subscriptions(target: Target) -> Iterator[Result]:
    sns = target.client("sns")
    for name in ("daily_report_topic", "alerts_topic"):
        arn = target.facts[name]
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
        people = [found for page in pages for found in page["Subscriptions"]]
        waiting = [one["Endpoint"] for one in people if one["SubscriptionArn"] == "PendingConfirmation"]
        topic = arn.rpartition(":")[2]
        if waiting:
            remedy = "open the message from AWS and confirm; removed and added again, it is sent anew"
            yield Result(WARN, topic, f"not confirmed: {', '.join(waiting)}", remedy)
        else:
            remedy = "pulumi config set --path 'emails[0]' you@example.com && pulumi up"
            yield _verdict(bool(people), topic, f"{len(people)} subscribed", remedy, WARN)
        if any(one["Protocol"] == "sms" for one in people) and in_sandbox(sns):
            yield Result(WARN, topic, SANDBOX, SANDBOX_REMEDY)


def _sources(target: Target) -> Iterator[Result]:
    """Whether both answer, and whether this machine's clock agrees with theirs. A kept state has none."""
    if target.cloud is not None:
        return
    for source in SOURCES:
        url = target.facts[f"{source}_url"]
        try:
            answer = pool(url).request("GET", url, **LOOK)
            answer.close()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            yield Result(
                FAIL, f"source {source}", str(error)[:300], "try again later; the next run does so too"
            )
            continue
        remedy = f"look at {shown(url)}"
        yield _verdict(answer.status == 200, f"source {source}", f"answers {answer.status}", remedy)
        if target.clock is not None and (date := answer.headers.get("Date")):
            off = abs((parsedate_to_datetime(date).astimezone(UTC) - target.clock()).total_seconds())
            yield _verdict(off < MAX_CLOCK_SECONDS, "clock", f"{off:.0f} s off", "set this machine's clock")

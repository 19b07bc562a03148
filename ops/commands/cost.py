"""``cost``: what a month of this stack costs, by a dated list of prices and what the stack is made of."""

import json
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import click
from marshmallow import fields

from functions import metrics
from ops.json_output import as_json
from ops.options import JSON, Options, command
from ops.stack import Stack
from ops.terminal import line, table
from schemas.answer import Answer, field, hashes, listed, text, whole

PRICES = Path(__file__).with_name("prices.json")
DAYS = 30.4  # of a month
RECORD_HOURS = 24  # what a shard's price includes

# A usual day, as counted and measured (benchmarks: loading; docs/reliability.md): one new day, five restated.
ENTRIES = 6
WRITE_UNITS = 60  # a transaction's writes count twice
READ_UNITS = 80  # 344 days of the ledger, read consistently, and the run's own
OBJECTS = 3  # put into the archive
FETCHER_GB_SECONDS = 1.0 * 8
CONSUMER_GB_SECONDS = 0.5 * 3
LOG_GIGABYTES = 0.0001
STORED_GIGABYTES = 0.5
# With the tables in DynamoDB: the current row, the entry, each at most 1 KB; a view reads what a page shows.
STORE_WRITE_UNITS = 2 * ENTRIES
STORE_READ_UNITS = 60
QUERIES_A_VIEW = 2  # the table and the entries, where nothing of them is in the dashboard's memory


class ItemAnswer(Answer):
    """One cost of a month."""

    what = text()
    how = text()
    usd = field(fields.Float)


class CostAnswer(Answer):
    """A month's cost, and the page of each price."""

    month_usd = field(fields.Float)
    items = listed(fields.Nested(ItemAnswer))
    prices = hashes()
    views_a_day = whole()


ANSWER = CostAnswer()


@dataclass(frozen=True)
class Item:
    """One cost of a month: what it is for, how it is computed, and the sum."""

    what: str
    how: str
    usd: float


@command()
@JSON
@click.option(
    "--views-a-day",
    type=click.IntRange(0),
    default=4,
    show_default=True,
    help="Views of the dashboard that find nothing in its memory.",
)
def cost(options: Options, as_data: bool, views_a_day: int) -> None:
    """What a month of this stack costs on AWS. By a dated list of prices."""
    with options.stack() as stack:
        month = items(_facts(stack), views_a_day)
    total = sum(item.usd for item in month)
    prices = _list()["prices"]
    if as_data:
        rounded = [replace(item, usd=round(item.usd, 4)) for item in month]
        pages = {name: price["page"] for name, price in prices.items()}
        answer = {"items": rounded, "prices": pages, "views_a_day": views_a_day}
        as_json(ANSWER, answer | {"month_usd": round(total, 2)})
        return
    rows = [[item.what, f"{item.usd:,.2f}", item.how] for item in month]
    table(
        ["a month", "USD", "for"], [*rows, ["in all", f"{total:,.2f}", f"{views_a_day} uncached views a day"]]
    )
    dates = [price["looked_up"] for price in prices.values()]
    line(
        f"List prices of {_list()['region']} without taxes, each with its page in --json; "
        f"{dates.count(None)} of {len(dates)} are from memory, the others of {max(filter(None, dates))}.",
        err=True,
    )


def _facts(stack: Stack) -> dict[str, Any]:
    """What the stack is made of, as it says itself."""
    reply = stack.client("kinesis").describe_stream_summary(StreamName=stack.facts["stream"])
    stream = reply["StreamDescriptionSummary"]
    return {
        "shards": stream["OpenShardCount"],
        "retention_hours": stream["RetentionPeriodHours"],
        "store": stack.facts.get("store", "timestream"),
        "people": _people(stack),
        "instance": stack.facts.get("dashboard_instance"),
        "alarms": int(stack.facts.get("alarms", 0)),
        "dashboard_url": stack.facts.get("dashboard_url", ""),
    }


def _people(stack: Stack) -> dict[str, int]:
    protocols = [subscription["Protocol"] for subscription in stack.subscriptions("daily_report_topic")]
    return {protocol: protocols.count(protocol) for protocol in ("email", "sms")}


def items(facts: dict[str, Any], views: int) -> list[Item]:
    """Each cost of a month, the fixed ones first."""
    prices = {name: price["usd"] for name, price in _list()["prices"].items()}
    hours = _list()["hours"]
    shards, retention = facts["shards"], facts["retention_hours"]
    found = [
        Item("Kinesis shards", f"{shards} × {hours} hours", shards * hours * prices["kinesis_shard_hour"])
    ]
    if retention > RECORD_HOURS:
        extended = shards * hours * prices["kinesis_extended_shard_hour"]
        found.append(Item("Kinesis retention", f"{retention} hours instead of {RECORD_HOURS}", extended))
    if facts["instance"]:
        name = f"{facts['instance'].replace('.', '_')}_month"
        machine = prices[name] + prices["public_ipv4_month"] + prices["gp3_disk_month"]
        found.append(Item("Dashboard", f"{facts['instance']}, its address, its disk", machine))
    if facts["dashboard_url"].startswith("https:"):
        free = _free("cloudfront_requests")
        found.append(Item("CloudFront", f"{free:,} requests and 1 TB are free in every account", 0.0))
    if facts["alarms"]:
        found += [_cloudwatch(facts["alarms"], prices), Item("Key", "of the alerts", prices["kms_key_month"])]
    found += [_tables(facts["store"], prices, views), _ledger(prices), _functions(prices)]
    kept = STORED_GIGABYTES * prices["s3_gigabyte_month"] + OBJECTS * DAYS / 1000 * prices["s3_thousand_puts"]
    found.append(
        Item(
            "Archive and logs", f"{STORED_GIGABYTES} GB kept", kept + LOG_GIGABYTES * prices["logs_gigabyte"]
        )
    )
    people = facts["people"]
    told = (
        people["email"] * DAYS / 1e5 * prices["sns_hundred_thousand_emails"]
        + people["sms"] * DAYS * prices["sns_sms_us"]
    )
    found.append(Item("Reports", f"{people['email']} by e-mail, {people['sms']} by SMS, daily", told))
    return found


def _cloudwatch(alarms: int, prices: dict[str, float]) -> Item:
    """The stack's metrics, alarms and dashboard, beyond those that every account has free."""
    counts = {"metrics": len(metrics.NAMES), "alarms": alarms, "dashboards": 1}
    usd = sum(
        max(0, count - _free(kind)) * prices[f"{kind.removesuffix('s')}_month"]
        for kind, count in counts.items()
    )
    free = ", ".join(str(_free(kind)) for kind in counts)
    how = ", ".join(f"{count} {kind if count != 1 else kind[:-1]}" for kind, count in counts.items())
    return Item("CloudWatch", f"{how}; of these every account has {free} free", usd)


def _free(kind: str) -> int:
    return _list()["free_in_every_account"][kind]["count"]


def _tables(store: str, prices: dict[str, float], views: int) -> Item:
    if store == "dynamodb":
        writes = STORE_WRITE_UNITS * DAYS / 1e6 * prices["dynamodb_million_writes"]
        reads = STORE_READ_UNITS * views * DAYS / 1e6 * prices["dynamodb_million_reads"]
        return Item("Tables, DynamoDB", f"{views} views a day", writes + reads)
    queries = QUERIES_A_VIEW * views * DAYS
    writes = 2 * ENTRIES * DAYS / 1e6 * prices["timestream_million_writes"]
    how = f"{queries:,.0f} queries of at least 4 TCU × 30 s"
    return Item("Tables, Timestream", how, writes + queries * prices["timestream_query"])


def _ledger(prices: dict[str, float]) -> Item:
    writes = WRITE_UNITS * DAYS / 1e6 * prices["dynamodb_million_writes"]
    reads = READ_UNITS * DAYS / 1e6 * prices["dynamodb_million_reads"]
    return Item("Ledger", f"{ENTRIES} days a day", writes + reads)


def _functions(prices: dict[str, float]) -> Item:
    seconds = (FETCHER_GB_SECONDS + CONSUMER_GB_SECONDS) * DAYS
    used = seconds * prices["lambda_gigabyte_second_arm"] + 2 * DAYS / 1e6 * prices["lambda_million_requests"]
    return Item("Functions", f"{seconds:,.0f} GB-seconds", used)


@cache
def _list() -> dict[str, Any]:
    return json.loads(PRICES.read_text(encoding="utf-8"))

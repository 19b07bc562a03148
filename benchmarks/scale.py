"""``python -m benchmarks.scale``: what a day of many regions takes, and what a month of them costs: the table
of docs/scale.md, computed from the quotas' prediction, the ledger's shapes and the dated prices."""

import json
import math
from pathlib import Path

import click

from benchmarks.quotas import (
    CALL_SECONDS,
    CALLS_A_CHUNK,
    EVENTS_A_REGION,
    OWN_SECONDS,
    entering,
    predicted,
)
from ops.cost import DAYS, PRICES

REGIONS = (1, 50, 3_000, 200_000)
HOUR = 3_600  # by when a day's figures are to be entered
HISTORY = 816  # days in the ledger, each read by the fetcher's comparison
DAYS_A_READ_UNIT = 12  # of some 330 bytes, 4 KB read consistently cost one unit
MEMORY_GB = 0.5
KILOBYTES_A_ROW = 0.35
FILE_ROWS_A_REGION = HISTORY * 2  # both sources
DOC = Path(__file__).resolve().parent.parent / "docs" / "scale.md"
BEGIN, END = "<!-- python -m benchmarks.scale -->", "<!-- end -->"


def shards(regions: int) -> int:
    """As many as bring a day's events in within the hour."""
    return max(1, math.ceil(entering(regions, 1) / HOUR))


def costs(regions: int) -> dict[str, float]:
    """USD a month, list prices, without the dashboard's machine and its queries."""
    listed = json.loads(PRICES.read_text())
    prices, hours = listed["prices"], listed["hours"]
    count, events = shards(regions), regions * EVENTS_A_REGION * DAYS
    chunks = regions * DAYS
    seconds = chunks * CALLS_A_CHUNK * CALL_SECONDS + events * OWN_SECONDS
    writes = 2 * (events + chunks)  # each in a transaction; the head beside the days
    reads = regions * DAYS * HISTORY / DAYS_A_READ_UNIT + chunks * (EVENTS_A_REGION + 2) * 2
    return {
        "Kinesis": count * hours * (prices["kinesis_shard_hour"] + prices["kinesis_extended_shard_hour"]),
        "Lambda": seconds * MEMORY_GB * prices["lambda_gigabyte_second_arm"],
        "DynamoDB": (writes * prices["dynamodb_million_writes"] + reads * prices["dynamodb_million_reads"])
        / 1e6,
        "S3": chunks / 1e3 * prices["s3_thousand_puts"],
        "Timestream": 2 * events / 1e6 * prices["timestream_million_writes"],
    }


def table() -> str:
    """The table's lines."""
    head = ["regions", *(f"{regions:,}" for regions in REGIONS)]
    each = {regions: costs(regions) for regions in REGIONS}
    rows = [
        ["events a day", *(f"{regions * EVENTS_A_REGION:,}" for regions in REGIONS)],
        ["rows of both files", *(f"{regions * FILE_ROWS_A_REGION:,}" for regions in REGIONS)],
        ["AWS calls a day, consumer", *(f"{regions * CALLS_A_CHUNK:,}" for regions in REGIONS)],
        ["shards", *(str(shards(regions)) for regions in REGIONS)],
        ["entered after", *(_duration(predicted(regions, shards(regions))) for regions in REGIONS)],
        *(
            [f"{name}, USD a month", *(f"{each[regions][name]:,.2f}" for regions in REGIONS)]
            for name in each[REGIONS[0]]
        ),
        ["in all, USD a month", *(f"{sum(each[regions].values()):,.2f}" for regions in REGIONS)],
    ]
    lines = [head, ["---", *(["---:"] * len(REGIONS))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 2 * 60 else f"{seconds / 60:.0f} min"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--write", is_flag=True, help="Put it into docs/scale.md.")
def main(write: bool) -> None:
    """The table of docs/scale.md."""
    if write:
        before, _, rest = DOC.read_text().partition(BEGIN)
        DOC.write_text(f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}")
    else:
        click.echo(table())


if __name__ == "__main__":
    main()

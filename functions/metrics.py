"""What CloudWatch counts, written into the log in its embedded metric format: no call, and no right needed.

The names are those that the alarms in infra/watch.py ask for. Why not by Powertools: docs/adr/0010.
"""

import datetime as dt

from functions import log
from schemas.ledger import COMPLETED, FAILED, INCOMPLETE, Head, Run, lag
from storage.change import Change

NAMESPACE = "Daybook"
STACK = "stack"  # the dimension

RUNS_COMPLETED = "RunsCompleted"
RUNS_FAILED = "RunsFailed"  # failed or incomplete
DAYS_PENDING = "DaysPending"  # when a run was decided, and when it was completed
DAYS_INSERTED = "DaysInserted"
DAYS_UPDATED = "DaysUpdated"
LAG_DAYS = "LagDays"  # newest published − last acknowledged
RUN_SECONDS = "RunSeconds"  # from the moment for which the run was asked to its completion
RECORDS_SET_ASIDE = "RecordsSetAside"
RECORDS_GIVEN_UP = "RecordsGivenUp"
NAMES = (
    *(RUNS_COMPLETED, RUNS_FAILED, DAYS_PENDING, DAYS_INSERTED, DAYS_UPDATED, LAG_DAYS, RUN_SECONDS),
    *(RECORDS_SET_ASIDE, RECORDS_GIVEN_UP),
)


def count(stack: str, now: dt.datetime, **values: float) -> None:
    """Write these metrics of a stack, each by its name, as of that moment.

    CloudWatch documentation, "Embedded metric format specification".
    """
    units = [{"Name": name, "Unit": "Seconds" if name == RUN_SECONDS else "Count"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[STACK]], "Metrics": units}
    about = {"Timestamp": round(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    log.write({"_aws": about, STACK: stack, **values})


def ended(change: Change, stack: str) -> None:
    """A line for each run that the change ends, and its metrics."""
    for before, after in change.runs:
        if before is not None and before.state == after.state:
            continue
        if after.state == COMPLETED:
            log.line("completed", log.INFO, run=after.name, **counts(after))
            count(
                stack,
                change.at,
                **{
                    RUNS_COMPLETED: 1,
                    DAYS_INSERTED: len(after.inserted),
                    DAYS_UPDATED: len(after.updated),
                    RUN_SECONDS: (change.at - after.asked_at).total_seconds(),
                },
            )
        elif after.state in (FAILED, INCOMPLETE):
            first = after.reasons[0] if after.reasons else ""
            log.line(after.state, log.ERROR, run=after.name, reasons=after.reason_count, first=first)
            count(stack, change.at, **{RUNS_FAILED: 1})


def gauge(head: Head, pending: int | None, now: dt.datetime, stack: str) -> None:
    """How many days are pending, None where that is not known here, and how far the record lags behind what
    is published."""
    values = {DAYS_PENDING: pending, LAG_DAYS: lag(head)}
    count(stack, now, **{name: value for name, value in values.items() if value is not None})


def counts(run: Run) -> dict[str, int]:
    return {
        "pending": len(run.pending),
        "inserted": len(run.inserted),
        "updated": len(run.updated),
        "duplicate": len(run.duplicate),
        "superseded": len(run.superseded),
        "failed": len(run.failed),
    }

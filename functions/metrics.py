"""What CloudWatch counts, written into the log in its embedded metric format: no call, and no right needed.

The names are those that the alarms in infra/watch.py ask for. Why not by Powertools: docs/adr/0010.
"""

import datetime as dt

from functions import log

NAMESPACE = "Daybook"
STACK = "stack"  # the dimension

RUNS_COMPLETED = "RunsCompleted"
RUNS_FAILED = "RunsFailed"
DAYS_PENDING = "DaysPending"  # when a run was decided, and when it was completed
DAYS_INSERTED = "DaysInserted"
DAYS_UPDATED = "DaysUpdated"
LAG_DAYS = "LagDays"  # newest published − last acknowledged
RUN_SECONDS = "RunSeconds"  # from the run's time to its completion
RECORDS_SET_ASIDE = "RecordsSetAside"
RECORDS_GIVEN_UP = "RecordsGivenUp"


def count(stack: str, now: dt.datetime, **values: float) -> None:
    """Write these metrics of a stack, each by its name, as of that moment.

    CloudWatch documentation, "Embedded metric format specification".
    """
    units = [{"Name": name, "Unit": "Seconds" if name == RUN_SECONDS else "Count"} for name in values]
    directive = {"Namespace": NAMESPACE, "Dimensions": [[STACK]], "Metrics": units}
    about = {"Timestamp": round(now.timestamp() * 1000), "CloudWatchMetrics": [directive]}
    log.write({"_aws": about, STACK: stack, **values})

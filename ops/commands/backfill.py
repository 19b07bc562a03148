"""``backfill``: the sources' public history, entered day by day before a stack's first run."""

import datetime as dt
from collections.abc import Sequence

import click

from ops.backfilling import begin, go_through, made
from ops.errors import DONE
from ops.json_output import as_json
from ops.options import JSON, Options, command
from ops.terminal import facts, say
from schemas.answer import Answer, text, whole
from schemas.ledger import COMPLETED, FAILED, Head, Run


class BackfillAnswer(Answer):
    """What the runs of a backfill came to, those of earlier calls too."""

    dates = whole()
    entered = whole()
    refused = whole()
    inserted = whole()
    updated = whole()
    last_acknowledged = text(nullable=True)


ANSWER = BackfillAnswer()


@command()
@JSON
@click.option(
    "--end", "ending", is_flag=True, help="End it where it stands; the dates that are left are never entered."
)
def backfill(options: Options, as_data: bool, ending: bool) -> int:
    """Enter the sources' public history.

    Their files as they stood at noon (UTC) of each day of a list go into a stack that has made no run
    yet. No other run is made meanwhile; one report tells of all. Interrupted, it is gone on with by the same
    command. Exit code 3 where the stack has made a run, 4 where a file of the history can't be fetched."""
    from functions import history

    dates = history.dates()
    with options.stack() as stack:
        if ending and not stack.ledger.head().is_backfilling:
            say("No backfill is under way: nothing was changed.")
        elif begin(stack, dates):
            go_through(stack, [] if ending else dates)
        else:
            say("The public history was entered before: nothing was changed.")
        runs, head = made(stack, dates), stack.ledger.head()
    if as_data:
        as_json(ANSWER, _summary(dates, runs, head))
    elif runs:
        facts(
            {
                "Days of the history": f"{len(runs):,} of {len(dates):,}",
                "Refused": f"{sum(run.state == FAILED for run in runs):,}",
                "Rows inserted": f"{sum(len(run.inserted) for run in runs):,}",
                "Rows updated": f"{sum(len(run.updated) for run in runs):,}",
                "Last acknowledged date": head.last_acknowledged,
            }
        )
    return DONE


def _summary(dates: Sequence[dt.date], runs: Sequence[Run], head: Head) -> dict[str, object]:
    return {
        "dates": len(dates),
        "entered": sum(run.state == COMPLETED for run in runs),
        "refused": sum(run.state == FAILED for run in runs),
        "inserted": sum(len(run.inserted) for run in runs),
        "updated": sum(len(run.updated) for run in runs),
        "last_acknowledged": head.last_acknowledged,
    }

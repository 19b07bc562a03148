"""``days``: the days of the record, as the ledger has acknowledged them."""

import json

import click

from ops.errors import DONE, PENDING
from ops.json_output import as_json
from ops.options import JSON, Options, command
from ops.terminal import lines, table
from schemas.answer import Answer, counts, moment, text, whole
from schemas.figures import FIGURES
from schemas.ledger import pending as pending_dates


class DayAnswer(Answer.from_dict(counts("counts."))):  # type: ignore[misc] a base that is computed
    """A day as the ledger has acknowledged it, and how many entries it has."""

    date = text()
    entries = whole()
    version = whole()
    run = text()
    acknowledged_at = moment()


ANSWER = DayAnswer(many=True)


@command()
@JSON
@click.option("--pending", is_flag=True, help="Only the dates that are pending. Exit code 5 if any is.")
@click.option("--revised", is_flag=True, help="Only the days that were entered more than once.")
def days(options: Options, as_data: bool, pending: bool, revised: bool) -> int:
    """The days of the record, as acknowledged."""
    if pending and revised:
        raise click.UsageError("give one of --pending and --revised")
    with options.stack(reading=True) as stack:
        if pending:
            owing = stack.ledger.owing()
            dates = list(map(str, pending_dates(owing.others, owing.days)))
            lines(json.dumps(dates) + "\n" if as_data else "".join(f"{date}\n" for date in dates), nl=False)
            return PENDING if dates else DONE
        chosen = [day for day in stack.ledger.days().values() if day.entries > 1 or not revised]
    if as_data:
        as_json(ANSWER, chosen)
        return DONE
    table(
        ["date", *(figure.name for figure in FIGURES), "entries", "acknowledged"],
        (
            [str(day.date), *day.counts.values.values(), day.entries, f"{day.acknowledged_at:%Y-%m-%d %H:%M}"]
            for day in chosen
        ),
    )
    return DONE

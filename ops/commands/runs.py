"""``runs``: the last runs, newest first."""

import click

from ops.json_output import RunAnswer, as_json
from ops.options import JSON, Options, command
from ops.terminal import table
from schemas.ledger import SETS

ANSWER = RunAnswer(many=True)


@command()
@JSON
@click.option("--limit", type=click.IntRange(1), default=30, show_default=True, help="How many.")
def runs(options: Options, as_data: bool, limit: int) -> None:
    """The last runs, and what came of them."""
    with options.stack(reading=True) as stack:
        last = stack.ledger.runs(limit)
    if as_data:
        as_json(ANSWER, last)
        return
    sets = [name for name in SETS if name != "refused" or any(run.refused for run in last)]
    table(
        ["time", "trigger", "state", "pending", *sets, "first reason"],
        (
            [
                f"{run.time:%Y-%m-%d %H:%M}",
                run.trigger,
                run.state,
                len(run.pending),
                *(len(getattr(run, name)) for name in sets),
                run.reasons[0] if run.reasons else "",
            ]
            for run in last
        ),
    )

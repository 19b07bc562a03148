"""``accept``: accept figures that the plausibility check rejected."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from marshmallow import fields

from ops.errors import DONE, SOURCES, USAGE, Problem
from ops.json_output import as_json
from ops.options import DATE, JSON, Options, command
from ops.stack import Stack
from ops.terminal import facts
from schemas.answer import Answer, listed, text
from schemas.ledger import FAILED, GONE, Acceptance, Head, Reason, Run
from schemas.moment import written

if TYPE_CHECKING:
    from functions.transform import Published

Chosen = set[tuple[dt.date, str]]  # dates, each with the digest of its values or GONE
MAX_LISTED = 20


class AcceptanceAnswer(Answer):
    """One figure, or one withdrawal, that an operator answers for."""

    entry = text()
    reason = text()
    run = text()
    figures = listed()
    accepted_at = text()


class AcceptAnswer(Answer):
    """What was accepted, and the dates that are still rejected."""

    accepted = listed(fields.Nested(AcceptanceAnswer))
    still_rejected = listed()


ANSWER = AcceptAnswer()


@command()
@JSON
@click.argument("date", type=DATE)
@click.option("--reason", required=True, help="Why it is to be believed; kept in the ledger.")
def accept(options: Options, as_data: bool, date: dt.date, reason: str) -> int:
    """Accept rejected figures of DATE. The plausibility check held them back; the acceptance holds for
    these values only, and the next report names it."""
    if not reason.strip():
        raise click.UsageError("a reason has words")
    with options.stack() as stack:
        acceptances, remaining = enter(stack, date, reason.strip())
        stack.save()
    if as_data:
        from storage.ledger_items import acceptance_item

        items = list(map(acceptance_item, acceptances))
        as_json(ANSWER, {"accepted": items, "still_rejected": remaining})
    else:
        facts(
            {
                "Accepted": acceptances[0].figures,
                "Reason": reason.strip(),
                "Still rejected": ", ".join(remaining[:MAX_LISTED]) or "nothing",
                "Next": "accept these as well, or wait" if remaining else "daybook run --wait",
            }
        )
    return DONE


def enter(stack: Stack, date: dt.date, reason: str) -> tuple[list[Acceptance], list[str]]:
    """Enter acceptances into the ledger, for exactly the values that the refused files have; these, and the
    dates that are still rejected. Raises Problem where nothing of that date is rejected."""
    from functions.plausibility import check, figures_digest
    from storage.change import Change

    head = stack.ledger.head()
    run = rejecting_run(stack, head)
    published, acknowledged = _read(stack, run), stack.ledger.days()
    known = {(acceptance.date, acceptance.digest) for acceptance in stack.ledger.acceptances()}

    def doubts(accepted: Collection[tuple[dt.date, str]]) -> list[Reason]:
        return check(published, acknowledged, accepted)

    standing = doubts(known)
    mine = tuple(str(doubt) for doubt in standing if doubt.date == date.isoformat())
    if not mine:
        dates = sorted({doubt.date for doubt in standing if doubt.date})[:MAX_LISTED]
        raise Problem(
            f"The run of {written(run.time)} rejected nothing of {date}.",
            "Nothing was changed.",
            f"Rejected: {', '.join(dates)}" if dates else "All of it is accepted: daybook run --wait",
            USAGE,
        )
    figures, gone = (date, figures_digest(published, date)), (date, GONE)
    choices: tuple[Chosen, ...] = ({figures}, {gone}, {figures, gone})
    for chosen in choices:
        left = doubts(known | chosen)
        if not any(doubt.date == date.isoformat() for doubt in left):
            break
    else:
        raise Problem(f"{date} is rejected even when accepted: {mine[0]}", "Nothing was changed.")
    now = stack.now()
    acceptances = [Acceptance(date, digest, reason, run.name, mine, now) for _, digest in sorted(chosen)]
    after = replace(head, acceptances=head.acceptances + len(acceptances))
    stack.ledger.commit(Change(now, (head, after), acceptances=tuple(acceptances)))
    return acceptances, sorted({doubt.date for doubt in left if doubt.date})


def rejecting_run(stack: Stack, head: Head) -> Run:
    """The last run that failed on its files and hasn't been made good since."""
    for run in stack.ledger.runs():
        if run.name in head.failures and run.state == FAILED and run.files and not run.pending:
            return run
    raise Problem(
        "Nothing is rejected: no run has failed on its files since the last one that succeeded.",
        "Nothing was changed.",
        "daybook runs",
        USAGE,
    )


def _read(stack: Stack, run: Run) -> "Published":
    from functions.errors import SourceRefused
    from functions.transform import transform

    try:
        files = {source: stack.archive.file(source, sha256) for source, sha256 in run.files.items()}
        return transform(files, run.time.date())
    except SourceRefused as refusal:
        raise Problem(
            f"The files of the run of {written(run.time)} are malformed: {refusal}",
            "Nothing was changed. A malformed file can't be accepted.",
            "The next run takes the files as the sources have them by then.",
            SOURCES,
        ) from refusal

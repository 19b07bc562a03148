"""``accept``: an operator takes responsibility for a figure that was held back as unbelievable."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from functions.errors import SourceRefused
from functions.plausibility import check, figures_digest
from functions.transform import Published, transform
from ops.errors import DONE, SOURCES, USAGE, Problem
from ops.output import as_json, facts
from ops.target import Target
from schemas.ledger import FAILED, GONE, Acceptance, Reason, Run
from schemas.moment import written
from storage.change import Change
from storage.ledger_items import acceptance_item

Accepted = tuple[dt.date, str]  # the date, and the digest of its values or GONE
MAX_SHOWN = 20


def accept(target: Target, date: dt.date, reason: str, as_data: bool) -> int:
    """Enter it into the ledger: it holds for exactly the values that the refused files have. Raises Problem
    where nothing of that date is held back."""
    head = target.ledger.head()
    run = held_back(target, head.failures)
    published, acknowledged = _read(target, run), target.ledger.days()
    known = {(acceptance.date, acceptance.digest) for acceptance in target.ledger.acceptances()}

    def doubts(accepted: Collection[Accepted]) -> list[Reason]:
        return check(published, acknowledged, accepted)

    standing = doubts(known)
    mine = [doubt for doubt in standing if doubt.date == date.isoformat()]
    if not mine:
        dates = sorted({doubt.date for doubt in standing if doubt.date})[:MAX_SHOWN]
        raise Problem(
            f"Nothing of {date} is held back by the run of {written(run.time)}.",
            "Nothing was changed.",
            f"Held back: {', '.join(dates)}" if dates else "Everything was accepted already: run it.",
            USAGE,
        )
    figures, gone = (date, figures_digest(published, date)), (date, GONE)
    for chosen in ({figures}, {gone}, {figures, gone}):
        left = doubts(known | chosen)
        if not any(doubt.date == date.isoformat() for doubt in left):
            break
    else:
        raise Problem(f"{date} stays unbelievable even when accepted: {mine[0]}", "Nothing was changed.")
    now, texts = target.now(), tuple(map(str, mine))
    acceptances = tuple(
        Acceptance(date, digest, reason, run.name, texts, now) for _, digest in sorted(chosen)
    )
    after = replace(head, acceptances=head.acceptances + len(acceptances))
    target.ledger.commit(Change(now, (head, after), acceptances=acceptances))
    target.keep()
    remaining = sorted({doubt.date for doubt in left if doubt.date})
    if as_data:
        as_json({"accepted": list(map(acceptance_item, acceptances)), "still_held_back": remaining})
    else:
        facts(
            {
                "Accepted": list(texts),
                "Reason": reason,
                "Still held back": ", ".join(remaining[:MAX_SHOWN]) or "nothing",
                "Next": "python -m ops run --wait" if not remaining else "accept these as well, or wait",
            }
        )
    return DONE


def held_back(target: Target, failures: Collection[str]) -> Run:
    """The last run that failed on its files and hasn't been made good since."""
    for run in target.ledger.runs():
        if run.name in failures and run.state == FAILED and run.files and not run.pending:
            return run
    raise Problem(
        "Nothing is held back: no run has failed on its files since the last one that succeeded.",
        "Nothing was changed.",
        "python -m ops runs",
        USAGE,
    )


def _read(target: Target, run: Run) -> Published:
    try:
        files = {source: target.archive.file(source, sha256) for source, sha256 in run.files.items()}
        return transform(files, run.time.date())
    except SourceRefused as refusal:
        raise Problem(
            f"The files of the run of {written(run.time)} are malformed: {refusal}",
            "Nothing was changed. A malformed file can't be accepted.",
            "The next run takes the files as the sources have them by then.",
            SOURCES,
        ) from refusal

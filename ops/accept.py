"""``accept``: an operator takes responsibility for a figure that was held back as unbelievable."""

import datetime as dt
from collections.abc import Collection
from dataclasses import replace

from functions.check import GONE, check, figures_digest
from functions.errors import SourceRefused
from functions.transform import Published, transform
from ops.errors import DONE, SOURCES, USAGE, Problem
from ops.output import as_json, facts
from ops.target import Target
from schemas.moment import written
from schemas.run import FAILED, Reason, Run
from schemas.tables import ACCEPT

Acceptance = tuple[dt.date, str]  # the date, and the day's digest or "gone"
MAX_SHOWN = 20


def accept(target: Target, date: dt.date, reason: str, as_data: bool) -> int:
    """Enter it into the ledger: it holds for exactly the values that the refused files have. Raises Problem
    where nothing of that date is held back."""
    head = target.ledger.head()
    run = held_back(target, head.failures)
    published = _read(target, run)
    known, acknowledged = set(target.ledger.acceptances()), target.ledger.days()

    def doubts(accepted: Collection[Acceptance]) -> list[Reason]:
        return check(published, acknowledged, accepted)

    standing = doubts(known)
    mine = [one for one in standing if one.date == date.isoformat()]
    if not mine:
        dates = sorted({one.date for one in standing if one.date})[:MAX_SHOWN]
        raise Problem(
            f"Nothing of {date} is held back by the run of {written(run.time)}.",
            "Nothing was changed.",
            f"Held back: {', '.join(dates)}" if dates else "Everything was accepted already: run it.",
            USAGE,
        )
    figures, gone = (date, figures_digest(published, date)), (date, GONE)
    for chosen in ({figures}, {gone}, {figures, gone}):
        left = doubts(known | chosen)
        if not any(one.date == date.isoformat() for one in left):
            break
    else:
        raise Problem(f"{date} stays unbelievable even when accepted: {mine[0]}", "Nothing was changed.")
    now = target.now()
    items = [
        {
            "entry": f"{ACCEPT}{when}#{digest}",
            "reason": reason,
            "run": run.name,
            "figures": [str(one) for one in mine],
            "accepted_at": written(now),
        }
        for when, digest in sorted(chosen)
    ]
    target.ledger.commit(
        (head, replace(head, acceptances=head.acceptances + len(items))), files=items, now=now
    )
    target.keep()
    remaining = sorted({one.date for one in left if one.date})
    if as_data:
        as_json({"accepted": items, "still_held_back": remaining})
    else:
        facts(
            {
                "Accepted": [str(one) for one in mine],
                "Reason": reason,
                "Still held back": ", ".join(remaining[:MAX_SHOWN]) or "nothing",
                "Next": "python -m ops run --wait" if not remaining else "accept these as well, or wait",
            }
        )
    return DONE


def held_back(target: Target, failures: Collection[str]) -> Run:
    """The last run that failed on its files and hasn't been made good since."""
    for run in target.ledger.recent_runs():
        if run.name in failures and run.state == FAILED and run.files:
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
        return transform(files["nyt"], files["jhu"], run.time.date())
    except SourceRefused as refusal:
        raise Problem(
            f"The files of the run of {written(run.time)} are malformed: {refusal}",
            "Nothing was changed. A malformed file can't be accepted.",
            "The next run takes the files as the sources have them by then.",
            SOURCES,
        ) from refusal

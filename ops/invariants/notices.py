"""The notices: every end of a run is told, and what is told is so."""

import re
from collections.abc import Iterator
from itertools import takewhile

from schemas.notice import FOLDED
from storage.kept import COMPLETED, Finding, Kept, dates

REPORT, ALERT = "daily-report", "alerts"
SENT = "sent"
SUBJECT = re.compile(r"Daybook: ([0-9,]+) rows? inserted, ([0-9,]+) updated")
LINES = {
    "inserted": "Rows inserted",
    "updated": "Rows updated",
    "duplicate": "Known already",
    "superseded": "Replaced by newer",
    "failed": "No longer published",
}
WRITTEN = re.compile(r"^Rows written so far: ([0-9,]+)$", re.MULTILINE)
NOTHING = "Nothing was written."
CUT = "… cut here"


def every_end_is_told(kept: Kept) -> Iterator[Finding]:
    """A completed run has a report; one that failed or is incomplete has an alert. The runs of a backfill
    have one report, made when it has ended."""
    for run in kept.runs_by_time:
        notice = kept.notices.get(run.notice or "")
        completed = run.state == COMPLETED
        if run.state == "open" or (run.is_folded and (notice or kept.head.held)):
            continue
        if notice is None:
            yield Finding("notices", f"{run} is {run.state}, and there is no notice of it")
        elif notice.topic != (REPORT if completed else ALERT) or completed != (
            notice.id == f"{run.name}/report"
        ):
            yield Finding("notices", f"{run} is {run.state}, and its notice is {notice.id}")


def a_backfill_is_one_report(kept: Kept) -> Iterator[Finding]:
    """Its numbers are the sums of those of its runs."""
    if notice := kept.notices.get(FOLDED):
        runs = [run for run in kept.runs_by_time if run.is_folded]
        sums = tuple(sum(len(run.sets.get(name, ())) for run in runs) for name in ("inserted", "updated"))
        if numbers_of(notice.subject) != sums:
            what = f"its runs count {sums[0]} and {sums[1]}"
            yield Finding("notices", f"the report of the backfill is called {notice.subject!r}, and {what}")


def reports_say_what_was_counted(kept: Kept) -> Iterator[Finding]:
    """The numbers of a report are those of its run's sets."""
    for run in kept.runs_by_time:
        notice = kept.notices.get(f"{run.name}/report")
        if notice is None:
            continue
        counts = {name: len(run.sets.get(name, ())) for name in LINES}
        if numbers_of(notice.subject) != (counts["inserted"], counts["updated"]):
            what = f"its run counts {counts['inserted']} and {counts['updated']}"
            yield Finding("notices", f"the report of {run} is called {notice.subject!r}, and {what}")
        for name, title in LINES.items():
            match = re.search(rf"^{title} +([0-9,]+)", notice.email, re.MULTILINE)
            said = _number(match[1]) if match else 0
            if said != counts[name]:
                what = f"says {title.lower()} {said}, and the run counts {counts[name]}"
                yield Finding("notices", f"the report of {run} {what}")
        for title, codes in (("New warnings", run.begun), ("Taken on an operator's word", run.accepted)):
            listed = _listed(notice.email, title)
            if listed != len(codes) and CUT not in notice.email:
                what = f"lists {listed} {title.lower()}, and the run has {len(codes)}"
                yield Finding("notices", f"the report of {run} {what}")


def _listed(text: str, title: str) -> int:
    """How many lines a list in a mail has."""
    _, _, rest = text.partition(f"\n{title}:\n")
    return len(list(takewhile(lambda line: line.startswith("- "), rest.splitlines())))


def numbers_of(subject: str) -> tuple[int, int] | None:
    """How many rows were inserted and updated, as a report's subject has it."""
    match = SUBJECT.search(subject)
    return match and (_number(match[1]), _number(match[2]))


def alerts_are_true(kept: Kept) -> Iterator[Finding]:
    """An alert that nothing was written, or so many rows, is right. More may have been entered since then."""
    for notice in kept.notices.values():
        run = kept.runs.get(notice.run or "")
        if notice.topic != ALERT or run is None:
            continue
        if NOTHING in notice.email and run.entered:
            what = f"says that nothing was written, and {run} has entered {dates(run.entered)}"
            yield Finding("notices", f"the alert {notice.id} {what}")
        match = WRITTEN.search(notice.email)
        if match and _number(match[1]) > len(run.entered):
            what = f"says that {match[1]} rows were written, and {run} has entered {len(run.entered)}"
            yield Finding("notices", f"the alert {notice.id} {what}")


def the_head_knows_what_is_unsent(kept: Kept) -> Iterator[Finding]:
    """What isn't marked as sent is among the head's unsent notices, so that the next run sends it."""
    unsent = {notice.id for notice in kept.notices.values() if notice.state != SENT}
    for name in sorted(unsent - kept.head.unsent):
        yield Finding("notices", f"{name} was not sent, and the head doesn't know")
    for name in sorted(kept.head.unsent - unsent):
        yield Finding("notices", f"the head says that {name} is unsent, and it is not so")
    for name in sorted(kept.head.unsent & unsent):
        yield Finding("notices", f"{name} was not sent yet", broken=False)


def _number(text: str) -> int:
    return int(text.replace(",", ""))

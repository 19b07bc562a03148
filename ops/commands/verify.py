"""``verify``: the design's invariants, on the live system."""

import datetime as dt
import hashlib
from collections.abc import Iterator

import click
from marshmallow import fields

from ops import invariants
from ops.errors import BROKEN, CONFIGURATION, DONE, PENDING, Problem
from ops.invariants import Finding, Kept, files
from ops.json_output import as_json
from ops.options import JSON, Options, command
from ops.stack import Stack
from ops.terminal import line, progress, say
from schemas.answer import Answer, listed, text, yes_or_no
from schemas.text import days
from storage.kept import figures
from storage.tables import TIMESTREAM

TRAILING = dt.timedelta(hours=6)  # Timestream's magnetic store: until then a write may not be seen
TRIES = 3  # at a moment in which nobody changes the ledger


class FindingAnswer(Answer):
    """What verification found; not all of it breaks an invariant."""

    place = text()
    what = text()
    broken = yes_or_no()


class VerifyAnswer(Answer):
    """Whether every invariant holds; published since: dates that the sources give otherwise by now."""

    holds = yes_or_no()
    findings = listed(fields.Nested(FindingAnswer))
    published_since = listed()


ANSWER = VerifyAnswer()


@command()
@JSON
@click.option("--deep", is_flag=True, help="Also against freshly fetched sources.")
def verify(options: Options, as_data: bool, deep: bool) -> int:
    """Whether log, ledger and tables agree. Exit code 7 and a list if they don't; with --deep 5 if the
    sources have published something since."""
    with options.stack(reading=deep) as stack:
        kept = read(stack, deep)
        found = [*findings(stack, kept), *refused_rows(stack)]
        behind: list[dt.date] = []
        if deep:
            behind, differing = against_sources(stack, kept)
            found += differing
    broken = [finding for finding in found if finding.broken]
    if as_data:
        as_json(ANSWER, {"holds": not broken, "findings": found, "published_since": behind})
    else:
        for finding in found:
            line(f"{'BROKEN' if finding.broken else 'note  '}  {finding.place}: {finding.what}")
        if behind:
            line(f"note    sources: published since, {days(behind)}")
        if not broken:
            line(f"Every invariant holds; {len(kept.events):,} events in the log.")
    for advice in remedies(broken, stack.facts["archive_bucket"]):
        say(advice)
    if broken:
        return BROKEN
    return PENDING if behind else DONE


def read(stack: Stack, deep: bool) -> Kept:
    """All that is kept, at one moment. Raises Problem where there are no sources to compare with, or the
    ledger doesn't rest."""
    from storage import raw

    if deep and stack.kept:
        raise Problem(
            "A kept state has no sources to compare with.",
            remedy="Start it (python -m local up) and verify it while it runs, or leave out --deep.",
            code=CONFIGURATION,
        )
    kept = raw.read(stack.client, stack.facts, files.parse if deep else None, TRIES, progress)
    if kept.moved:
        raise Problem(
            f"The ledger was changed each of the {TRIES} times that it was read.",
            remedy="Wait until the run has ended (daybook status), and verify again.",
            code=PENDING,
        )
    return kept


def findings(stack: Stack, kept: Kept) -> list[Finding]:
    """What is the matter; what Timestream may not show yet is no fault."""
    trails = stack.aws and stack.facts["store"] == TIMESTREAM
    return invariants.findings(kept, stack.now() - TRAILING if trails else None)


def refused_rows(stack: Stack) -> Iterator[Finding]:
    """What Timestream reports of rows that it refused."""
    from storage.raw_archive import list_names

    bucket = stack.facts.get("rejected_bucket")
    for name in list_names(stack.client("s3"), bucket) if bucket else ():
        yield Finding("archive", f"Timestream reports rows that it refused: {name}", broken=False)


def remedies(broken: list[Finding], bucket: str) -> Iterator[str]:
    """What to do. Nothing is made of the log while it lacks something itself."""
    places = {finding.place for finding in broken}
    if places & {"log", "archive"}:
        yield (
            "The archive is damaged. It is the record: bring its objects back from their earlier versions\n"
            f"(aws s3api list-object-versions --bucket {bucket}), then verify again. Rebuild nothing before."
        )
    elif places & {"ledger", "daily", "revisions"}:
        yield (
            "The log is whole: daybook replay makes tables and ledger follow it. What is wrong after\n"
            "that, daybook replay --rebuild makes anew."
        )
    elif places & {"runs", "notices"}:
        yield "Figures and history are right, what runs say of them isn't: please report this output."
    if "sources" in places:
        yield "The next run enters what is pending: daybook run --wait"


def against_sources(stack: Stack, kept: Kept) -> tuple[list[dt.date], list[Finding]]:
    """The dates that are published otherwise than acknowledged; and a finding where the last run believed
    these very files, and should have left nothing. Raises SourceUnavailable, SourceRefused."""
    from functions.settings import PREFIX, FetcherSettings
    from functions.sources import Sources
    from functions.transform import transform

    settings = FetcherSettings.read({PREFIX + name.upper(): value for name, value in stack.facts.items()})
    with progress("Fetching both sources"):
        fetched = Sources(settings).fetch().files
    published = {day.date: day.counts.values for day in transform(fetched, stack.now().date()).days}
    waiting = [
        date
        for date, values in published.items()
        if date not in kept.days or kept.days[date].values != values
    ]
    believed = all(hashlib.sha256(file).hexdigest() == kept.believed.get(s) for s, file in fetched.items())
    owed = {date for run in kept.runs.values() for date in kept.owed(run)}
    unexplained = [date for date in waiting if date not in owed]
    if not believed or not unexplained:
        return waiting, []
    first = unexplained[0]
    known = figures(kept.days[first].values) if first in kept.days else "nothing"
    what = f"though the last run read these very files, not as published are {days(unexplained)}"
    example = f"{first} has {known}, published is {figures(published[first])}"
    return [], [Finding("sources", f"{what}; {example}")]

"""``verify``: the design's invariants, on the live system."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from functions.settings import PREFIX, FetcherSettings
from functions.sources import Sources
from functions.transform import transform
from ops import invariants
from ops.errors import BROKEN, CONFIGURATION, DONE, PENDING, Problem
from ops.invariants import Finding, Kept, files
from ops.output import as_json, counting, line, say
from schemas.text import days
from storage import raw
from storage.kept import figures
from storage.raw_archive import list_names
from storage.tables import TIMESTREAM

if TYPE_CHECKING:
    from ops.target import Target

TRAILING = dt.timedelta(hours=6)  # Timestream's magnetic store: until then a write may not be seen
TRIES = 3  # at a moment in which nobody changes the ledger


def verify(target: "Target", deep: bool, as_data: bool) -> int:
    """Exit code 7 where an invariant is broken, 5 where the sources have published something since."""
    if deep and target.cloud is not None:
        raise Problem(
            "A kept state has no sources to compare with.",
            remedy="Start it (python -m local up) and verify it while it runs, or leave out --deep.",
            code=CONFIGURATION,
        )
    kept = raw.read(target.client, target.facts, files.parse if deep else None, TRIES, counting)
    if kept.moved:
        raise Problem(
            f"The ledger was changed each of the {TRIES} times that it was read.",
            remedy="Wait until the run has ended (python -m ops status), and verify again.",
            code=PENDING,
        )
    found = [*found_in(target, kept), *refused_rows(target)]
    behind: list[dt.date] = []
    if deep:
        behind, differing = against_sources(target, kept)
        found += differing
    broken = [finding for finding in found if finding.broken]
    if as_data:
        since = [date.isoformat() for date in behind]
        as_json({"holds": not broken, "findings": [vars(one) for one in found], "published_since": since})
    else:
        for one in found:
            line(f"{'BROKEN' if one.broken else 'note  '}  {one.place}: {one.what}")
        if behind:
            line(f"note    sources: published since, {days(behind)}")
        if not broken:
            line(f"Every invariant holds; {len(kept.events):,} events in the log.")
    for advice in remedies(broken, target.facts["archive_bucket"]):
        say(advice)
    if broken:
        return BROKEN
    return PENDING if behind else DONE


def found_in(target: "Target", kept: Kept) -> list[Finding]:
    """What is the matter; what Timestream may not show yet is no fault."""
    trails = target.aws and target.facts["store"] == TIMESTREAM
    return invariants.findings(kept, target.now() - TRAILING if trails else None)


def refused_rows(target: "Target") -> Iterator[Finding]:
    """What Timestream reports of rows that it refused."""
    bucket = target.facts.get("rejected_bucket")
    for name in list_names(target.client("s3"), bucket) if bucket else ():
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
            "The log is whole: python -m ops replay makes tables and ledger follow it. What is wrong after\n"
            "that, python -m ops replay --rebuild makes anew."
        )
    elif places & {"runs", "notices"}:
        yield "Figures and history are right, what runs say of them isn't: please report this output."
    if "sources" in places:
        yield "The next run enters what is pending: python -m ops run --wait"


def against_sources(target: "Target", kept: Kept) -> tuple[list[dt.date], list[Finding]]:
    """The dates that are published otherwise than acknowledged; and a finding where the last run believed
    these very files, and should have left nothing. Raises SourceUnavailable, SourceRefused."""
    settings = FetcherSettings.read({PREFIX + name.upper(): value for name, value in target.facts.items()})
    say("Fetching both sources …")
    fetched = Sources(settings).fetch().files
    published = {day.date: day.counts.values for day in transform(fetched, target.now().date()).days}
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

"""``verify``: the design's invariants, on the live system."""

import datetime as dt
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from marshmallow import ValidationError

from dashboard.data import stamp
from functions.archive import EVENTS, REJECTED, SOURCES
from functions.diff import diff
from functions.settings import PREFIX, FetcherSettings
from functions.sources import Sources
from functions.transform import transform
from ops.errors import BROKEN, CONFIGURATION, DONE, PENDING, Problem
from ops.invariants import Finding, compare, ledger
from ops.output import as_json, counting, line, say
from ops.reading import MANY, pending
from ops.rebuild import rebuilt_at
from ops.target import Target
from schemas.day import REGION
from schemas.event import DayEvent, decode

TRAILING = dt.timedelta(hours=6)  # Timestream's magnetic store: until then a write may not be seen


def verify(target: Target, deep: bool, as_data: bool) -> int:
    """Exit code 7 where an invariant is broken, 5 where the sources have published something since."""
    if deep and target.cloud is not None:
        raise Problem(
            "A kept state has no sources to compare with.",
            remedy="Start it (python -m local up) and verify it while it runs, or leave out --deep.",
            code=CONFIGURATION,
        )
    log, found = read_archive(target)
    found += found_in(target, log)
    behind: list[str] = []
    if deep:
        behind, differing = against_sources(target)
        found += differing
    broken = [finding for finding in found if finding.broken]
    if as_data:
        as_json({"holds": not broken, "findings": [vars(one) for one in found], "published_since": behind})
    else:
        for one in found:
            line(f"{'BROKEN' if one.broken else 'note  '}  {one.place}: {one.what}")
        if behind:
            line(f"note    sources: {len(behind)} days are pending, {behind[0]} to {behind[-1]}")
        if not broken:
            line(f"Every invariant holds; {len(log):,} events in the log.")
    if broken:
        say("The log is what counts: python -m ops replay --rebuild fills tables and days from it.")
        return BROKEN
    return PENDING if behind else DONE


def found_in(target: Target, log: Iterable[DayEvent]) -> list[Finding]:
    """Log, ledger and tables against one another; what a table may not show yet is no fault."""
    reader = target.reader
    head, days, runs = reader.head(), {day.date: day for day in reader.days()}, reader.runs(MANY)
    daily, revisions = reader.daily(), reader.revisions()
    now, rebuilt = target.now(), rebuilt_at(target)
    young = target.aws and rebuilt is not None and now - rebuilt < TRAILING
    found = [*ledger(head, days, runs)]
    by_name = {run.name: run for run in runs}
    ours = (event for event in log if event.day.region == REGION)
    for date, finding in compare(ours, days, daily, revisions, by_name):
        fresh = young or (target.aws and date in days and now - days[date].at < TRAILING)
        may_trail = fresh and finding.place in ("daily", "revisions")
        if may_trail:
            finding = replace(finding, broken=False, what=f"{finding.what} (trailing)")  # noqa: PLW2901
        found.append(finding)
    if stamp(daily) != head.stamp and not any(one.place in ("daily", "ledger") for one in found):
        found.append(Finding("daily", f"its rows' versions sum to {stamp(daily)}, the stamp is {head.stamp}"))
    return found


def read_archive(target: Target) -> tuple[list[DayEvent], list[Finding]]:
    """The log's events, and what is wrong with the objects that it and the files are kept in."""
    s3, bucket = target.client("s3"), target.facts["archive_bucket"]
    names = list(_names(s3, bucket))
    log: list[DayEvent] = []
    found: list[Finding] = []
    with counting("Reading the archive", len(names)) as move:
        for name in names:
            if name.startswith(REJECTED):
                found.append(Finding("archive", f"a record was set aside: {name}", broken=False))
            elif name.startswith((EVENTS, SOURCES)):
                body = s3.get_object(Bucket=bucket, Key=name)["Body"].read()
                if name.startswith(EVENTS):
                    events, problem = _events(name, body)
                    log += events
                else:
                    problem = _file_problem(name, body)
                if problem:
                    found.append(Finding("archive", f"{name} {problem}"))
            move(1)
    kept = {name.removeprefix(SOURCES).removesuffix(".csv.gz") for name in names}
    wanted = {f"{source}/{sha256}" for event in log for source, sha256 in event.files.items()}
    found += [Finding("archive", f"{SOURCES}{name}.csv.gz is missing") for name in sorted(wanted - kept)]
    for name in _names(s3, target.facts["rejected_bucket"]) if target.facts["rejected_bucket"] else ():
        found.append(Finding("archive", f"Timestream reports rows that it refused: {name}", broken=False))
    return log, found


def _names(s3: Any, bucket: str) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        yield from (found["Key"] for found in page.get("Contents", []))


def _events(name: str, body: bytes) -> tuple[list[DayEvent], str]:
    """What can be read of an object of the log, and what is wrong with it: its name is made of its first
    version and of all its ids."""
    events: list[DayEvent] = []
    for number, found in enumerate(body.splitlines(), 1):
        try:
            events.append(decode(found))
        except ValidationError:
            return events, f"is damaged: line {number} is no event"
    ids = hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:16]
    first = events[0].version if events else 0
    expected = f"{EVENTS}{first}-{ids}.jsonl"
    problem = f"holds other events than its name says ({len(events)} of them)"
    return events, "" if name == expected else problem


def _file_problem(name: str, body: bytes) -> str:
    try:
        found = hashlib.sha256(gzip.decompress(body)).hexdigest()
    except (OSError, EOFError, zlib.error):
        return "is damaged: it can't be unpacked"
    return "" if name.endswith(f"/{found}.csv.gz") else f"holds another file than its name says ({found})"


def against_sources(target: Target) -> tuple[list[str], list[Finding]]:
    """The dates that are published otherwise than acknowledged; and a finding where the last run saw these
    very files, and should have left nothing. Raises SourceUnavailable, SourceRefused."""
    settings = FetcherSettings.read({PREFIX + name.upper(): value for name, value in target.facts.items()})
    say("Fetching both sources …")
    files = Sources(settings).fetch().files
    reader = target.reader
    published = transform(files["nyt"], files["jhu"], target.now().date())
    acknowledged = {day.date: day for day in reader.days()}
    waiting = [day.date for day in diff(published.days, acknowledged)]
    known = {file.source: file.sha256 for file in reader.files()}
    seen = all(hashlib.sha256(body).hexdigest() == known.get(source) for source, body in files.items())
    unexplained = sorted(set(waiting) - set(pending(reader.runs(), acknowledged.values())))
    if not seen or not unexplained:
        return [date.isoformat() for date in waiting], []
    what = f"{len(unexplained)} days are not as published, {unexplained[0]} to {unexplained[-1]}"
    return [], [Finding("sources", f"{what}, though the last run read these very files")]

"""Events × ledger → what to write and what to count. A second look at the same events decides the same."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from schemas.event import DayEvent
from schemas.run import Acknowledged, Head, Run
from schemas.tables import Row


@dataclass(frozen=True)
class Decision:
    """``rows`` go to the store, ``days`` to the ledger; the three sets are dates, each in one of them."""

    rows: list[Row] = field(default_factory=list)
    days: list[Acknowledged] = field(default_factory=list)
    inserted: frozenset[dt.date] = frozenset()
    updated: frozenset[dt.date] = frozenset()
    duplicate: frozenset[dt.date] = frozenset()


def decide(events: Iterable[DayEvent], entries: Mapping[dt.date, Acknowledged], now: dt.datetime) -> Decision:
    """What these events, no date twice among them, are against the days' entries in the ledger.

    Older than what is acknowledged: into ``revisions`` only. The same version: written again, for the
    last attempt may have died in the middle. Newer with the same values: not written. Newer with other
    values, or where nothing is believed: written and acknowledged, as one revision more.
    """
    decision = Decision()
    sets: dict[str, set[dt.date]] = {"inserted": set(), "updated": set(), "duplicate": set()}
    for event in events:
        date, entry = event.day.date, entries.get(event.day.date)
        # Replacing its own values, an event enters anew a day that was given up: a replay counts it too.
        anew = event.previous == event.day.counts
        other = entry is None or event.day.counts.digest != entry.digest
        if entry is None or (event.version > entry.version and (other or anew)):
            revision = 1 if entry is None else entry.revision + 1
            decision.rows.append(Row(event.day, event.version, revision, event.id))
            decision.days.append(_acknowledged(event, revision, now))
            sets["inserted" if revision == 1 else "updated"].add(date)
        elif event.version > entry.version:
            sets["duplicate"].add(date)
        elif event.id == entry.event:
            decision.rows.append(Row(event.day, event.version, entry.revision, event.id))
            sets["inserted" if entry.revision == 1 else "updated"].add(date)
        else:
            decision.rows.append(Row(event.day, event.version, event.revision, event.id, current=False))
            sets["duplicate"].add(date)
    return replace(decision, **{name: frozenset(dates) for name, dates in sets.items()})


def _acknowledged(event: DayEvent, revision: int, now: dt.datetime) -> Acknowledged:
    return Acknowledged(
        date=event.day.date,
        counts=event.day.counts,
        digest=event.day.counts.digest,
        version=event.version,
        revision=revision,
        event=event.id,
        run=event.run,
        at=now,
    )


def counted(run: Run, decision: Decision) -> Run:
    """The run with these dates in its sets; a date that is in one already stays there."""
    known = run.accounted
    return replace(
        run,
        inserted=run.inserted | (decision.inserted - known),
        updated=run.updated | (decision.updated - known),
        duplicate=run.duplicate | (decision.duplicate - known),
        entries=run.entries + 1,
    )


def advanced(
    head: Head, run: Run | None, decision: Decision, entries: Mapping[dt.date, Acknowledged]
) -> Head:
    """The head after these days: its stamp, and the last acknowledged date as far as this run carries it."""
    replaced = sum(entries[day.date].version for day in decision.days if day.date in entries)
    stamp = head.stamp + sum(day.version for day in decision.days) - replaced
    if run is None:
        return replace(head, stamp=stamp)
    acknowledged = run.inserted | run.updated | run.duplicate
    waiting = next((date for date in sorted(run.new) if date not in acknowledged), None)
    reached = run.newest if waiting is None else run.new[waiting]
    last = max(filter(None, (head.last_acknowledged, reached)), default=None)
    return replace(head, stamp=stamp, last_acknowledged=last)

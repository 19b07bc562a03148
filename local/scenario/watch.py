"""A watch over a local cloud: what must never happen on the way, and what must hold at the end.

watch = Watch(cloud, said)
cloud.runtime.after.append(watch.look)
…
assert broken(cloud, watch) == []
"""

import base64
import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from local.aws.sessions import REGION
from local.cloud import LocalCloud
from ops import invariants
from ops.invariants import ending, files
from ops.invariants.ending import Ended, Message
from schemas.event import about
from schemas.moment import EPOCH, MILLISECOND
from storage import raw
from storage.kept import Finding, Kept, Values

PEOPLE = ("daily-report", "alerts")
Said = Callable[[], Mapping[dt.date, Values] | None]
Versions = Mapping[dt.date, int]


class Watch:
    """``said``: what the newest believed files say, read by nothing of the project, None where that is not
    known. ``put``: the payloads, in base64, that PutRecords was asked to put, in their order. ``copies``:
    whether a sender may have died between sending and marking."""

    def __init__(
        self,
        cloud: LocalCloud,
        said: Said = lambda: None,
        put: Iterable[str] = (),
        copies: bool = False,
    ) -> None:
        self._cloud = cloud
        self.said = said
        self.put = put
        self.copies = copies
        self.refused = False  # whether the files are, so that no run can send what others owe
        self.problems: list[Finding] = []
        self._last: dt.date | None = None
        self._versions: dict[tuple[str, dt.date], int] = {}
        self._known: set[dt.date] = set()  # dates that were published so far
        self._late: set[dt.date] = set()  # first published behind the last acknowledged date

    @property
    def seen(self) -> tuple[Any, ...]:
        """What the watch compares with, for another watch to begin with."""
        return self._last, dict(self._versions), set(self._known), set(self._late)

    @seen.setter
    def seen(self, seen: tuple[Any, ...]) -> None:
        self._last, versions, known, late = seen
        self._versions, self._known, self._late = dict(versions), set(known), set(late)

    def look(self, handler: str, _invocation: object = None) -> None:
        """After each invocation."""
        self.problems += self._looked(handler)

    def _looked(self, handler: str) -> Iterator[Finding]:
        if self._rests():  # a rebuild that was interrupted has emptied a part, and a second one fills it
            self.forget()
            return
        last, ledger = self._ledger()
        daily = self._daily()
        if self._last and (last is None or last < self._last):
            what = f"went back from {self._last} to {last}"
            yield Finding("ledger", f"the last acknowledged date {what}, after the {handler}")
        published = self.said() or {}
        self._late |= {date for date in published.keys() - self._known if self._last and date <= self._last}
        self._known |= published.keys()
        self._last = last
        for date in sorted(published.keys() - self._late - ledger.keys()):
            if last and date <= last:
                what = f"is {last}, and {date} was never written, after the {handler}"
                yield Finding("ledger", f"the last acknowledged date {what}")
        for place, versions in (("ledger", ledger), ("daily", daily)):
            for date, version in versions.items():
                before = self._versions.get((place, date), 0)
                if version < before:
                    what = f"went back from version {before} to {version}, after the {handler}"
                    yield Finding(place, f"{date} {what}")
                self._versions[place, date] = version
        for date, version in ledger.items():
            if version > daily.get(date, 0):
                what = (
                    f"is acknowledged as of {version}, the row is of {daily.get(date)}, after the {handler}"
                )
                yield Finding("daily", f"{date} {what}")

    def forget(self, dates: Iterable[dt.date] = ()) -> None:
        """Begin anew with these dates, or with all: a step has destroyed them, or a rebuild empties them."""
        lost = set(dates)
        self._versions = {key: v for key, v in self._versions.items() if lost and key[1] not in lost}

    def _rests(self) -> bool:
        """Whether the marker of a rebuild stands."""
        items = _items(self._cloud.stack.exports["ledger_table"])
        return "held" in items.get("head", {})

    def _ledger(self) -> tuple[dt.date | None, Versions]:
        """The last acknowledged date and the days' versions, out of the emulator's own memory."""
        items = _items(self._cloud.stack.exports["ledger_table"])
        last = items["head"].get("last_acknowledged") if "head" in items else None
        days = {entry[4:]: int(item["version"]) for entry, item in items.items() if entry.startswith("day#")}
        known = {dt.date.fromisoformat(date): version for date, version in days.items()}
        return dt.date.fromisoformat(last) if last else None, known

    def _daily(self) -> Versions:
        exports = self._cloud.stack.exports
        if exports["store"] == "dynamodb":
            items = _items(exports["daily_table"])
            return {dt.date.fromisoformat(date): int(item["recorded_at"]) for date, item in items.items()}
        table = self._cloud.emulator.timestream.table(exports["database"], exports["daily_table"])
        rows = [record for _, record in table.entries.values()] if table else []
        return {(EPOCH + row.time_ns // 1_000_000 * MILLISECOND).date(): row.version for row in rows}


def _items(table: str) -> dict[str, dict[str, Any]]:
    """A table's items by their range key, their attributes as DynamoDB holds them."""
    series = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[table].items
    return {
        str(getattr(entry, "value", entry)): {name: value.value for name, value in item.attrs.items()}
        for items in series.values()
        for entry, item in items.items()
    }


def messages(cloud: LocalCloud) -> tuple[Message, ...]:
    """What was sent to people, but for Lambda's own words where the reporter failed as well."""
    return tuple(
        Message(topic, str(sent.subject), sent.text("email"))
        for sent in cloud.emulator.publications
        for topic in PEOPLE
        if sent.structure == "json" and sent.topic_arn.endswith(topic)
    )


def kept(cloud: LocalCloud) -> Kept:
    """Everything that the cloud keeps, with what the sources' files say."""
    return raw.read(cloud.client, cloud.stack.exports, files.parse)


def verified(cloud: LocalCloud) -> list[Finding]:
    """What ``verify`` finds broken."""
    return invariants.broken(kept(cloud))


def broken(cloud: LocalCloud, watch: Watch) -> list[str]:
    """Every invariant that doesn't hold: on the way, at any time, and at the end."""
    now = kept(cloud)
    ended = Ended(now, watch.said(), messages(cloud), tuple(_put(watch.put)), watch.copies)
    found = [*watch.problems, *invariants.broken(now), *ending.findings(ended)]
    if watch.refused:
        left = set(ending.nothing_is_left_to_do(ended))
        left -= set(ending.nothing_is_left_to_do(replace(ended, kept=_without_owing(now))))
        found = [finding for finding in found if finding not in left]
    return [f"{finding.place}: {finding.what}" for finding in dict.fromkeys(found)]


def _without_owing(kept: Kept) -> Kept:
    """As if there were no runs that owe dates."""
    runs = {name: run for name, run in kept.runs.items() if not kept.owed(run)}
    return replace(kept, head=replace(kept.head, owing=kept.head.owing & runs.keys()), runs=runs)


def dump(cloud: LocalCloud) -> bytes:
    """What replay, a remade mapping and a rebuild leave as it is."""
    return ending.dump(kept(cloud), messages(cloud))


def _put(payloads: Iterable[str]) -> Iterator[tuple[str, dt.date]]:
    for payload in payloads:
        names = about(base64.b64decode(payload))
        if names.run and names.date:
            yield names.run, names.date

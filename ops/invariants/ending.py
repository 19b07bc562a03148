"""What must hold at the end of a scenario: the faults have stopped, and one run was made since.

That nothing moved back on the way is checked after each invocation: local/scenario/watch.py.
"""

import datetime as dt
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ops.invariants.notices import REPORT, SENT, numbers_of
from schemas.ledger import GONE
from storage.kept import COMPLETED, Finding, Kept, Values, dates, figures

CUT = "more/"  # begins the code that says how many warnings are not among those that are kept


@dataclass(frozen=True)
class Message:
    """What was sent to a topic for people, in the order of sending."""

    topic: str  # the last part of its name
    subject: str
    text: str


@dataclass(frozen=True)
class Ended:
    """A scenario's end. ``published``: what the newest believed files say, None where that can't be said;
    ``put``: each event that was put on the stream, as (run, date), in that order; ``copies``: whether a
    sender may have died between sending and marking."""

    kept: Kept
    published: Mapping[dt.date, Values] | None
    messages: tuple[Message, ...]
    put: tuple[tuple[str, dt.date], ...] = ()
    copies: bool = False


def findings(ended: Ended) -> list[Finding]:
    """What doesn't hold at the end."""
    checks = (
        nothing_is_left_to_do,
        what_is_published_is_acknowledged,
        pending_days_went_oldest_first,
        every_notice_was_sent_once,
        every_entry_is_in_one_report,
        what_begins_is_told_once,
    )
    return [finding for check in checks for finding in check(ended)]


def nothing_is_left_to_do(ended: Ended) -> Iterator[Finding]:
    """No run owes dates or is open, nothing is unsent, and no failure is left to be made good."""
    head = ended.kept.head
    for run in ended.kept.runs_by_time:
        if run.pending and run.state != COMPLETED:
            owes = dates(ended.kept.owed(run)) or "nothing"
            yield Finding("runs", f"at the end {run} is {run.state}, and owes {owes}")
    if head.owing:
        yield Finding("ledger", f"at the end the head says that {', '.join(sorted(head.owing))} owe dates")
    if head.unsent:
        yield Finding("notices", f"at the end these are unsent: {', '.join(sorted(head.unsent))}")
    newest = max(ended.kept.runs.values(), key=lambda run: run.version, default=None)
    if newest and newest.state == COMPLETED and head.failures:
        yield Finding("ledger", f"at the end these are still to be made good: {', '.join(head.failures)}")
    if head.held:
        yield Finding("ledger", "at the end the marker of a rebuild stands")


def what_is_published_is_acknowledged(ended: Ended) -> Iterator[Finding]:
    """Ledger and ``daily`` say what the newest believed files do, and have no further date but those whose
    withdrawal an operator accepted."""
    if ended.published is None:
        return
    kept = ended.kept
    gone = {date for date, word in kept.accepted if word == GONE}
    places = {
        "ledger": {date: day.values for date, day in kept.days.items()},
        "daily": {row.date: row.values for row in kept.daily},
    }
    lost = {("ledger", date) for date in kept.lost_days}  # which is told elsewhere
    for place, values in places.items():
        for date, said in ended.published.items():
            if date not in values and (place, date) not in lost:
                yield Finding(place, f"{date} is published, and at the end not there")
            elif values.get(date, said) != said:
                yield Finding(place, f"{date} has {figures(values[date])}, published is {figures(said)}")
        if more := values.keys() - ended.published.keys() - gone:
            yield Finding(place, f"at the end it has what is not published, {dates(more)}")
    last, newest = kept.head.last_acknowledged, max(ended.published, default=None)
    if last != newest and last not in gone:
        yield Finding(
            "ledger", f"at the end the last acknowledged date is {last}, the newest published {newest}"
        )


def pending_days_went_oldest_first(ended: Ended) -> Iterator[Finding]:
    """A run puts its events in the order of their dates; putting one again changes no order."""
    put: dict[str, list[dt.date]] = defaultdict(list)
    for run, date in dict.fromkeys(ended.put):
        put[run].append(date)
    for run, order in put.items():
        if order != sorted(order):
            yield Finding("runs", f"the run {run} put its days in this order: {', '.join(map(str, order))}")


def every_notice_was_sent_once(ended: Ended) -> Iterator[Finding]:
    """Each notice of the ledger went out, once, as it stands there; and nothing else did but trials."""
    sent = Counter(ended.messages)
    matched: set[Message] = set()
    for notice in ended.kept.notices.values():
        found = [m for m in sent if m.topic == notice.topic and m.text.endswith(notice.email)]
        matched.update(found)
        count = sum(sent[message] for message in found)
        if count == 0 and notice.state == SENT:
            yield Finding("notices", f"{notice.id} is marked as sent, and nobody got it")
        elif count > 1 and not ended.copies:
            yield Finding("notices", f"{notice.id} was sent {count} times")
    for message in sent.keys() - matched:
        if "Daybook TEST" not in message.subject:
            yield Finding("notices", f"people were told what no notice says: {message.subject!r}")


def every_entry_is_in_one_report(ended: Ended) -> Iterator[Finding]:
    """The rows that all reports tell are the entries, each one once."""
    subjects = {m.text: m.subject for m in ended.messages if m.topic == REPORT}  # a copy is no second report
    told = [numbers for subject in subjects.values() if (numbers := numbers_of(subject))]
    total = sum(inserted + updated for inserted, updated in told)
    inserted, days = sum(inserted for inserted, _ in told), len(ended.kept.days) + len(ended.kept.lost_days)
    entries = len(ended.kept.events) + len(ended.kept.lost)
    if total != entries:
        yield Finding("notices", f"the reports tell of {total:,} entries, the log has {entries:,}")
    elif inserted != days:
        yield Finding("notices", f"the reports tell of {inserted:,} inserted rows, there are {days:,} days")


def what_begins_is_told_once(ended: Ended) -> Iterator[Finding]:
    """A warning is new in one run until it has ended, and what an operator accepted in one alone."""
    standing: frozenset[str] = frozenset()
    accepted: frozenset[str] = frozenset()
    for run in ended.kept.runs_by_time:
        if run.state == COMPLETED:
            for code in sorted(run.begun & standing | run.accepted & accepted):
                yield Finding("runs", f"{run} tells as new what was told before: {code}")
            cut = any(code.startswith(CUT) for code in run.warnings)
            standing = run.warnings | standing if cut else run.warnings
            accepted |= run.accepted


def dump(kept: Kept, messages: Iterable[Message]) -> bytes:
    """What a replay, a remade mapping and a rebuild leave as it is: figures, history, counts and messages.
    When a day was acknowledged, and how often an item was changed, is not part of it."""
    return json.dumps(
        {
            "daily": [_plain(row) for row in kept.daily],
            "revisions": [_plain(row) for row in kept.revisions],
            "log": [_plain(kept.events[name]) for name in sorted(kept.events)],
            "days": [_plain(day, without="acknowledged_at") for _, day in sorted(kept.days.items())],
            "runs": [_plain(run) for run in kept.runs_by_time],
            "head": _plain(kept.head, without="settled"),
            "notices": [_plain(kept.notices[name]) for name in sorted(kept.notices)],
            "messages": [_plain(message) for message in messages],
        },
        sort_keys=True,
        indent=1,
        default=_text,
    ).encode()


def changed(before: bytes, after: bytes) -> list[Finding]:
    """The places in which two dumps differ."""
    old, new = json.loads(before), json.loads(after)
    found = []
    for place in old:
        if old[place] != new[place]:
            was, now = (_lines(side[place]) for side in (old, new))
            gone, come = list((was - now).elements()), list((now - was).elements())
            found.append(Finding(place, f"what should have changed nothing took away {gone} and made {come}"))
    return found


def _lines(value: Any) -> Counter[str]:
    return Counter(json.dumps(part) for part in (value if isinstance(value, list) else [value]))


def _plain(value: Any, without: str = "") -> dict[str, Any]:
    return {
        name: part for name, part in vars(value).items() if name != without and name in value.__match_args__
    }


def _text(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, (frozenset, set)) else str(value)

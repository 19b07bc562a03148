"""Every step in a run's life: what was read becomes a change of the ledger. Pure.

The states of a run, which say what people were told, and forbid nothing:

| state | means | becomes |
|---|---|---|
| open | stored, nothing was told yet | completed when it owes nothing; failed or incomplete with an alert |
| failed | its files were refused, or the fetcher broke off | completed, late, when it owes nothing [1] |
| incomplete | records were given up, or a table refuses rows | completed, late, when it owes nothing |
| completed | every pending date is in a set, the report is made | nothing else |

[1] A run that was refused, or broke off before it was stored, has no pending dates, and stays failed.

Only the newest stored run speaks for the present: it settles the sources, changes which warnings are told,
and no run makes good a failure newer than itself.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from functions import notice_text
from functions.decide import Decided, Outcome
from schemas.ledger import (
    ACCEPTED,
    COMPLETED,
    FAILED,
    INCOMPLETE,
    MAX_REASONS_SHOWN,
    OPEN,
    Acknowledged,
    Head,
    Reason,
    Run,
    SourceFile,
    State,
    Warning,
    owed,
)
from schemas.moment import MILLISECOND, at, written
from schemas.notice import FOLDED, Notice
from storage.change import Change, Reading

MAX_RUNS = 40  # in one change: each with its report, of the 100 items of a DynamoDB transaction
MAX_REMEMBERED = 200  # acceptances that people know of, in the head's item


def next_time(head: Head, days: Iterable[Acknowledged], asked: dt.datetime) -> dt.datetime:
    """The run's time: as asked for, or 1 ms after the last stored run and after what was seen of these days,
    which the run sends."""
    seen = max((day.seen for day in days), default=-1)
    after_run = head.last_run + MILLISECOND if head.last_run else asked
    return max(asked, after_run, at(seen + 1) if seen >= 0 else asked)


def stored(
    head: Head,
    run: Run,
    stack: str,
    reached: dt.date | None = None,
    files: Sequence[SourceFile] = (),
    unchanged: Sequence[str] = (),
) -> Change:
    """A new run whose files are believed. One with nothing pending is complete at once.

    ``reached``: the published dates up to it were all acknowledged; ``unchanged``: the sources that answered
    304.
    """
    run = replace(run, entries_before=head.entries)
    last = max(filter(None, (head.last_acknowledged, reached)), default=None)
    after = replace(_with(head, run), last_acknowledged=last, newest=run.newest or head.newest)
    change = Change(
        run.asked_at, (head, after), ((None, run),), files=tuple(files), unchanged=tuple(unchanged)
    )
    return change if run.pending else _completed(change, run.asked_at, stack)


def refused(head: Head, run: Run, reasons: Sequence[Reason], stack: str) -> Change:
    """A new run that failed on its files: nothing was emitted. A backfill's goes into its one report."""
    failed = _explained(run, FAILED, map(str, reasons), len(reasons))
    if run.is_backfilled:
        failed = replace(failed, notice=FOLDED)
        after = _with_failures(_with(head, failed), [failed])
        return Change(run.asked_at, (head, after), ((None, failed),))
    return _told(Change(run.time, (head, _with(head, failed)), ((None, failed),)), failed, (), stack)


def broken_off(reading: Reading, run: Run, problem: str, now: dt.datetime, stack: str) -> Change:
    """A run whose fetcher failed for good, stored before or not."""
    failed = _explained(run, FAILED, [problem], 1)
    head = reading.head if reading.run else _with(reading.head, failed)
    change = Change(now, (reading.head, head), ((reading.run, failed),))
    return _told(change, failed, owed(failed, reading.days), stack)


def incomplete(
    head: Head,
    runs: Sequence[Run],
    days: Mapping[dt.date, Acknowledged],
    problem: str,
    now: dt.datetime,
    stack: str,
) -> Change:
    """Open runs that owe something which people are told of now."""
    change = Change(now, (head, head))
    for run in runs:
        after = _explained(run, INCOMPLETE, [problem], 1)
        change = _told(replace(change, runs=(*change.runs, (run, after))), after, owed(after, days), stack)
    return change


def undelivered(head: Head, runs: Sequence[Run], notice: Notice, problem: str, now: dt.datetime) -> Change:
    """A batch was given up: its open runs, at most forty, are incomplete, and one notice speaks for all."""
    marked = tuple(
        (run, replace(_explained(run, INCOMPLETE, [problem], 1), notice=notice.id))
        for run in [run for run in runs if run.state == OPEN][:MAX_RUNS]
    )
    return Change(now, (head, _with_failures(head, [run for run, _ in marked])), marked, notices=(notice,))


def set_aside(head: Head, notice: Notice, now: dt.datetime) -> Change:
    """A record was set aside: people are told, and nothing else changes."""
    return Change(now, (head, head), notices=(notice,))


def no_longer_published(head: Head, run: Run, dates: Collection[dt.date], now: dt.datetime) -> Change:
    """A run that is too old for its records to come gives these dates up: the files no longer have them, and
    the log does not hold them."""
    return Change(now, (head, head), ((run, replace(run, failed=run.failed | frozenset(dates))),))


def entered(
    reading: Reading, decided: Sequence[Decided], refused: Collection[str], now: dt.datetime
) -> Change:
    """What a chunk of one run's events came to: days, the run's sets, the head. ``refused`` has the ids of
    the events whose rows a table refuses: their days are not acknowledged, and still owed."""
    good = [item for item in decided if item.event.id not in refused]
    run = reading.run and _counted(reading.run, decided, refused)
    days = tuple((item.before, item.after) for item in good if item.after and item.after != item.before)
    stamp = sum(new.version - (old.version if old else 0) for old, new in days)
    entries = sum(new.entries - (old.entries if old else 0) for old, new in days)
    head = replace(
        reading.head,
        stamp=reading.head.stamp + stamp,
        entries=reading.head.entries + entries,
        last_acknowledged=_last_acknowledged(reading, run),
    )
    runs = ((reading.run, run),) if run else ()
    return Change(now, (reading.head, head), runs, days)


def _counted(run: Run, decided: Iterable[Decided], refused: Collection[str]) -> Run:
    """The run with these dates in its sets, each in one; a date that counts as entered stays so."""
    sets = {
        name: set(getattr(run, name))
        for name in ("inserted", "updated", "duplicate", "superseded", "failed", "refused")
    }
    for item in decided:
        name = _set_of(item, item.event.id in refused)
        if item.date in run.entered or (item.date in run.accounted and not item.is_new):
            continue  # counted already
        for dates in sets.values():
            dates.discard(item.date)
        sets[name].add(item.date)
    return replace(run, **{name: frozenset(dates) for name, dates in sets.items()})


def _set_of(item: Decided, refused: bool) -> str:
    if refused:
        return "refused"
    match item.outcome:
        case Outcome.DUPLICATE:
            return "duplicate"
        case Outcome.SUPERSEDED:
            return "superseded"
        case Outcome.AGAIN:
            return "inserted" if item.before and item.before.entries == 1 else "updated"
    return "updated" if item.before else "inserted"


def _last_acknowledged(reading: Reading, run: Run | None) -> dt.date | None:
    """The last acknowledged date, as far as this run carries it, and no newer run that owes dates
    contradicts: its files may have dates that this run's do not."""
    last = reading.head.last_acknowledged
    if run is None:
        return last
    runs = [run, *(other for other in reading.others if other.time > run.time)]
    known = frozenset().union(*(each.entered | each.duplicate | each.superseded for each in runs))
    reached = []
    for each in runs:
        settled = known | each.failed
        waiting = next((date for date in sorted(each.new) if date not in settled), None)
        newest = None if each.newest in each.failed else each.newest
        reached.append(newest if waiting is None else each.new[waiting])
    if None in reached:
        return last
    return max(filter(None, (last, min(filter(None, reached)))))


def finished(reading: Reading, now: dt.datetime, stack: str) -> Change | None:
    """Complete the runs of the reading that owe nothing by now, the oldest forty; None where there is none.

    A date that such a run has in no set was decided for a newer run first: it is superseded.
    """
    runs = [run for run in (*reading.others, reading.run) if run and run.name in reading.head.owing]
    done = [run for run in sorted(runs, key=lambda run: run.time) if not owed(run, reading.days)][:MAX_RUNS]
    change = Change(now, (reading.head, reading.head), tuple((run, run) for run in done))
    return _completed(change, now, stack) if done else None


def _completed(change: Change, now: dt.datetime, stack: str) -> Change:
    """Complete the change's runs, oldest first: each makes its report, and the newest stored one settles. A
    backfill's are folded into one report, which is made when it has ended."""
    head = change.head[1]
    runs, notices = [], list(change.notices)
    for before, run in change.runs:
        done = replace(run, state=COMPLETED, superseded=run.superseded | frozenset(run.unaccounted))
        head = replace(
            head, owing=head.owing - {run.name}, last_success=max(filter(None, (head.last_success, now)))
        )
        made_good = tuple(
            name for name in head.failures if not _is_newer(name, run) and name not in head.owing
        )
        head = replace(head, failures=tuple(name for name in head.failures if name not in made_good))
        if run.time == head.last_run:
            # An older run's event that was entered meanwhile is nothing that this run compared its files
            # with.
            alone = head.entries == run.entries_before + len(done.entered)
            nothing_left = alone and not head.owing and not done.failed
            head = replace(
                head,
                told=(*_remembered(head, run), *run.warnings),
                settled=replace(run.basis, stamp=head.stamp) if run.basis and nothing_left else None,
            )
        else:  # a newer run computes anew what begins and what ends
            done = replace(done, warnings=(), begun=frozenset(), ended=(), accepted=())
        if run.is_backfilled:
            runs.append((before, replace(done, notice=FOLDED)))
            continue
        report = notice_text.report(done, head, tuple(n for n in made_good if n != run.name), stack)
        runs.append((before, replace(done, notice=report.id)))
        notices.append(report)
    return replace(change, head=(change.head[0], head), runs=tuple(runs), notices=tuple(notices))


def _remembered(head: Head, run: Run) -> list[Warning]:
    """The acceptances that people know of, this run's among them, as warnings without a text."""
    known = [warning for warning in head.told if warning.code.startswith(ACCEPTED)]
    return [*known, *(replace(warning, text="") for warning in run.accepted)][-MAX_REMEMBERED:]


def _is_newer(name: str, run: Run) -> bool:
    return name.partition("#")[0] > written(run.time)


def _with(head: Head, run: Run) -> Head:
    """The head once this run is stored: nothing is settled until a run says so."""
    owing = head.owing | {run.name} if run.pending else head.owing
    return replace(head, last_run=run.time, owing=owing, settled=None)


def _explained(run: Run, state: State, reasons: Iterable[str], count: int) -> Run:
    shown = tuple(reasons)[:MAX_REASONS_SHOWN]
    return replace(run, state=state, reasons=shown, reason_count=count)


def _told(change: Change, run: Run, owes: Collection[dt.date], stack: str) -> Change:
    """The change with an alert about the run, which is the last of its runs."""
    alert = notice_text.alert(run, owes, stack)
    before, _ = change.runs[-1]
    head = _with_failures(change.head[1], [run])
    return replace(
        change,
        head=(change.head[0], head),
        runs=(*change.runs[:-1], (before, replace(run, notice=alert.id))),
        notices=(*change.notices, alert),
    )


def _with_failures(head: Head, runs: Iterable[Run]) -> Head:
    """The head with these runs among those to be made good, oldest first."""
    return replace(head, failures=tuple(sorted({*head.failures, *(run.name for run in runs)})))

"""What people read: subject, mail and SMS, in words of the domain. Pure."""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from schemas.ledger import FAILED, Head, Run, lag
from schemas.moment import moment
from schemas.notice import ALERTS, DAILY_REPORT, FOLDED, MAX_BODY, MAX_SMS, MAX_SUBJECT, REPORT, Notice
from schemas.text import days, one_line, plural, ranges, span

NEXT_RUN = "The next run sends these days again, before newer ones."
DATE = re.compile(r", (\d{4}-\d{2}-\d{2})\b")  # in a reason
TRIAL = "trial/"
STATUS = " Next: daybook status"
ROWS = {
    "Rows inserted": "inserted",
    "Rows updated": "updated",
    "Known already": "duplicate",
    "Replaced by newer": "superseded",
    "No longer published": "failed",
}


def report(run: Run, head: Head, made_good: Sequence[str], stack: str) -> Notice:
    """A run is complete: how many rows, which dates, how far, and what else is worth knowing. ``head`` is as
    the completion leaves it; ``made_good`` names earlier runs that had failed."""
    late = run.reason_count > 0
    through = f", through {head.last_acknowledged}" if head.last_acknowledged else ""
    subject = f"Daybook: {plural(len(run.inserted), 'row')} inserted, {len(run.updated)} updated{through}"
    lines = [f"The run of {_when(run)} is complete{', late' if late else ''}.", ""]
    lines += _rows({name: getattr(run, name) for name in ROWS.values()})
    if not run.pending:
        lines += ["", "The sources published nothing new and restated nothing."]
    last = head.last_acknowledged or "none yet"
    lines += ["", f"Last acknowledged date: {last}"]
    if head.newest and lag(head):
        lines += [f"Newest published date: {head.newest}, {plural(lag(head) or 0, 'day')} later"]
    if made_good:
        lines += ["", f"This makes good what failed before: {', '.join(map(_named, made_good))}."]
    lines += _section("Taken on an operator's word", (warning.text for warning in run.accepted))
    lines += _section("New warnings", (w.text for w in run.warnings if w.code in run.begun))
    lines += _section("No longer the case", run.ended)
    if standing := sum(warning.code not in run.begun for warning in run.warnings):
        known = "see `daybook status` for the texts"
        lines += ["", f"{plural(standing, 'earlier warning')} still standing: {known}."]
    lines += ["", f"Stack {stack}, run {run.name}"]
    sms = f"Daybook: {len(run.inserted)} inserted, {len(run.updated)} updated"
    sms += f" ({_short(run.entered)})" if run.entered else ""
    sms += f". Through {last}."
    sms += f" {len(run.failed)} no longer published." if run.failed else ""
    sms += f" {plural(len(run.begun), 'new warning')}." if run.begun else ""
    return _notice(f"{run.name}{REPORT}", DAILY_REPORT, subject, lines, sms, run.name)


def backfilled(runs: Sequence[Run], head: Head, stack: str) -> Notice:
    """The one report of a backfill's runs, oldest first. ``head`` is as the last of them left it."""
    refused = [run for run in runs if run.state == FAILED]
    sets = {name: [date for run in runs for date in getattr(run, name)] for name in ROWS.values()}
    inserted, updated, last = (
        len(sets["inserted"]),
        len(sets["updated"]),
        head.last_acknowledged or "none yet",
    )
    of_runs = plural(len(runs), "day")
    subject = f"Daybook: {plural(inserted, 'row')} inserted, {updated:,} updated from the public history"
    lines = [
        f"The sources' public history is entered: what stood there at noon (UTC) of {of_runs}, "
        f"{span(runs[0].time.date(), runs[-1].time.date())}.",
        "Each entry bears that noon as its moment, not the day on which it was entered here.",
        "",
        *_rows(sets),
        "",
        f"Last acknowledged date: {last}",
    ]
    lines += _section(
        f"Refused, and nothing entered on {plural(len(refused), 'day')}",
        (f"{run.time.date()}: {run.reasons[0]}" for run in refused),
    )
    lines += _section("Warnings", (w.text for w in head.told if w.text))
    lines += ["", f"Stack {stack}, {of_runs} of daybook backfill"]
    sms = f"Daybook: the public history of {of_runs} is entered: {inserted:,} inserted, {updated:,} updated, "
    sms += f"{len(refused)} refused. Through {last}."
    return _notice(FOLDED, DAILY_REPORT, subject, lines, sms, None)


def alert(run: Run, owed: Collection[dt.date], stack: str) -> Notice:
    """A run failed or is incomplete: why, what is safe, and what happens next."""
    what = "failed" if run.state == FAILED else "is incomplete"
    subject = f"Daybook ALERT: the run of {_when(run)} {what}"
    lines = [f"The run of {_when(run)} {what}.", "", *(f"- {reason}" for reason in run.reasons)]
    if run.reason_count > len(run.reasons):
        lines.append(f"- and {run.reason_count - len(run.reasons):,} more reasons, kept in the archive")
    if run.files:
        lines += ["", "The files, kept in the archive:"]
        lines += [f"- {source} {sha256}" for source, sha256 in run.files.items()]
    if run.pending:
        lines += ["", f"Rows written so far: {len(run.entered):,}"]
        lines += [f"Not entered yet: {days(owed)}. {NEXT_RUN}"] if owed else []
    else:
        lines += ["", "Nothing was written. The next run reads the sources again."]
    lines += ["What was acknowledged before stands.", "", f"Stack {stack}, run {run.name}"]
    first = run.reasons[0] if run.reasons else ""
    look = "daybook days --pending" if run.pending else "daybook runs --limit 3"
    dates = DATE.search(first) if run.files and not run.pending else None
    lines += _next(f"The run … {what}", look, accept=dates and dates[1])
    more = f" (and {run.reason_count - 1} more)" if run.reason_count > 1 else ""
    sms = f"Daybook ALERT: run of {_when(run)} {run.state}{more}: {first}"
    return _notice(f"{run.name}/{run.state}", ALERTS, subject, lines, sms, run.name)


def aside(sequence: str) -> str:
    """The id of the notice about a record that is set aside."""
    return f"aside/{sequence}"


def set_aside(sequence: str, run: str | None, date: dt.date | None, problem: str, stack: str) -> Notice:
    """A record on the stream is no event of a run that the ledger knows."""
    what = f"a record that names {date}" if date else "a record without a readable date"
    lines = [
        f"The consumer set aside {what}: it is no event of a known run.",
        "",
        f"- {problem[:1000]}",
        "",
        f"Its bytes are kept in the archive: rejected/{sequence}",
        "No day is changed by it, and the records behind it are entered.",
        "",
        f"Stack {stack}, run {run or 'not readable'}, sequence number {sequence}",
        *_next("… was set aside", "daybook logs --since 1d"),
    ]
    sms = f"Daybook ALERT: {what} was set aside. It changes nothing, and the rest goes on."
    return _notice(aside(sequence), ALERTS, f"Daybook ALERT: {what} was set aside", lines, sms, run)


def undelivered(
    name: str, runs: Sequence[Run], dates: Collection[dt.date], place: str, problem: str, stack: str
) -> Notice:
    """Alert that Lambda gave a batch up. ``dates`` are those that the runs owe, empty where the records can't
    be read; ``runs`` is empty where no run owes any."""
    outlook = NEXT_RUN if runs else "No run that the ledger knows sends these records again."
    lines = [
        f"The consumer could not enter {days(dates) or place}.",
        "",
        f"- {problem}",
        f"- {place}",
        "",
        outlook,
        "",
        f"Stack {stack}, {'run' if len(runs) == 1 else 'runs'} "
        f"{', '.join(run.name for run in runs) or 'not readable'}",
        *_next("… could not be entered", "daybook logs --since 1d"),
    ]
    count = plural(len(dates), "day") if dates else "a batch of records"
    subject = f"Daybook ALERT: {count} could not be entered"
    sms = f"{subject}: {_short(dates) if dates else 'their dates are not known'}. "
    sms += "The next run sends them again." if runs else "No run sends them again."
    return _notice(name, ALERTS, subject, lines, sms, runs[0].name if runs else None)


def trial(topic: str, stack: str) -> Notice:
    """A test message, which shows who is reached by a topic."""
    lines = [
        f"This is a test of Daybook's topic {topic}, asked for by an operator. Nothing has happened.",
        "",
        "Everything published to this topic reaches this address.",
        "",
        f"Stack {stack}",
    ]
    sms = f"Daybook TEST of {topic}, stack {stack}. Nothing has happened."
    return _notice(f"{TRIAL}{topic}", topic, f"Daybook TEST: {topic} reaches you", lines, sms, None)


def _rows(sets: Mapping[str, Collection[dt.date]]) -> list[str]:
    """A line for each set of dates: how many, and their span."""
    return [
        f"{title:<20}{len(sets[name]):>10,}{_span(sets[name])}"
        for title, name in ROWS.items()
        if sets[name] or title.startswith("Rows")
    ]


def _section(title: str, texts: Iterable[str]) -> list[str]:
    items = [f"- {text}" for text in texts]
    return ["", title + ":", *items] if items else []


def _next(entry: str, look: str, accept: str | None = None) -> list[str]:
    """How an alert ends. ``entry`` is the runbook's; ``accept`` the date of a figure that may be right."""
    steps = [f"To look closer: {look}"]
    if accept:
        steps.append(
            f'If the figure is right: daybook accept {accept} --reason "..."; then daybook run --wait'
        )
    return ["", "Next:", *(f"- {step}" for step in steps), f'- The runbook, docs/runbook.md: "{entry}"']


def _when(run: Run) -> str:
    return f"{run.time:%Y-%m-%d %H:%M} UTC"


def _named(name: str) -> str:
    return f"{moment(name.partition('#')[0]):%Y-%m-%d %H:%M} UTC"


def _short(dates: Iterable[dt.date]) -> str:
    stretches = list(ranges(dates))
    return span(stretches[0][0], stretches[-1][1])


def _span(dates: Collection[dt.date]) -> str:
    return f"   {_short(dates)}" if dates else ""


def _notice(name: str, topic: str, subject: str, lines: list[str], sms: str, run: str | None) -> Notice:
    text = "\n".join(map(one_line, lines)) + "\n"
    sms = _gsm(one_line(sms), STATUS if topic == ALERTS and not name.startswith(TRIAL) else "")
    return Notice(name, topic, _ascii(one_line(subject))[:MAX_SUBJECT], _fitting(text), sms, run)


def _fitting(text: str) -> str:
    """The text within what SNS carries; one that is too long is cut in the middle, and says so."""
    raw = text.encode()
    if len(raw) <= MAX_BODY:
        return text
    note = "\n… cut here: the message was longer than SNS carries …\n"
    half = (MAX_BODY - len(note.encode())) // 2
    return raw[:half].decode(errors="ignore") + note + raw[-half:].decode(errors="ignore")


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _gsm(text: str, end: str) -> str:
    """One SMS: what the GSM alphabet lacks is replaced; what is too long before ``end`` is cut, with dots."""
    plain = "".join(c if c.isascii() and c not in "`[]{}\\^~|" else "?" for c in text)
    room = MAX_SMS - len(end)
    return (plain if len(plain) <= room else plain[: room - 3] + "...") + end

"""What people read: subject, mail and SMS, in words of the domain. Pure."""

import datetime as dt
from collections.abc import Iterable, Sequence

from schemas.moment import moment
from schemas.notice import ALERTS, DAILY_REPORT, MAX_SMS, Notice
from schemas.run import FAILED, Head, Run

MAX_DATES_SHOWN = 20


def report(run: Run, head: Head, stack: str) -> Notice:
    """A run is complete: how many rows, which dates, how far, and what else is worth knowing."""
    changed = run.inserted | run.updated
    subject = f"Daybook: {_rows(len(run.inserted))} inserted, {len(run.updated)} updated"
    subject += f", through {head.last_acknowledged}" if head.last_acknowledged else ""
    lines = [
        f"The run of {_when(run)} is complete.",
        "",
        f"Rows inserted           {len(run.inserted):>6,}{_dates_of(run.inserted)}",
        f"Rows updated            {len(run.updated):>6,}{_dates_of(run.updated)}",
    ]
    if run.duplicate:
        lines.append(f"Known already           {len(run.duplicate):>6,}{_dates_of(run.duplicate)}")
    if run.failed:
        lines.append(f"Set aside               {len(run.failed):>6,}{_dates_of(run.failed)}")
    if not run.pending:
        lines += ["", "The sources published nothing new and restated nothing."]
    last = head.last_acknowledged or "none yet"
    lines += ["", f"Last acknowledged date: {last}"]
    if head.failures:
        made_good = ", ".join(_named(name) for name in head.failures)
        lines += ["", f"This makes good what failed before: {made_good}."]
    if run.accepted:
        lines += ["", "Taken on an operator's word:", *(f"- {text}" for text in run.accepted)]
    lines += _section("New warnings", (w.text for w in run.warnings if w.code in run.begun))
    lines += _section("No longer the case", run.ended)
    standing = sum(w.code not in run.begun for w in run.warnings)
    if standing:
        lines += [
            "",
            f"{standing} earlier {_plural('warning', standing)} still standing; see the run for its text.",
        ]
    lines += ["", f"Stack {stack}, run {run.name}"]
    sms = f"Daybook: {len(run.inserted)} inserted, {len(run.updated)} updated"
    sms += f" ({_short(changed)})" if changed else ""
    sms += f". Through {last}."
    sms += f" {len(run.failed)} set aside." if run.failed else ""
    sms += f" {len(run.begun)} new {_plural('warning', len(run.begun))}." if run.begun else ""
    return _notice(f"{run.name}/report", DAILY_REPORT, subject, lines, sms, run.name)


def alert(run: Run, stack: str) -> Notice:
    """A run failed or stayed incomplete: why, what is safe, and what happens next."""
    failed = run.state == FAILED
    subject = f"Daybook ALERT: the run of {_when(run)} {'failed' if failed else 'is incomplete'}"
    lines = [
        f"The run of {_when(run)} {'failed' if failed else 'is incomplete'}.",
        "",
        *(f"- {reason}" for reason in run.reasons),
    ]
    if run.reason_count > len(run.reasons):
        lines.append(f"- and {run.reason_count - len(run.reasons):,} more reasons, kept in the archive")
    if run.pending:
        lines += ["", f"Days concerned: {days(run.unaccounted) or 'none'}"]
    if run.files:
        lines += ["", "The files, kept in the archive:"]
        lines += [f"- {source} {sha256}" for source, sha256 in run.files.items()]
    written = len(run.inserted | run.updated)
    lines += [
        "",
        f"{written:,} {_plural('row', written)} had been written." if written else "Nothing was written.",
        "What was acknowledged before stands. The next run tries these days again, before newer ones.",
        "",
        f"Stack {stack}, run {run.name}",
    ]
    first = run.reasons[0] if run.reasons else ""
    more = f" (and {run.reason_count - 1} more)" if run.reason_count > 1 else ""
    sms = f"Daybook ALERT: run of {_when(run)} {run.state}{more}: {first}"
    return _notice(f"{run.name}/{run.state}", ALERTS, subject, lines, sms, run.name)


def set_aside(sequence: str, run: str | None, date: dt.date | None, problem: str, stack: str) -> Notice:
    """One record can never be entered."""
    what = f"the record of {date}" if date else "a record without a readable date"
    lines = [
        f"The consumer set aside {what}: it can never be entered.",
        "",
        f"- {problem[:1000]}",
        "",
        f"Its bytes are kept in the archive: rejected/{sequence}",
        "The other records of its batch were entered. The next run sends the day again.",
        "",
        f"Stack {stack}, run {run or 'not readable'}, sequence number {sequence}",
    ]
    sms = f"Daybook ALERT: {what} was set aside, it can never be entered. The rest goes on."
    return _notice(f"aside/{sequence}", ALERTS, f"Daybook ALERT: {what} was set aside", lines, sms, run)


def undelivered(
    name: str, runs: Sequence[Run], dates: Sequence[dt.date], place: str, problem: str, stack: str
) -> Notice:
    """Lambda gave up delivering a batch. ``dates`` is empty where the records can't be read any more."""
    what = days(dates) if dates else place
    lines = [
        f"The consumer could not enter {what}.",
        "",
        f"- {problem}",
        f"- {place}",
        "",
        "These days are pending again. The next run sends them, before newer ones.",
        "",
        f"Stack {stack}, {_plural('run', len(runs))} {', '.join(run.name for run in runs) or 'not readable'}",
    ]
    count = f"{len(dates)} {_plural('day', len(dates))}" if dates else "a batch"
    subject = f"Daybook ALERT: {count} could not be entered"
    sms = f"{subject}: {_short(dates) if dates else 'records are gone'}. The next run sends them again."
    return _notice(name, ALERTS, subject, lines, sms, runs[0].name if runs else None)


def trial(topic: str, stack: str) -> Notice:
    """A test: whoever gets it is reached by this topic."""
    lines = [
        f"This is a test of Daybook's topic {topic}, asked for by an operator. Nothing has happened.",
        "",
        "Whoever reads it is reached by what is sent there.",
        "",
        f"Stack {stack}",
    ]
    sms = f"Daybook TEST of {topic}, stack {stack}. Nothing has happened."
    return _notice(f"trial/{topic}", topic, f"Daybook TEST: {topic} reaches you", lines, sms, None)


def days(dates: Iterable[dt.date]) -> str:
    """``3 days: 2020-09-01, 2020-09-02, 2020-09-05``; a long list is cut, and says so."""
    found = sorted(dates)
    if not found:
        return ""
    shown = ", ".join(map(str, found[:MAX_DATES_SHOWN]))
    more = f" … {found[-1]}" if len(found) > MAX_DATES_SHOWN else ""
    return f"{len(found):,} {_plural('day', len(found))}: {shown}{more}"


def _section(title: str, texts: Iterable[str]) -> list[str]:
    found = [f"- {text}" for text in texts]
    return ["", title + ":", *found] if found else []


def _when(run: Run) -> str:
    return f"{run.time:%Y-%m-%d %H:%M} UTC"


def _named(name: str) -> str:
    return f"{moment(name.partition('#')[0]):%Y-%m-%d %H:%M} UTC"


def _rows(count: int) -> str:
    return f"{count:,} {_plural('row', count)}"


def _plural(word: str, count: int) -> str:
    return word if count == 1 else word + "s"


def _short(dates: Iterable[dt.date]) -> str:
    first, last = min(dates), max(dates)
    return str(first) if first == last else f"{first} to {last}"


def _dates_of(dates: frozenset[dt.date]) -> str:
    return f"   {_short(dates)}" if dates else ""


def _notice(name: str, topic: str, subject: str, lines: list[str], sms: str, run: str | None) -> Notice:
    text = "\n".join(map(_one_line, lines)) + "\n"
    return Notice(name, topic, _ascii(_one_line(subject))[:99], text, _gsm(_one_line(sms)), run)


def _one_line(text: str) -> str:
    """What a source or an error says must not look like a line of ours, nor move a terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _gsm(text: str) -> str:
    """One SMS: what the GSM alphabet lacks is replaced, what is too long is cut, and says so."""
    plain = "".join(c if c.isascii() and c not in "`[]{}\\^~|" else "?" for c in text)
    return plain if len(plain) <= MAX_SMS else plain[: MAX_SMS - 3] + "..."

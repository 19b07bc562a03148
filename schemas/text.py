"""How values stand in a text for people: quoted, listed, counted, and without an account's names."""

import datetime as dt
import re
from collections.abc import Iterable, Iterator

MAX_VALUE_SHOWN = 40
MAX_DATES_SHOWN = 20
ONE_DAY = dt.timedelta(days=1)
# ARNs, 12-digit account numbers, request ids (UUIDs, or DynamoDB's long run of capitals and digits); and what
# follows "Request ID:", "RequestId:" or "role/" in an AWS error.
ACCOUNT = re.compile(
    r"arn:aws[\w-]*:[^\s\"',;)]*"
    r"|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"
    r"|(?<![0-9])[0-9]{12}(?![0-9])"
    r"|\b[A-Z0-9]{40,}\b"
    r"|(?<=Request ID: )\S+(?<![):,])"
    r"|(?<=RequestId: )\S+(?<![):,])"
    r"|(?<=role/)\S+"
)


def quoted(value: str) -> str:
    """A value from outside, quoted, on one line, escaped to ASCII; beyond 40 characters it is cut, and ends
    in "…"."""
    text = ascii(value[: MAX_VALUE_SHOWN + 1])[1:-1]
    return f'"{text[:MAX_VALUE_SHOWN]}…"' if len(text) > MAX_VALUE_SHOWN else f'"{text}"'


def one_line(text: str) -> str:
    """The text without line ends and control characters: it must not look like a line of ours, nor move a
    terminal's cursor."""
    return "".join(c if c.isprintable() else "?" for c in text)


def without_account(text: str) -> str:
    """The text without ARNs, account numbers, role names and request ids, fit for everybody."""
    return ACCOUNT.sub("…", text)


def plural(count: int, word: str) -> str:
    """``1 day``, ``1,200 days``, ``2 entries``."""
    if count != 1:
        word = f"{word[:-1]}ies" if word.endswith("ry") else word + "s"
    return f"{count:,} {word}"


def ranges(dates: Iterable[dt.date]) -> Iterator[tuple[dt.date, dt.date]]:
    """The first and last date of each stretch of consecutive dates, oldest first."""
    first = last = None
    for date in sorted(dates):
        if last is not None and first is not None and date - last > ONE_DAY:
            yield first, last
            first = None
        first, last = first or date, date
    if first is not None and last is not None:
        yield first, last


def span(first: dt.date, last: dt.date) -> str:
    """``2020-03-01``, or ``2020-03-01 to 2020-03-09``."""
    return str(first) if first == last else f"{first} to {last}"


def days(dates: Iterable[dt.date]) -> str:
    """``3 days: 2020-09-01, 2020-09-02, 2020-09-05``; a long list is cut, and says so; empty for no dates."""
    listed = sorted(dates)
    if not listed:
        return ""
    shown = ", ".join(map(str, listed[:MAX_DATES_SHOWN]))
    more = f" … {listed[-1]}" if len(listed) > MAX_DATES_SHOWN else ""
    return f"{plural(len(listed), 'day')}: {shown}{more}"

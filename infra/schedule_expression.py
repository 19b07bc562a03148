"""What an expression of EventBridge Scheduler means, and whether it takes it: it would say so only in the
middle of a deployment.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise, product, takewhile

RATE = re.compile(r"rate\(([1-9][0-9]*) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((.*)\)")
MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"
DAYS = "SUN|MON|TUE|WED|THU|FRI|SAT"
FIELDS = {
    "minutes": (0, 59, ""),
    "hours": (0, 23, ""),
    "day of month": (1, 31, ""),
    "month": (1, 12, MONTHS),
    "day of week": (1, 7, DAYS),
    "year": (1970, 2199, ""),
}
DAY_OF_MONTH_ONLY = re.compile(r"L|LW|([1-9]|[12][0-9]|3[01])W")
DAY_OF_WEEK_ONLY = re.compile(rf"L|([1-7]|{DAYS})(L|#[1-5])")
A_MONTH = timedelta(days=28)  # the least between two firings of what L, W and # name
A_CYCLE = timedelta(days=8 * 366)  # after which days and weekdays of all months have met


class OnlyOnAws(ValueError):
    """L, W or # in a field: the days that they name are for AWS to find."""


def problem_with(expression: str) -> str | None:
    """What is wrong with a cron(…) or rate(…) expression, or None."""
    if RATE.fullmatch(expression):
        return None
    found = CRON.fullmatch(expression)
    if found is None:
        return "write cron(minutes hours day-of-month month day-of-week year) or rate(1 day)"
    texts = found[1].upper().split()
    if len(texts) != len(FIELDS):
        return f"cron has {len(FIELDS)} fields ({', '.join(FIELDS)}), not {len(texts)}"
    fields = dict(zip(FIELDS, texts, strict=True))
    for name, text in fields.items():
        if not _valid(name, text):
            return f"{text!r} is no {name}"
    if (fields["day of month"] == "?") == (fields["day of week"] == "?"):
        return "one of day of month and day of week must be ?, the other must not"
    return None


def _valid(name: str, text: str) -> bool:
    if text == "?":
        return name in ("day of month", "day of week")
    if name == "day of month" and DAY_OF_MONTH_ONLY.fullmatch(text):
        return True
    if name == "day of week" and DAY_OF_WEEK_ONLY.fullmatch(text):
        return True
    return all(_valid_part(part, *FIELDS[name]) for part in text.split(","))


def _valid_part(part: str, low: int, high: int, names: str) -> bool:
    """A value, a range or *, any of them with /step."""
    span, slash, step = part.partition("/")
    if slash and not re.fullmatch("[1-9][0-9]*", step):
        return False
    if span == "*":
        return True
    ends = [_number(end, names) for end in span.split("-")]
    return len(ends) <= 2 and all(low <= end <= high for end in ends) and ends == sorted(ends)


def _number(text: str, names: str) -> int:
    """What a field's text counts as; -1 for what is none. Names count from 1."""
    listed = names.split("|")
    if text and text in listed:
        return listed.index(text) + 1
    return int(text) if re.fullmatch("[0-9]{1,4}", text) else -1


def longest_interval(expression: str) -> timedelta:
    """The longest time from one firing of a valid expression to the next, by a clock without summer time.

    Four weeks for a cron(…) with L, W or #; zero where nothing fires twice in eight years.
    """
    if found := RATE.fullmatch(expression):
        return timedelta(**{f"{found[2]}s": int(found[1])})
    try:
        values = cron_values(expression)
    except OnlyOnAws:
        return A_MONTH
    first = date(values["year"][0], 1, 1)
    days = takewhile(lambda day: day - first < A_CYCLE, firing_days(values, first))
    clock = [
        timedelta(hours=hour, minutes=minute) for hour, minute in product(values["hours"], values["minutes"])
    ]
    within = [later - earlier for earlier, later in pairwise(clock)]
    overnight = [later - earlier + clock[0] - clock[-1] for earlier, later in pairwise(days)]
    return max([*within, *overnight], default=timedelta(0))


def cron_values(expression: str) -> dict[str, list[int]]:
    """The numbers that each field of a valid cron(…) names, rising. Raises OnlyOnAws."""
    fields = dict(zip(FIELDS, expression[len("cron(") : -1].upper().split(), strict=True))
    for name in ("day of month", "day of week"):
        # The names of days and months hold none of the letters that a field may end with.
        if re.search("[LW#]", re.sub("[A-Z]{3}", "", fields[name])):
            raise OnlyOnAws(f"{expression}: {fields[name]} (L, W, #) runs only on AWS")
    return {name: _values(name, text) for name, text in fields.items()}


def firing_days(values: dict[str, list[int]], first: date) -> Iterator[date]:
    """The days on which such a cron(…) fires, from `first` on."""
    for year, month in product(values["year"], values["month"]):
        if (year, month) < (first.year, first.month):
            continue
        for number in values["day of month"]:
            try:
                day = date(year, month, number)
            except ValueError:  # the 31st of June
                continue
            if day >= first and day.isoweekday() % 7 + 1 in values["day of week"]:  # 1 is Sunday
                yield day


def _values(name: str, text: str) -> list[int]:
    low, high, names = FIELDS[name]
    values: set[int] = set()
    for part in text.split(","):
        span, stepped, step = part.partition("/")
        if span in {"*", "?"}:
            first, last = low, high
        else:
            ends = [_number(end, names) for end in span.split("-")]
            first = ends[0]
            last = ends[1] if len(ends) > 1 else high if stepped else first
        values.update(range(first, last + 1, int(step or 1)))
    return sorted(values)

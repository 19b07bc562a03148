"""Whether EventBridge Scheduler takes an expression: it would say so only in the middle of a deployment.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re

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

"""The ledger's items, to and from values: a field is an attribute of its name, in the form of its type.

An item is a plain mapping of names to text, numbers, sets of text, lists and mappings; what is None or empty
is absent. ``attributes`` and ``plain`` turn it into DynamoDB's wire shape and back. A name that is not known
here, as in the ledger of a newer version, is ignored.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from schemas.day import REGION
from schemas.figures import Counts
from schemas.ledger import Acceptance, Acknowledged, Head, Run, SentNotice, SourceFile
from schemas.moment import moment, written
from schemas.notice import Notice
from schemas.text import ranges

Item = dict[str, Any]
HEAD = "head"
DAY = "day#"
RUN = "run#"
FILE = "file#"
ACCEPT = "accept#"
NOTICE = "notice#"
REBUILT = "rebuilt"
BETWEEN = ".."  # a stretch of dates: 20200301..20200630
MAX_RUN_BYTES = 390_000  # of DynamoDB's 400 KB an item; the rest is for names and reasons
DATE_BYTES = 9  # a date that stands alone in a list: eight digits, and one byte an element


def key(entry: str) -> dict[str, Any]:
    """The primary key of an item, in DynamoDB's shape."""
    return {"series": {"S": REGION}, "entry": {"S": entry}}


def attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    """DynamoDB's wire shape; None and empty collections are left out."""
    return {
        name: _attribute(value)
        for name, value in item.items()
        if value is not None and value not in ([], {}, frozenset(), ())
    }


def _attribute(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case frozenset():
            return {"SS": sorted(value)}
        case list() | tuple():
            return {"L": [_attribute(part) for part in value]}
        case dict():
            return {"M": {name: _attribute(part) for name, part in value.items()}}
    raise TypeError(f"no DynamoDB type for {value!r}")


def plain(attributes: Mapping[str, Any]) -> Item:
    """An item out of DynamoDB's wire shape."""
    return {name: _value(value) for name, value in attributes.items()}


def _value(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value)
        case "SS":
            return frozenset(value)
        case "L":
            return [_value(part) for part in value]
        case "M":
            return plain(value)
    raise TypeError(f"unexpected DynamoDB type {kind}")


def stretches(dates: Iterable[dt.date]) -> list[str]:
    """Dates as an item stores them: ``["20200301..20200630", "20200702"]``."""
    return [
        f"{first:%Y%m%d}" if first == last else f"{first:%Y%m%d}{BETWEEN}{last:%Y%m%d}"
        for first, last in ranges(dates)
    ]


def dates(texts: Iterable[str]) -> list[dt.date]:
    """The dates of such a list, oldest first."""
    found = []
    for text in texts:
        first, _, last = text.partition(BETWEEN)
        start = dt.date.fromisoformat(first)
        end = dt.date.fromisoformat(last) if last else start
        found += [start + dt.timedelta(days=number) for number in range((end - start).days + 1)]
    return sorted(found)


def largest(run: Run) -> int:
    """The bytes that a run's item can grow to: each pending date ends in one of the sets, at worst alone."""
    item = run_item(run)
    texts = sum(len(str(value).encode()) for value in item.values())
    return texts + DATE_BYTES * len(run.pending)


def _new_item(new: Mapping[dt.date, dt.date | None]) -> Item:
    """``dates`` in stretches, and in ``before`` only what does not follow from them: the published date
    before one that is not the new date before it."""
    previous: dt.date | None = None
    before = {}
    for date in sorted(new):
        published = new[date]
        if published != previous:
            before[date.isoformat()] = published.isoformat() if published else ""
        previous = date
    return {"dates": stretches(new), "before": before} if new else {}


def _new(item: Mapping[str, Any]) -> dict[dt.date, dt.date | None]:
    new: dict[dt.date, dt.date | None] = {}
    previous: dt.date | None = None
    before = item.get("before", {})
    for date in dates(item.get("dates", [])):
        text = before.get(date.isoformat())
        new[date] = previous if text is None else dt.date.fromisoformat(text) if text else None
        previous = date
    return new


def _same(value: Any) -> Any:
    return value


Form = tuple[Callable[[Any], Any], Callable[[Any], Any]]  # to the attribute's value, and back
FORMS: Mapping[Any, Form] = {
    str: (_same, _same),
    int: (_same, _same),
    dt.date: (dt.date.isoformat, dt.date.fromisoformat),
    dt.datetime: (written, moment),
    frozenset[str]: (_same, _same),
    frozenset[dt.date]: (stretches, lambda texts: frozenset(dates(texts))),
    tuple[dt.date, ...]: (stretches, lambda texts: tuple(dates(texts))),
    Mapping[str, str]: (dict, _same),
    Mapping[str, dt.date]: (
        lambda known: {name: date.isoformat() for name, date in known.items()},
        lambda item: {name: dt.date.fromisoformat(text) for name, text in item.items()},
    ),
    Mapping[dt.date, dt.date | None]: (_new_item, _new),
}
EMPTY = {tuple: (), Mapping: {}}  # of an attribute that is absent, where the field has no default


def _form(hint: Any) -> Form:
    if hint in FORMS:
        return FORMS[hint]
    if is_dataclass(hint):
        codec = _Codec(hint)
        return codec.item, codec.value
    inner = [part for part in get_args(hint) if part not in (type(None), ...)]
    if get_origin(hint) is Literal:
        return FORMS[str]
    to, of = _form(inner[0])
    if get_origin(hint) is UnionType:
        return lambda value: None if value is None else to(value), of
    if get_origin(hint) is tuple:
        return lambda values: [to(value) for value in values], lambda parts: tuple(of(part) for part in parts)
    raise TypeError(f"no form for {hint}")


class _Codec:
    """The item of a dataclass and back, but for the fields in ``keyed``: they are in the item's key."""

    def __init__(self, kind: Any, *keyed: str) -> None:
        hints = get_type_hints(kind)
        written = [field for field in fields(kind) if field.name not in keyed]
        self._kind = kind
        self._forms = {field.name: _form(hints[field.name]) for field in written}
        self._absent = {
            field.name: EMPTY.get(get_origin(hints[field.name]))
            for field in written
            if field.default is MISSING
            and field.default_factory is MISSING
            and (get_origin(hints[field.name]) in EMPTY or type(None) in get_args(hints[field.name]))
        }

    def item(self, value: Any) -> Item:
        return {name: to(getattr(value, name)) for name, (to, _) in self._forms.items()}

    def value(self, item: Mapping[str, Any], **keyed: Any) -> Any:
        present = {name: of(item[name]) for name, (_, of) in self._forms.items() if name in item}
        return self._kind(**(self._absent | present), **keyed)


_RUN, _HEAD = _Codec(Run), _Codec(Head)
_DAY = _Codec(Acknowledged, "date", "counts")
_FILE = _Codec(SourceFile, "source")
_ACCEPTANCE = _Codec(Acceptance, "date", "digest")
_NOTICE = _Codec(Notice, "id")


def run_item(run: Run) -> Item:
    return {"entry": RUN + run.name, **_RUN.item(run)}


def run_of(item: Item) -> Run:
    return _RUN.value(item)


def head_item(head: Head) -> Item:
    return {"entry": HEAD, **_HEAD.item(head)}


def head_of(item: Item) -> Head:
    return _HEAD.value(item)


def day_item(day: Acknowledged) -> Item:
    figures = {**day.counts.values, "digest": day.counts.digest}
    return {"entry": DAY + day.date.isoformat(), **figures, **_DAY.item(day)}


def day_of(item: Item) -> Acknowledged:
    date = dt.date.fromisoformat(item["entry"].removeprefix(DAY))
    return _DAY.value(item, date=date, counts=Counts.read(item))


def file_item(file: SourceFile) -> Item:
    return {"entry": FILE + file.source, **_FILE.item(file)}


def file_of(item: Item) -> SourceFile:
    return _FILE.value(item, source=item["entry"].removeprefix(FILE))


def checked_item(source: str, when: dt.datetime) -> Item:
    """What changes of a file's item when its source answers that it is the same."""
    return {"entry": FILE + source, "checked_at": written(when)}


def acceptance_item(acceptance: Acceptance) -> Item:
    return {
        "entry": f"{ACCEPT}{acceptance.date}#{acceptance.digest}",
        **_ACCEPTANCE.item(acceptance),
    }


def acceptance_of(item: Item) -> Acceptance:
    _, date, digest = item["entry"].split("#")
    return _ACCEPTANCE.value(item, date=dt.date.fromisoformat(date), digest=digest)


def notice_item(notice: Notice, created: dt.datetime) -> Item:
    """A notice as it is made: unsent."""
    own = {"entry": NOTICE + notice.id, "created_at": written(created), "state": "unsent"}
    return {**own, **_NOTICE.item(notice)}


def notice_of(item: Item) -> Notice:
    return _NOTICE.value(item, id=item["entry"].removeprefix(NOTICE))


def sent_notice_of(item: Item) -> SentNotice:
    sent = moment(item["sent_at"]) if "sent_at" in item else None
    return SentNotice(notice_of(item), moment(item["created_at"]), item["state"], sent)

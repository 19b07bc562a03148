"""The ledger's items: every value comes back as it was, and a run's item stays within what DynamoDB takes."""

import datetime as dt
import json
from dataclasses import fields, replace

import pytest
from builders import date, entry, run
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.figures import Counts
from schemas.ledger import Acceptance, Acknowledged, Head, Held, Run, SentNotice, Settled, SourceFile, Warning
from schemas.moment import at, version
from schemas.notice import ALERTS, DAILY_REPORT, Notice
from storage import ledger_items as items

untimed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
dates = st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1))
near = st.integers(1, 60).map(date)  # so that stretches arise
date_sets = st.frozensets(dates | near, max_size=30)
moments = st.integers(0, version(dt.datetime(2200, 1, 1, tzinfo=dt.UTC))).map(at)
whole = st.integers(0, 2**63)
warnings = st.lists(st.builds(Warning, texts, texts), max_size=3).map(tuple)
several = st.lists(texts, max_size=3).map(tuple)
text_sets = st.frozensets(texts, max_size=3)
maps = st.dictionaries(texts, texts, max_size=2)
settled = st.builds(Settled, maps, maps, st.dictionaries(texts, dates, max_size=2), texts, whole, whole)
heads = st.builds(
    Head,
    last_acknowledged=st.none() | dates,
    newest=st.none() | dates,
    stamp=whole,
    entries=whole,
    owing=text_sets,
    last_run=st.none() | moments,
    last_success=st.none() | moments,
    failures=several,
    told=warnings,
    unsent=text_sets,
    settled=st.none() | settled,
    held=st.none() | st.builds(Held, texts, moments),
    acceptances=whole,
    moves=whole,
)
runs = st.builds(
    Run,
    time=moments,
    request=texts,
    trigger=texts,
    state=st.sampled_from(["open", "completed", "failed", "incomplete"]),
    arrived=st.none() | moments,
    pending=date_sets.map(sorted).map(tuple),
    new=st.dictionaries(dates | near, st.none() | dates | near, max_size=10),
    newest=st.none() | dates,
    files=maps,
    basis=st.none() | settled,
    code=st.text(max_size=5),
    accepted=warnings,
    warnings=warnings,
    begun=text_sets,
    ended=several,
    reasons=several,
    reason_count=whole,
    inserted=date_sets,
    updated=date_sets,
    duplicate=date_sets,
    superseded=date_sets,
    failed=date_sets,
    refused=date_sets,
    notice=st.none() | texts,
    moves=whole,
    entries_before=whole,
)
all_days = st.builds(
    Acknowledged,
    date=dates,
    counts=st.builds(Counts, whole, whole, st.none() | whole),
    version=whole,
    seen=whole,
    entries=whole,
    event=texts,
    run=texts,
    acknowledged_at=moments,
)
files = st.builds(SourceFile, texts, texts, whole, dates, moments)
acceptances = st.builds(
    Acceptance, dates, st.from_regex(r"[0-9a-f]{12}|gone", fullmatch=True), texts, texts, several, moments
)
notices = st.builds(
    Notice, texts, st.sampled_from([DAILY_REPORT, ALERTS]), texts, texts, texts, st.none() | texts
)


def stored(item):
    """The item as DynamoDB gives it back."""
    return items.plain(json.loads(json.dumps(items.attributes(item))))


@untimed
@given(runs)
def test_a_run_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert items.run_of(stored(items.run_item(found))) == found


@untimed
@given(heads)
def test_the_head_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert items.head_of(stored(items.head_item(found))) == found


@untimed
@given(all_days)
def test_a_day_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert items.day_of(stored(items.day_item(found))) == found


@untimed
@given(files)
def test_a_file_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert items.file_of(stored(items.file_item(found))) == found


@untimed
@given(acceptances)
def test_an_acceptance_is_the_same_when_it_comes_back_from_the_ledger(found):
    assert items.acceptance_of(stored(items.acceptance_item(found))) == found


@untimed
@given(notices, moments)
def test_a_notice_is_the_same_when_it_comes_back_from_the_ledger(found, created):
    item = stored(items.notice_item(found, created))
    assert items.notice_of(item) == found
    assert items.sent_notice_of(item) == SentNotice(found, created, "unsent", None)


@pytest.mark.parametrize(("kind", "built"), [(Run, runs), (Head, heads), (Acknowledged, all_days)])
def test_no_field_of_a_value_is_left_out_of_these_tests(kind, built):
    assert built.wrapped_strategy.kwargs.keys() == {field.name for field in fields(kind)}


def test_what_is_none_or_empty_is_no_attribute_and_zero_and_false_are():
    assert items.attributes({"a": None, "b": [], "c": frozenset(), "d": 0, "e": False, "f": ""}) == {
        "d": {"N": "0"},
        "e": {"BOOL": False},
        "f": {"S": ""},
    }


@pytest.mark.parametrize("value", [1.5, dt.date(2020, 3, 1), {1, 2}, b"bytes"])
def test_a_value_that_no_item_may_hold_is_an_error(value):
    with pytest.raises(TypeError):
        items.attributes({"a": value})


@pytest.mark.parametrize(
    ("item", "of"),
    [
        (items.run_item(run([1, 2])), items.run_of),
        (items.head_item(Head(stamp=7)), items.head_of),
        (items.day_item(entry(1, 10)), items.day_of),
    ],
    ids=["run", "head", "day"],
)
def test_a_name_that_a_newer_version_added_is_ignored(item, of):
    assert of(stored(item | {"of_a_newer_version": {"a": ["b"]}})) == of(stored(item))


def test_an_item_of_an_older_version_that_lacks_what_is_optional_is_read():
    known = {"entry": "run#x", "time": "2020-03-10T12:00:00.000Z", "request": "request-1"}
    assert items.run_of(known | {"trigger": "schedule", "state": "open"}) == run()
    assert items.head_of({}) == Head()


def test_dates_are_stored_in_stretches():
    found = [date(1), date(2), date(3), date(5), date(7), date(8)]
    texts = ["20200301..20200303", "20200305", "20200307..20200308"]
    assert (items.stretches(found), items.dates(texts)) == (texts, found)


@pytest.mark.parametrize(
    ("new", "before"),
    [
        ({}, None),
        ({1: None, 2: 1, 3: 2}, {}),  # a first load says nothing beyond its dates
        ({4: 3, 5: 4}, {"2020-03-04": "2020-03-03"}),
        ({4: 2, 5: 4, 9: 7}, {"2020-03-04": "2020-03-02", "2020-03-09": "2020-03-07"}),
        ({1: None, 3: 1, 9: 3}, {}),  # gaps of the files themselves
        ({3: None, 5: None}, {"2020-03-05": ""}),
    ],
)
def test_the_date_before_a_new_one_is_stored_only_where_it_does_not_follow(new, before):
    found = {date(number): known and date(known) for number, known in new.items()}
    item = items.run_item(run(new.keys(), new=found))["new"]
    assert item == {} if before is None else item["before"] == before
    assert items.run_of(stored(items.run_item(run(new.keys(), new=found)))).new == found


# The size of a run's item


def size(item):
    """Bytes, as DynamoDB counts them: names and texts in UTF-8, 3 and one an element for a list or a mapping.
    "Item sizes and formats" in its developer guide."""

    def of(value):
        match value:
            case None:
                return 0
            case str():
                return len(value.encode())
            case bool():
                return 1
            case int():
                return len(str(value)) // 2 + 2
            case dict():
                return 3 + sum(1 + len(name.encode()) + of(part) for name, part in value.items())
            case _:
                return 3 + sum(1 + of(part) for part in value)

    present = items.plain(items.attributes(item))
    return sum(len(name.encode()) + of(value) for name, value in present.items())


ALTERNATE = tuple(range(1, 20_001, 2))
STRETCH = tuple(range(1, 10_001))


def grown(stored_run, spread):
    """The run once its dates are in its sets: alone, or all in one."""
    groups = [frozenset(stored_run.pending[place::spread]) for place in range(spread)]
    names = ("inserted", "updated", "duplicate", "superseded", "failed")
    return replace(stored_run, **dict(zip(names, groups, strict=False)))


@pytest.mark.parametrize("spread", [1, 2, 5])
@pytest.mark.parametrize("numbers", [ALTERNATE, STRETCH, ALTERNATE[:9], ()], ids=len)
@pytest.mark.parametrize("is_new", [True, False])
def test_a_run_s_item_never_outgrows_what_was_reckoned_before_it_was_stored(numbers, spread, is_new):
    befores = [None, *numbers]
    new = {date(n): before and date(before) for n, before in zip(numbers, befores, strict=False)}
    before = run(numbers, new=new if is_new else {}, newest=date(20_000))
    assert size(items.run_item(grown(before, spread))) <= items.largest(before) + 1_000  # names of attributes


def test_a_run_whose_dates_are_refused_before_they_are_entered_stays_within_it_too():
    before = run(ALTERNATE)
    refused = replace(before, refused=frozenset(before.pending))
    assert size(items.run_item(refused)) <= items.largest(before) + 1_000


def test_a_first_load_of_27_years_in_one_stretch_is_stored_though_its_dates_may_end_one_by_one():
    before = run(STRETCH, new={date(n): date(n - 1) if n > 1 else None for n in STRETCH})
    assert items.largest(before) < items.MAX_RUN_BYTES
    assert size(items.run_item(grown(before, 5))) < items.MAX_RUN_BYTES

"""The ledger's reads, and its one transaction; against the emulator."""

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError
from builders import NOON, date, entry, run
from hypothesis import HealthCheck, given, settings
from services import Fake, Services, cancelled, failing, refused
from test_ledger_items import heads, runs

from local.aws.emulator import Emulator
from local.clock import Clock
from schemas.ledger import FAILED, GONE, Acceptance, Head, Held, SourceFile
from schemas.notice import DAILY_REPORT, Notice
from storage.change import Change, Reading
from storage.errors import AlreadyTold, LedgerMoved, Unreachable
from storage.ledger import LEASE, Ledger

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("ledger")]

SECOND = dt.timedelta(seconds=1)
MILLISECOND = dt.timedelta(milliseconds=1)
NOW = dt.datetime(2021, 6, 1, tzinfo=dt.UTC)
FILE = SourceFile("nyt", "a" * 64, 3, date(3), NOON)

against_dynamodb = settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Emulator(Clock.virtual(NOW)) as running:
        yield Services(running)


@pytest.fixture
def dynamodb(services: Services) -> Any:
    return services.client("dynamodb")


@pytest.fixture
def ledger(services: Services) -> Ledger:
    return Ledger(services.client("dynamodb"), services.ledger_table())


def notice(name: str = "2020-run/report") -> Notice:
    return Notice(name, DAILY_REPORT, "Daybook: 1 row", "Rows inserted 1\n", "Daybook: 1 inserted", "run")


def commit(ledger: Ledger, before: Head, after: Head, **more: Any) -> Head:
    return ledger.commit(Change(NOON, (before, after), **more)).head


# One transaction


@against_dynamodb
@given(heads, heads)
def test_one_head_turns_into_any_other(services, first, second):
    ledger = Ledger(services.client("dynamodb"), services.ledger_table())
    before = commit(ledger, Head(), replace(first, moves=0))
    after = commit(ledger, before, replace(second, moves=before.moves))
    assert ledger.head() == after == replace(second, moves=after.moves)


@against_dynamodb
@given(runs, runs)
def test_one_state_of_a_run_turns_into_any_other(services, first, second):
    ledger = Ledger(services.client("dynamodb"), services.ledger_table())
    head = Head(stamp=1)
    (stored,) = ledger.commit(Change(NOON, (Head(), head), ((None, replace(first, moves=0)),))).runs
    assert ledger.read(stored.name).run == stored == replace(first, moves=1)
    head = ledger.head()
    after = replace(second, time=first.time, request=first.request, moves=1)
    (done,) = ledger.commit(Change(NOON, (head, head), ((stored, after),))).runs
    assert ledger.read(stored.name).run == done


def test_a_ledger_before_anything_has_an_empty_head_and_nothing_else(ledger):
    assert ledger.head() == Head()
    assert (ledger.days(), ledger.runs(), ledger.acceptances(), ledger.files()) == ({}, [], [], [])
    assert ledger.notices() == []
    assert ledger.read("unknown", [date(1)]) == Reading(Head(), None, (), {})
    assert ledger.owing() == Reading(Head(), None, (), {})


def test_an_empty_change_is_no_call():
    silent = Ledger(SimpleNamespace(), "ledger")
    stored = run([1])
    done = silent.commit(Change(NOON, (Head(stamp=1), Head(stamp=1)), ((stored, stored),)))
    assert (done.head, done.runs) == (Head(stamp=1), (stored,))


def test_a_transaction_writes_head_run_days_files_acceptances_and_notices_together(ledger):
    stored = run([1, 2, 3])
    accepted = Acceptance(date(2), GONE, "why", "r", ("a figure",), NOON)
    change = Change(
        NOON,
        (Head(), Head(stamp=3, owing=frozenset({stored.name}))),
        runs=((None, stored),),
        days=((None, entry(1, 10)), (None, entry(2, 20, version=2))),
        files=(FILE,),
        acceptances=(accepted,),
        notices=(notice(),),
    )
    done = ledger.commit(change)
    stored = replace(stored, moves=1)
    head = Head(stamp=3, owing=frozenset({stored.name}), unsent=frozenset({notice().id}), moves=1)
    assert (done.head, done.runs) == (head, (stored,))
    reading = ledger.read(stored.name, [date(2), date(3)])
    assert reading == Reading(head, stored, (), {date(2): entry(2, 20, version=2)})
    assert ledger.days() == {date(1): entry(1, 10), date(2): entry(2, 20, version=2)}
    assert (ledger.files(), ledger.acceptances()) == ([FILE], [accepted])
    assert [(sent.notice, sent.state) for sent in ledger.notices()] == [(notice(), "unsent")]
    assert ledger.owing() == Reading(head, None, (stored,), ledger.days())


def test_a_source_that_answers_304_is_only_marked_as_checked(ledger):
    head = commit(ledger, Head(), Head(stamp=1), files=(FILE,))
    later = NOON + SECOND
    ledger.commit(Change(later, (head, head), unchanged=("nyt", "jhu")))
    assert ledger.files() == [replace(FILE, checked_at=later)]  # and none of a file that was never believed


def test_a_transaction_takes_98_days_beside_head_and_run_and_they_are_read_in_one_look(ledger):
    stored = run(range(1, 99))
    days = tuple((None, entry(number, number)) for number in range(1, 99))
    commit(ledger, Head(), Head(stamp=1), runs=((None, stored),), days=days)
    reading = ledger.read(stored.name, map(date, range(1, 99)))
    assert (reading.run, len(reading.days)) == (replace(stored, moves=1), 98)


@pytest.fixture
def begun(ledger: Ledger) -> Reading:
    """A head, an open run and a day in the ledger, as read."""
    stored = run([1])
    head = Head(stamp=1, owing=frozenset({stored.name}))
    commit(ledger, Head(), head, runs=((None, stored),), days=((None, entry(1, 10)),))
    return ledger.read(stored.name, [date(1)])


def acknowledge(ledger: Ledger, reading: Reading, **changed: Any) -> None:
    """Everything that a chunk acknowledges, each on what was read."""
    assert reading.run
    counted = replace(reading.run, inserted=frozenset({date(1)}))
    known = {
        "runs": ((reading.run, counted),),
        "days": ((entry(1, 10), entry(1, 11, version=2, entries=2)),),
    }
    commit(ledger, reading.head, replace(reading.head, stamp=99), **known | changed)


def is_as_begun(ledger: Ledger) -> bool:
    return ledger.days() == {date(1): entry(1, 10)} and ledger.head().stamp == 1


def test_where_nothing_moved_a_chunk_is_acknowledged(ledger, begun):
    acknowledge(ledger, begun)
    assert ledger.days() == {date(1): entry(1, 11, version=2, entries=2)}
    assert ledger.read(begun.run.name).run.inserted == {date(1)}
    assert ledger.head().stamp == 99


@pytest.mark.parametrize(
    "meanwhile", [{"acceptances": 1}, {"held": Held("rebuild", NOON)}, {"stamp": 1, "entries": 7}]
)
def test_nothing_is_written_where_the_head_moved_since_it_was_read(ledger, begun, meanwhile):
    commit(ledger, begun.head, replace(begun.head, **meanwhile))
    with pytest.raises(LedgerMoved):
        acknowledge(ledger, begun)
    assert is_as_begun(ledger)


def test_nothing_is_written_where_the_head_came_into_being_meanwhile(ledger, begun):
    with pytest.raises(LedgerMoved):
        commit(ledger, Head(), Head(stamp=99))
    assert ledger.head() == begun.head


@pytest.mark.parametrize(
    "meanwhile", [{"duplicate": frozenset({date(1)})}, {"state": FAILED, "reasons": ("why",)}]
)
def test_nothing_is_written_where_the_run_moved_since_it_was_read(ledger, begun, meanwhile):
    moved = replace(begun.run, **meanwhile)
    commit(ledger, begun.head, begun.head, runs=((begun.run, moved),))
    with pytest.raises(LedgerMoved):
        acknowledge(ledger, begun)
    assert is_as_begun(ledger)
    assert ledger.read(begun.run.name).run == replace(moved, moves=2)


def test_nothing_is_written_where_the_run_was_stored_meanwhile(ledger, begun):
    with pytest.raises(LedgerMoved):
        commit(ledger, begun.head, replace(begun.head, stamp=99), runs=((None, run([1])),))
    assert is_as_begun(ledger)


@pytest.mark.parametrize(
    "read", [None, entry(1, 9, version=0), entry(1, 10, seen=2), entry(1, 10, entries=2)]
)
def test_nothing_is_written_where_a_day_moved_since_it_was_read(ledger, begun, read):
    days = ((read, entry(1, 12, version=3)), (None, entry(2, 20)))
    with pytest.raises(LedgerMoved):
        acknowledge(ledger, begun, days=days)
    assert is_as_begun(ledger)
    assert ledger.read(begun.run.name).run == begun.run


def test_nothing_is_written_where_a_notice_exists_and_that_is_another_error(ledger, begun):
    head = commit(ledger, begun.head, begun.head, notices=(notice("2020-told"),))
    with pytest.raises(AlreadyTold, match="told"):
        acknowledge(ledger, replace(begun, head=head), notices=(notice("2020-new"), notice("2020-told")))
    with pytest.raises(AlreadyTold):  # though the head has moved as well
        acknowledge(ledger, begun, notices=(notice("2020-told"),))
    assert is_as_begun(ledger)
    assert [sent.notice.id for sent in ledger.notices()] == ["2020-told"]


def test_a_conflict_with_a_transaction_under_way_counts_as_moved(begun):
    conflict = cancelled("TransactionConflict", "None", "None")
    with pytest.raises(LedgerMoved):
        acknowledge(Ledger(Fake(None, transact_write_items=failing(conflict)), "ledger"), begun)


@pytest.mark.parametrize(
    "error",
    [
        cancelled("None", "ThrottlingError"),
        cancelled("ConditionalCheckFailed", "ValidationError"),
        refused("ProvisionedThroughputExceededException"),
        refused("AccessDeniedException"),
        ConnectTimeoutError(endpoint_url="x"),
        ReadTimeoutError(endpoint_url="x"),
    ],
    ids=lambda error: str(error)[:60],
)
def test_of_any_other_error_it_is_not_known_what_became_of_the_transaction(begun, error):
    with pytest.raises(Unreachable, match="ledger"):
        acknowledge(Ledger(Fake(None, transact_write_items=failing(error)), "ledger"), begun)


def test_what_was_marked_sent_or_is_still_unsent_stays_so_whatever_the_writer_had_read(ledger):
    read = commit(ledger, Head(), Head(stamp=1), notices=(notice("2020-a"), notice("2020-b")))
    ledger.mark_sent("2020-a", NOON)
    after = commit(ledger, read, replace(read, stamp=2), notices=(notice("2020-c"),))
    assert after.unsent == {"2020-a", "2020-b", "2020-c"}  # as far as the writer knows
    assert ledger.head().unsent == {"2020-b", "2020-c"}


def test_days_that_a_rebuild_takes_out_are_gone_and_the_others_stay(ledger):
    days = tuple((None, entry(number, number)) for number in range(1, 61))
    commit(ledger, Head(), Head(stamp=1), days=days)
    ledger.empty(map(date, range(1, 60)))
    assert list(ledger.days()) == [date(60)]


# Reading


def test_the_time_of_an_answer_is_dynamodb_s_own(ledger):
    assert ledger.answered is None
    ledger.head()
    assert ledger.answered == NOW  # the emulator's


@pytest.mark.parametrize(
    ("metadata", "answered"),
    [
        ({"ResponseMetadata": {"HTTPHeaders": {"date": "Tue, 10 Mar 2020 12:00:00 GMT"}}}, NOON),
        ({"ResponseMetadata": {"HTTPHeaders": {}}}, None),
        ({"ResponseMetadata": {}}, None),
        ({}, None),
    ],
)
def test_every_answer_says_when_it_came_or_that_it_is_not_known(metadata, answered):
    replies = {"get_item": metadata, "batch_get_item": metadata | {"Responses": {}}}
    silent = Ledger(
        Fake(None, **{name: lambda reply=reply, **_: reply for name, reply in replies.items()}), "t"
    )
    for ask in (silent.head, lambda: silent.days_of([date(1)])):
        silent.answered = NOW
        ask()
        assert silent.answered == answered


def test_every_page_of_days_is_read(ledger, dynamodb):
    entered = [entry(number, number) for number in range(1, 8)]
    commit(ledger, Head(), Head(stamp=1), days=tuple((None, day) for day in entered))

    def query(**request):
        return dynamodb.query(**({"Limit": 2} | request))

    paged = Ledger(Fake(dynamodb, query=query), ledger._table)
    assert list(paged.days().values()) == entered


def test_the_last_runs_come_newest_first_and_no_more_of_them_than_asked_for(ledger, dynamodb):
    head = Head(stamp=1)
    stored = tuple((None, run(time=NOON + number * SECOND)) for number in range(6))
    commit(ledger, Head(), head, runs=stored)

    def query(**request):
        return dynamodb.query(**(request | {"Limit": 2}))  # as where two runs fill a page

    paged = Ledger(Fake(dynamodb, query=query), ledger._table)
    newest = [NOON + number * SECOND for number in (5, 4, 3)]
    assert [found.time for found in ledger.runs(3)] == newest
    assert [found.time for found in paged.runs(3)] == newest


def test_every_other_run_that_owes_is_read_with_a_run_oldest_first(ledger):
    asked, later, earlier, ended = (
        run([1], time=NOON + number * SECOND, request=f"request-{number}") for number in (1, 2, 0, 3)
    )
    owing = frozenset(each.name for each in (asked, later, earlier))
    runs_of_all = tuple((None, each) for each in (asked, later, earlier, ended))
    commit(ledger, Head(), Head(owing=owing), runs=runs_of_all)
    found = [each.name for each in ledger.read(asked.name).others]
    assert found == [earlier.name, later.name]
    assert [each.name for each in ledger.owing().others] == [earlier.name, asked.name, later.name]
    assert ledger.runs_named(["unknown"]) == []


def one_key_at_a_time(dynamodb: Any, answered: int) -> Any:
    """A client that leaves all keys but the first unread, and after so many answers every one."""
    answers = itertools.count(1)

    def batch_get_item(RequestItems):  # noqa: N803
        ((table, request),) = RequestItems.items()
        first, rest = request["Keys"][:1], request["Keys"][1:]
        if next(answers) > answered:
            first, rest = [], request["Keys"]
        unread = {"UnprocessedKeys": {table: request | {"Keys": rest}} if rest else {}}
        found = {"Responses": {}}
        if first:
            found = dynamodb.batch_get_item(RequestItems={table: request | {"Keys": first}})
        return found | unread

    return Fake(dynamodb, batch_get_item=batch_get_item)


def test_keys_left_unread_are_asked_for_again_but_not_without_end(ledger, dynamodb, begun):
    slow = Ledger(one_key_at_a_time(dynamodb, answered=9), ledger._table)
    assert slow.read(begun.run.name, [date(1)]) == begun
    stuck = Ledger(one_key_at_a_time(dynamodb, answered=1), ledger._table)
    with pytest.raises(Unreachable, match="left keys unread"):
        stuck.read(begun.run.name, [date(1)])


@pytest.mark.parametrize(
    "error",
    [refused("ThrottlingException"), ReadTimeoutError(endpoint_url="x")],
    ids=["throttled", "no answer"],
)
def test_a_read_that_fails_is_out_of_reach_and_never_an_empty_ledger(error):
    call = failing(error)
    broken = Ledger(SimpleNamespace(get_item=call, query=call, batch_get_item=call, update_item=call), "t")
    for read in (
        broken.head,
        broken.days,
        broken.runs,
        broken.files,
        broken.notices,
        broken.acceptances,
        broken.owing,
        lambda: broken.read("r", [date(1)]),
        lambda: broken.days_of([date(1)]),
        lambda: broken.lease("n", "me", NOON),
    ):
        with pytest.raises(Unreachable, match="ledger"):
            read()


# Notices


@pytest.fixture
def told(ledger: Ledger) -> Ledger:
    commit(ledger, Head(), Head(stamp=1), notices=(notice(),))
    return ledger


def lease(ledger: Ledger, holder: str, now: dt.datetime) -> Notice | None:
    return ledger.lease(notice().id, holder, now)


def test_a_notice_is_leased_whole(told):
    assert lease(told, "request-1", NOON) == notice()


def test_the_same_holder_may_take_a_notice_up_again_and_another_only_after_five_minutes(told):
    assert lease(told, "request-1", NOON)
    assert lease(told, "request-1", NOON + SECOND)
    assert lease(told, "request-2", NOON + 2 * SECOND) is None
    assert lease(told, "request-2", NOON + SECOND + LEASE - MILLISECOND) is None
    assert lease(told, "request-2", NOON + SECOND + LEASE + MILLISECOND)
    assert lease(told, "request-1", NOON + SECOND + LEASE + SECOND) is None


def test_a_notice_that_was_sent_is_never_leased(told):
    lease(told, "request-1", NOON)
    told.mark_sent(notice().id, NOON)
    assert lease(told, "request-1", NOON + SECOND) is None
    assert lease(told, "request-2", NOON + 2 * LEASE) is None
    assert told.head().unsent == frozenset()
    assert [(sent.state, sent.sent_at) for sent in told.notices()] == [("sent", NOON)]


def test_a_notice_that_the_ledger_does_not_know_is_not_leased(told):
    assert told.lease("run/alert", "request-1", NOON) is None
    assert len(told.notices()) == 1


def test_marking_a_notice_sent_is_tried_again_where_another_is_moving_the_head(told, dynamodb):
    conflicts = [cancelled("None", "TransactionConflict") for _ in range(4)]

    def transact_write_items(**request):
        if conflicts:
            raise conflicts.pop()
        return dynamodb.transact_write_items(**request)

    busy = Ledger(Fake(dynamodb, transact_write_items=transact_write_items), told._table)
    busy.mark_sent(notice().id, NOON)
    assert told.head().unsent == frozenset()
    conflicts += [cancelled("None", "TransactionConflict") for _ in range(5)]
    with pytest.raises(Unreachable):
        busy.mark_sent(notice().id, NOON)
    conflicts[:] = [cancelled("None", "ThrottlingError")]  # one that was sent and is not marked is sent again
    busy.mark_sent(notice().id, NOON)


def test_the_last_notices_of_every_kind_come_newest_first(ledger):
    names = ["2020-run/report", "aside/495", "undelivered/shard/1-2"]
    for number, name in enumerate(names):
        change = Change(NOON + number * SECOND, (ledger.head(), replace(ledger.head(), stamp=number + 2)))
        ledger.commit(replace(change, notices=(notice(name),)))
    assert [sent.notice.id for sent in ledger.notices()] == names[::-1]
    assert [sent.notice.id for sent in ledger.notices(limit=1)] == names[-1:]

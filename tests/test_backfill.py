"""The public history entered before a first run: in order, once, and as `play` would have it."""

import datetime as dt
import json

import pytest
from backfilling import DAYS, TEXTS, VERSIONS, Interrupted, Operated, listed, operated, played

from functions import history
from ops import backfilling
from ops.errors import AWS, CONFIGURATION, DONE, INTERRUPTED, PENDING, SOURCES
from schemas.ledger import REBUILD, Held
from storage.marker import hold, release

pytestmark = pytest.mark.cloud

STORES = [
    pytest.param(store, marks=pytest.mark.xdist_group(f"backfill {store}"))
    for store in ("timestream", "dynamodb")
]


# The limit of active partitions is Timestream's.
ON_TIMESTREAM = pytest.mark.parametrize("shared", STORES[:1], indirect=True)


@pytest.fixture(scope="module")
def short_list(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "LIST", listed(tmp_path_factory.mktemp("list") / "history.csv", DAYS))
        yield


@pytest.fixture(scope="module", params=STORES)
def shared(request, short_list):
    with operated(request.param) as found:
        yield found, played(found, VERSIONS, DAYS)


@pytest.fixture
def stack(shared) -> Operated:
    found, _ = shared
    found.again()
    found.publish()
    return found


@pytest.fixture
def as_played(shared):
    return shared[1]


def test_it_enters_what_play_enters_and_one_report_tells_of_all(stack, as_played):
    code, said = stack.command("backfill")
    assert code == DONE, said
    assert "Days of the history     6 of 6\nRefused                 1\n" in said
    assert stack.record == as_played
    assert stack.problems == []
    (report,) = stack.messages
    assert report.topic == "daily-report"
    assert report.subject == "Daybook: 4 rows inserted, 6 updated from the public history"
    assert "at noon (UTC) of 6 days, 2020-10-01 to 2020-10-06." in report.text
    assert "Refused, and nothing entered on 1 day:\n- 2020-10-05: " in report.text
    assert stack.cloud.ledger.head().held is None
    assert [run.trigger for run in stack.cloud.ledger.runs()] == ["backfill"] * 6


def test_a_second_call_changes_nothing(stack):
    stack.command("backfill")
    before, asked = stack.all_of_it, stack.asked
    code, said = stack.command("backfill")
    assert (code, stack.asked) == (DONE, asked)
    assert "entered before: nothing was changed" in said
    assert stack.all_of_it == before


def test_the_request_of_a_date_that_was_done_does_nothing_however_long_ago(stack):
    """Of a date more runs ago than are looked at for any other request."""
    last = DAYS[-1]

    def once_more(call):
        if call == "invoke" and history.run_name(last) in stack.runs:
            stack.at_call = lambda _: None
            before = stack.record, stack.runs
            for day in DAYS:
                stack.ask(day)
            assert (stack.record, stack.runs) == before

    stack.at_call = once_more
    assert stack.command("backfill")[0] == DONE
    assert len(stack.messages) == 1


def test_interrupted_at_each_of_its_calls_it_goes_on_and_comes_to_the_same(stack, as_played):
    stack.command("backfill")
    calls = stack.calls
    assert calls > 20
    for number in range(1, calls + 1):
        stack.again()
        stack.publish()

        def interrupt(_, number=number):
            if stack.calls == number:
                raise Interrupted

        stack.at_call = interrupt
        assert stack.command("backfill")[0] == INTERRUPTED
        stack.schedule()
        code, said = stack.command("backfill")
        assert code in (DONE, CONFIGURATION), said
        if code == CONFIGURATION:  # the schedule's run came before the marker
            assert number <= 4, said
            continue
        assert stack.record == as_played, number
        assert stack.problems == [], number
        assert len([message for message in stack.messages if "history" in message.subject]) == 1


def test_while_the_marker_stands_no_other_run_is_made_and_the_operator_is_told_so(stack, as_played):
    said = []

    def meanwhile(call):
        if call == "invoke" and stack.asked == 3:
            stack.at_call = lambda _: None
            before = stack.runs
            stack.schedule()
            said.append(stack.command("run", "--wait"))
            said.append(stack.command("replay", "--rebuild", "--yes"))
            said.append(stack.command("replay"))
            said.append(stack.command("status"))
            assert stack.runs == before
            assert stack.messages == ()

    stack.at_call = meanwhile
    assert stack.command("backfill")[0] == DONE
    assert [code for code, _ in said] == [PENDING] * 4
    assert all("the sources' public history has been entered since 2026-11-27" in text for _, text in said)
    assert all("daybook backfill goes on with it" in text for _, text in said)
    assert stack.record == as_played
    assert stack.problems == []


def test_a_scheduled_run_that_fails_for_good_meanwhile_dates_nothing_today(stack, as_played):
    """It was asked for before the marker, and its last attempt ended behind it."""
    stack.publish()
    request = stack.cloud.run(stack.cloud.clock.now())  # the sources' live files are not there
    stack.cloud.runtime.drain(stack.cloud.clock.now())
    assert stack.command("backfill")[0] == DONE
    assert not any(request in name for name in stack.runs)
    assert stack.record == as_played


def test_a_request_without_the_marker_is_refused_and_leaves_no_trace(stack):
    before = stack.all_of_it
    stack.ask(DAYS[0])
    assert stack.all_of_it == before
    assert any("not admitted" in line for line in stack.cloud.runtime.lines)


@pytest.mark.parametrize("day", [DAYS[1], DAYS[-1], dt.date(2021, 10, 1)])
def test_a_date_before_its_turn_is_refused_and_changes_nothing(stack, as_played, day):
    def too_early(call):
        if call == "invoke":
            stack.at_call = lambda _: None
            stack.ask(day)

    stack.at_call = too_early
    code, said = stack.command("backfill")
    assert (code, history.run_name(day) in stack.runs) == (DONE, day in DAYS), said
    assert stack.record == as_played
    assert [message.topic for message in stack.messages] == ["daily-report"]


def test_a_stack_that_has_made_a_run_is_told_what_can_be_done(stack):
    stack.cloud.publisher.files |= {"nyt": TEXTS[0][0], "jhu": TEXTS[0][1]}
    stack.schedule()
    before = stack.all_of_it
    code, said = stack.command("backfill")
    assert code == CONFIGURATION
    assert "This stack has made a run, of 2026-11-27 16:" in said
    assert "make deploy STACK=another HISTORY=1" in said
    assert stack.all_of_it == before


def test_a_commit_that_is_not_there_stops_it_with_an_alert_and_the_date_keeps_its_place(stack, as_played):
    place = history.commits()["jhu"].at(history.moment_of(DAYS[2]))
    content = stack.cloud.publisher.files.pop(place)
    code, said = stack.command("backfill")
    assert code == SOURCES
    assert "The public history of 2020-10-03 was not entered: given up after 3 attempts: jhu at" in said
    assert "answered 404" in said
    assert [message.topic for message in stack.messages] == ["alerts"]
    assert stack.command("status")[0] == PENDING
    assert stack.command("backfill")[0] == SOURCES
    stack.schedule()
    stack.cloud.publisher.files[place] = content
    code, said = stack.command("backfill")
    assert code == DONE, said
    assert stack.record == as_played
    assert stack.problems == []
    assert [message.topic for message in stack.messages] == ["alerts", "alerts", "daily-report"]


def test_it_can_be_ended_where_it_stands_and_a_run_follows(stack):
    stack.cloud.publisher.files.pop(history.commits()["nyt"].at(history.moment_of(DAYS[3])))
    assert stack.command("backfill")[0] == SOURCES
    code, said = stack.command("backfill", "--end")
    assert code == DONE, said
    assert "Days of the history     3 of 6" in said
    assert stack.cloud.ledger.head().held is None
    stack.cloud.publisher.files |= {"nyt": TEXTS[-1][0], "jhu": TEXTS[-1][1]}
    stack.schedule()
    assert stack.problems == []
    assert stack.command("backfill")[0] == CONFIGURATION
    assert stack.command("backfill", "--end")[1].startswith("No backfill is under way")


def test_two_at_once_come_to_the_same(stack, as_played):
    said = []

    def other(call):
        if call == "invoke" and stack.asked == 2:
            stack.at_call = lambda _: None
            said.append(stack.command("backfill"))

    stack.at_call = other
    assert stack.command("backfill")[0] == DONE
    assert said[0][0] == DONE
    assert stack.record == as_played
    assert stack.problems == []
    assert len(stack.messages) == 1


def test_where_the_package_lacks_the_list_it_stops_with_an_alert(stack, as_played, monkeypatch, tmp_path):
    dates, there = history.dates(), history.LIST
    stack.at_call = lambda call: (
        call == "invoke" and monkeypatch.setattr(history, "LIST", tmp_path / "none.csv")
    )
    monkeypatch.setattr(history, "dates", lambda: dates)
    code, said = stack.command("backfill")
    assert code == SOURCES
    assert "the list of the public history is missing from this package" in said
    monkeypatch.undo()
    stack.at_call = lambda _: None
    assert there == history.LIST
    assert stack.command("backfill")[0] == DONE
    assert stack.record == as_played


def test_a_rebuild_and_a_backfill_do_not_take_each_other_s_marker(stack):
    now = stack.cloud.clock.now()
    hold(stack.cloud.ledger, Held("a rebuild is under way since today", now, REBUILD))
    code, said = stack.command("backfill")
    assert code == PENDING
    assert "The history can't be entered now: a rebuild is under way since today." in said
    release(stack.cloud.ledger, now)


def test_no_metric_carries_a_moment_or_a_duration_of_2020(stack):
    stack.command("backfill")
    written = [json.loads(line) for line in stack.cloud.runtime.lines if '"_aws"' in line]
    assert len(written) > 10
    today = stack.cloud.clock.now() - dt.timedelta(days=1)
    assert [line for line in written if line["_aws"]["Timestamp"] < today.timestamp() * 1000] == []
    seconds = [line["RunSeconds"] for line in written if "RunSeconds" in line]
    assert max(seconds) < 3_600


def test_a_rebuild_after_it_changes_nothing_and_a_run_of_today_follows(stack):
    stack.command("backfill")
    before = stack.record
    assert stack.command("replay", "--rebuild", "--yes")[0] == DONE
    assert stack.record == before
    stack.cloud.publisher.files |= {"nyt": TEXTS[-1][0], "jhu": TEXTS[-1][1]}
    stack.schedule()
    assert stack.problems == []
    assert stack.messages[-1].subject.startswith("Daybook: 0 rows inserted, 0 updated")
    assert "- The New York Times has ended" in stack.messages[-1].text
    code, said = stack.command("status")
    assert code == DONE
    assert said.startswith(
        "Ended: The New York Times stopped publishing on 2020-10-02, Johns Hopkins on 2020-10-02: "
        "the record is complete and will not grow; 2 warnings below."
    )


def test_a_run_that_is_long_open_is_waited_for_and_told_of(stack, as_played, monkeypatch):
    said = []
    monkeypatch.setattr(backfilling, "WAITING", 0)
    monkeypatch.setattr(backfilling, "SECONDS", 0.001)
    monkeypatch.setattr(stack, "settle", lambda: stack.cloud.runtime.drain(stack.cloud.clock.now()))

    def tell(text):
        said.append(text)
        if len(said) == 3:
            stack.cloud.settle()

    assert backfilling.begin(stack.stack, DAYS)
    backfilling.enter(stack.stack, DAYS[0], tell)
    assert said == ["2020-10-01, for 0 min: 0 of 2 days entered; what the store throttles is tried again"] * 3
    monkeypatch.undo()


@ON_TIMESTREAM
def test_what_the_store_throttles_is_tried_again_and_comes_to_the_same(stack, as_played):
    refused = iter(["ThrottlingException"] * 12)
    stack.cloud.emulator.before["WriteRecords"] = lambda: next(refused, None)
    assert stack.command("backfill")[0] == DONE
    assert next(refused, None) is None
    assert stack.record == as_played
    assert stack.problems == []
    assert [message.topic for message in stack.messages] == ["daily-report"]


@ON_TIMESTREAM
def test_what_the_store_refuses_for_twelve_hours_is_told_and_the_same_command_goes_on(stack, as_played):
    stack.cloud.emulator.before["WriteRecords"] = lambda: "ThrottlingException"
    code, said = stack.command("backfill")
    assert code == AWS
    assert "The public history of 2020-10-01 was not entered: " in said
    assert {message.topic for message in stack.messages} == {"alerts"}
    del stack.cloud.emulator.before["WriteRecords"]
    code, said = stack.command("backfill")
    assert code == DONE, said
    assert stack.record == as_played
    assert stack.problems == []
    assert stack.messages[-1].topic == "daily-report"

"""Telling people: a notice is leased, sent and marked; against the emulator."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from builders import NOON
from services import Fake, Services, failing, refused

from functions import notices as notices_module
from functions.notices import MAX_NOTICES, Notices
from local.aws.emulator import Emulator
from local.aws.publication import Publication
from local.clock import Clock
from schemas.notice import ALERTS, DAILY_REPORT, MAX_SMS, MAX_SUBJECT, Notice
from storage.change import Change
from storage.errors import Unreachable
from storage.ledger import LEASE, Ledger

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("notices")]

SECOND = dt.timedelta(seconds=1)
PASSING = [refused("InvalidParameter"), EndpointConnectionError(endpoint_url="x"), refused("Throttled")]


def notice(name: str = "run/report", topic: str = DAILY_REPORT, subject: str = "Daybook: 1 row") -> Notice:
    return Notice(name, topic, subject, "Rows inserted 1\n", "Daybook: 1 inserted", "run")


class Desk:
    """A ledger and two topics, and what goes out to them."""

    def __init__(self, services: Services) -> None:
        self.ledger = Ledger(services.client("dynamodb"), services.ledger_table())
        self.sns = services.client("sns")
        self.topics = {name: self.sns.create_topic(Name=name)["TopicArn"] for name in (DAILY_REPORT, ALERTS)}
        self.clock = services.emulator.clock
        self.out: list[Publication] = services.emulator.publications
        self.out.clear()

    def tell(self, *notices: Notice) -> None:
        head = self.ledger.head()
        self.ledger.commit(Change(NOON, (head, replace(head, stamp=head.stamp + 1)), notices=notices))

    def send(self, holder: str = "request-1", now: dt.datetime = NOON, **of: Any) -> int:
        """As a function does that read the ledger at that moment; its own event may be hours older."""
        self.clock.advance_to(now)
        ledger, sns = of.get("ledger", self.ledger), of.get("sns", self.sns)
        unsent = ledger.head().unsent
        return Notices(sns, self.topics, of.get("label", "")).send(unsent, ledger, holder, NOON)

    @property
    def unsent(self) -> frozenset[str]:
        return self.ledger.head().unsent


class Dying(Ledger):
    """A ledger whose caller dies before it can mark anything sent."""

    def mark_sent(self, notice: str, now: dt.datetime) -> None:
        raise SystemExit


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Emulator(Clock.virtual(NOON)) as running:
        yield Services(running)


@pytest.fixture(autouse=True)
def at_noon(services: Services) -> None:
    services.emulator.clock._moment = NOON


@pytest.fixture
def desk(services: Services) -> Desk:
    found = Desk(services)
    found.tell(notice())
    return found


def test_a_notice_goes_to_its_topic_with_a_text_for_each_protocol_and_is_marked(desk):
    desk.tell(notice("run/failed", ALERTS, "Daybook ALERT"))
    assert desk.send() == 2
    report, alert = desk.out
    assert (alert.topic_arn, alert.subject) == (desk.topics[ALERTS], "Daybook ALERT")
    assert (report.topic_arn, report.subject) == (desk.topics[DAILY_REPORT], "Daybook: 1 row")
    assert report.structure == "json"
    assert json.loads(report.message) == {"default": "Rows inserted 1\n", "sms": "Daybook: 1 inserted"}
    assert desk.unsent == frozenset()


def test_a_notice_that_is_marked_sent_goes_out_no_second_time(desk):
    unsent = desk.unsent
    sender = Notices(desk.sns, desk.topics)
    assert [sender.send(unsent, desk.ledger, holder, NOON) for holder in ("a", "a", "b")] == [1, 0, 0]
    assert desk.send("b", NOON + 2 * LEASE) == 0
    assert sender.send(unsent, desk.ledger, "b", NOON) == 0
    assert len(desk.out) == 1


def test_a_notice_that_another_is_sending_is_left_to_it(desk):
    desk.ledger.lease("run/report", "request-1", NOON)
    assert desk.send("request-2", NOON + SECOND) == 0
    assert desk.out == []
    assert desk.unsent == {"run/report"}


@pytest.mark.parametrize(
    ("holder", "after", "sent"),
    [("request-1", SECOND, 1), ("request-2", LEASE - SECOND, 0), ("request-2", LEASE + SECOND, 1)],
)
def test_where_the_sender_died_before_marking_the_same_holder_sends_again_and_another_after_five_minutes(
    desk, holder, after, sent
):
    with pytest.raises(SystemExit):
        desk.send(ledger=Dying(desk.ledger._client, desk.ledger._table))
    assert desk.send(holder, NOON + after) == sent
    assert len(desk.out) == 1 + sent


def refusing(desk: Desk, problem: Exception) -> Any:
    """SNS, which does not take notices of this subject."""

    def publish(**request):
        if request["Subject"] == "refused":
            raise problem
        return desk.sns.publish(**request)

    return Fake(desk.sns, publish=publish)


@pytest.mark.parametrize("problem", PASSING, ids=str)
def test_a_notice_that_can_t_be_sent_holds_up_none_of_the_other_topic_and_stays_unsent(desk, problem):
    desk.tell(notice("a/failed", ALERTS, subject="refused"))
    assert desk.send(sns=refusing(desk, problem)) == 1
    assert [found.subject for found in desk.out] == ["Daybook: 1 row"]
    assert desk.unsent == {"a/failed"}
    assert desk.send() == 1


# Core bug: the oldest notice of a topic that SNS refuses for its content, and always will, is tried first by
# every invocation, and none behind it ever goes out.
def test_a_notice_that_sns_refuses_for_its_content_holds_up_none_of_its_own_topic_either(desk):
    desk.tell(notice("a/report", subject="refused"))
    assert desk.send(sns=refusing(desk, refused("InvalidParameter"))) == 1
    assert desk.unsent == {"a/report"}


def test_a_ledger_that_is_out_of_reach_stands_in_no_one_s_way_either(desk):
    def lease(*_):
        raise Unreachable("ledger", "no answer")

    unsent = desk.unsent
    broken: Any = Fake(desk.ledger, lease=lease)
    assert Notices(desk.sns, desk.topics).send(unsent, broken, "request-1", NOON) == 0
    assert (desk.out, desk.unsent) == ([], {"run/report"})


def test_after_a_notice_that_got_no_answer_no_further_one_of_its_topic_is_tried(desk):
    desk.tell(*(notice(f"a/{number}/report") for number in range(5)))
    desk.tell(*(notice(f"a/{number}/failed", ALERTS) for number in range(5)))
    tried = []

    def publish(**request):
        tried.append(request["TopicArn"])
        raise EndpointConnectionError(endpoint_url="x")

    assert desk.send(sns=Fake(desk.sns, publish=publish)) == 0
    assert sorted(tried) == sorted(desk.topics.values())


def test_of_many_notices_twenty_of_a_topic_go_out_and_the_others_by_the_next_invocation(desk):
    desk.tell(*(notice(f"a/{number:02}/report") for number in range(24)))
    desk.tell(*(notice(f"a/{number:02}/failed", ALERTS) for number in range(24)))
    assert desk.send() == 2 * MAX_NOTICES
    assert desk.send() == 9
    assert desk.unsent == frozenset()


def test_a_label_comes_before_every_text_and_each_stays_within_its_length(desk):
    desk.tell(replace(notice("run/long", ALERTS, subject="s" * MAX_SUBJECT), sms="m" * MAX_SMS))
    desk.send(label="sample")
    report, cut = desk.out
    assert report.subject == "(sample) Daybook: 1 row"
    assert report.text("email") == report.text("https") == "(sample) Rows inserted 1\n"
    assert report.text("sms") == "(sample) Daybook: 1 inserted"
    assert (len(str(cut.subject)), len(cut.text("sms"))) == (MAX_SUBJECT, MAX_SMS)


def test_what_could_not_be_sent_is_a_line_in_the_log(desk, monkeypatch):
    lines = []
    monkeypatch.setattr(
        notices_module.log, "line", lambda stage, level, **facts: lines.append((stage, facts))
    )
    desk.send(sns=Fake(desk.sns, publish=failing(PASSING[0])))
    assert [(stage, facts["notice"]) for stage, facts in lines] == [("notice not sent", "run/report")]

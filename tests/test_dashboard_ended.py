"""The page of a record whose sources have ended, and of entries made from their public history."""

import re
from dataclasses import replace

import pytest
from dashboards import NOW, SETTINGS, FakeReader, warned

from dashboard import health, text
from dashboard.cache import Desk, Snapshot
from dashboard.markup import markup
from dashboard.pages import day, frame, record, status
from dashboard.view import View
from schemas.ledger import BACKFILL, Held

ENDED = (warned("ended/nyt", "The New York Times has ended"), warned("ended/jhu", "Johns Hopkins has ended"))
BACKFILLED = "2020-03-02T12:00:00.000Z#backfill/2020-03-02"


def shown(**head: object) -> Snapshot:
    reader = FakeReader()
    reader.entered(**head)
    return Desk(reader, reader, SETTINGS, lambda: NOW, (5, 5)).look(entries=True)


def page(snapshot: Snapshot, view: View = View()) -> str:  # noqa: B008 it is frozen
    """The text of it."""
    return re.sub("<[^>]*>", "", record.first(snapshot, view)).replace("\u00a0", " ")


def test_a_ribbon_says_so_and_the_last_day_is_no_news() -> None:
    ended, going_on = page(shown(told=ENDED)), page(shown())
    assert "The New York Times stopped publishing on 28 June 2020, Johns Hopkins on 28 June 2020" in ended
    assert "the record is complete and will not grow." in ended
    assert ("on the day" in ended, "on the day" in going_on) == (False, True)
    assert ("28 June 2020, the last day" in ended, "the last day" in going_on) == (True, False)
    assert "stopped publishing" not in going_on


def test_what_was_known_on_a_date_before_was_news_then() -> None:
    assert "on the day" in page(shown(told=ENDED), View(asof=NOW.date().replace(day=15)))


def test_the_status_page_says_ended_and_no_badge_warns() -> None:
    snapshot = shown(told=ENDED)
    assert health.document(snapshot)["state"] == "ended"
    assert ">Ended<" in markup(status.page(snapshot))
    assert "Ended" not in markup(frame.badges(snapshot, state=True))


@pytest.mark.parametrize(
    ("work", "says"), [(BACKFILL, "public history has been entered since 2020-06-29 14:00")]
)
def test_while_the_history_is_entered_the_page_warns_that_no_run_is_made(work, says) -> None:
    (reason,) = health.assess(shown(held=Held("…", NOW, work))).reasons
    assert says in reason
    assert "no other run is made" in reason


def test_entries_of_the_public_history_are_marked_as_such() -> None:
    snapshot = shown()
    entries = [replace(row, run=BACKFILLED) for row in snapshot.entries or ()]
    mine = entries[0].day.date
    content = markup(day.content(entries, mine, {}, frame.HERE))
    assert "</code> from the public history" in content
    (sentence,) = text.from_history(entries)
    assert "were made later, from the sources' public history" in sentence
    assert text.from_history(snapshot.entries or ()) == []

"""Four months of the real publishing history entered as a stack's first runs, by the list of commits."""

import csv
import datetime as dt
import random

import pytest
import truth
from backfilling import Interrupted, operated, played
from in_process import Died

from dashboard.cache import Desk
from dashboard.pages import record
from dashboard.settings import Settings
from dashboard.view import View
from functions import history
from local.sources import history as tars
from ops.errors import DONE, INTERRUPTED

pytestmark = [pytest.mark.cloud, pytest.mark.data, pytest.mark.xdist_group("backfill published")]

ASKED = dt.date(2020, 10, 19)
INTERRUPTIONS, DEATHS = 10, 20


@pytest.fixture(scope="module")
def versions(data):
    names = ("nyt_us", "jhu_countries_aggregated")
    return [tars.read(data / "published" / f"{name}.tar.xz") for name in names]


@pytest.fixture(scope="module")
def months(tmp_path_factory):
    """The real list, to the end of 2020: the published versions go no further."""
    with history.LIST.open() as file:
        rows = [row for row in csv.reader(file) if row[0] < "2020-12-31T12" or row[0] == "published_at"]
    path = tmp_path_factory.mktemp("list") / "history.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "LIST", path)
        yield


@pytest.fixture(scope="module", params=["timestream", pytest.param("dynamodb", marks=pytest.mark.long)])
def shared(request, versions, months):
    with operated(request.param) as stack:
        yield stack, played(stack, versions, history.dates())


@pytest.fixture
def stack(shared, versions):
    found, _ = shared
    found.again()
    found.publish(versions)
    return found


def test_a_listed_commit_is_missing_here_and_the_newest_before_it_stands_for_it(versions, months):
    missing = [
        moment.isoformat()
        for each, commits in zip(versions, history.commits().values(), strict=True)
        for moment in commits.moments
        if moment not in each.moments
    ]
    assert missing == ["2020-11-05T06:06:50+00:00"]


@pytest.fixture
def known_then(data):
    """The newest date of the record at the end of a day, and its cases, as the files say."""
    names = ("nyt_us", "jhu_countries_aggregated")
    files = [truth.versions(data / "published" / f"{name}.tar.xz") for name in names]
    noon = history.moment_of(ASKED)
    cases, recoveries = (truth.newest(each, noon) for each in files)
    said = truth.figures(cases, recoveries, ASKED) or {}
    newest = max(said)
    return dt.date.fromisoformat(newest), said[newest][0]


def test_days_and_entries_are_those_of_play_and_the_first_page_shows_what_was_known_then(
    stack, shared, known_then
):
    code, said = stack.command("backfill")
    assert code == DONE, said
    assert "Days of the history     121 of 121\nRefused                 2\n" in said
    assert "Rows inserted           343\nRows updated            539\n" in said
    assert stack.record == shared[1]
    assert stack.problems == []
    assert len(stack.messages) == 1
    before = stack.all_of_it
    assert stack.command("backfill")[0] == DONE
    assert stack.all_of_it == before

    cloud = stack.cloud
    settings = Settings.read(cloud.stack.exports["dashboard_environment"])
    snapshot = Desk(cloud.ledger, cloud.tables, settings, cloud.clock.now, (60, 60)).look(entries=True)
    page = record.first(snapshot, View(asof=ASKED)).replace("\u00a0", " ")
    date, cases = known_then
    today = {row.day.date: row.day.counts.cases for row in cloud.tables.daily()}[date]
    assert (date, cases != today) == (dt.date(2020, 10, 11), True)  # Johns Hopkins lagged by a week
    says = f"On 19 October 2020 the record ended on 11 October, at {cases:,} cases."
    assert f"{says} Today we say {today:,} for that date." in page


def test_interrupted_ten_times_at_random_while_functions_die_it_comes_to_the_same(stack, shared):
    chance = random.Random(20201019)
    interruptions = sorted(chance.sample(range(20, 470), INTERRUPTIONS))
    deaths = set(chance.sample(range(50, 1_000), DEATHS))
    calls = 0

    def interrupt(_):
        if interruptions and stack.calls >= interruptions[0]:
            interruptions.pop(0)
            raise Interrupted

    def die(_handler, operation, request, send):
        """Before the call takes effect, or after it; a sender that dies between sending and marking sends
        twice, and that is another story."""
        nonlocal calls
        calls += 1
        if calls not in deaths or operation == "Publish":
            return send(request)
        if chance.random() < 0.5:
            send(request)
        raise Died

    stack.at_call, stack.cloud.wire.intercept = interrupt, die
    codes = []
    while not codes or codes[-1] != DONE:
        codes.append(stack.command("backfill")[0])
        if len(codes) == INTERRUPTIONS // 2:
            before = stack.runs
            stack.schedule()
            assert stack.runs == before
    assert codes == [INTERRUPTED] * INTERRUPTIONS + [DONE]
    assert calls > max(deaths)
    assert stack.record == shared[1]
    assert stack.problems == []
    assert len(stack.messages) == 1

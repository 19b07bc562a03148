"""The record for programs: what each address answers, and what it refuses."""

import csv
import datetime as dt
import gzip
import io
import json
import threading
from typing import Any

import pytest
from dashboards import (
    DAYS,
    FIRST,
    LAST,
    LAST_RUN,
    NOW,
    RESTATED,
    SETTINGS,
    FakeReader,
    counts,
    day,
    empty,
    entries,
    row,
)
from flask.testing import FlaskClient
from test_dashboard_routes import client

from dashboard import json_answers, series, vintages
from dashboard.app import create_app
from dashboard.cache import HEAD_EVERY
from dashboard.routes import vintages as routes
from dashboard.routes.vintages import Kept
from schemas import columns
from schemas.figures import Counts
from schemas.moment import moment

ADDRESSES = ("/data/days.csv", "/data/days.json", "/data/entries.csv", "/data/entries.json")


@pytest.fixture(scope="module")
def at() -> FlaskClient:
    return client()


def rows(at: FlaskClient, address: str) -> list[dict[str, str]]:
    answer = at.get(address)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def refusal(at: FlaskClient, address: str) -> tuple[int, str, str | None]:
    answer = at.get(address)
    assert answer.content_type == "application/problem+json", answer.text
    problem = json.loads(answer.text)
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["detail"], problem["parameter"]


def test_the_columns_are_these_for_ever(at):
    assert at.get("/data/days.csv").text.partition("\n")[0] == (
        "date,region,cases,deaths,recovered,recorded_at"
    )
    assert at.get("/data/entries.csv").text.partition("\n")[0] == (
        "date,region,cases,deaths,recovered,revision,lag,recorded_at"
    )


@pytest.mark.parametrize("table", ["days", "entries"])
def test_csv_and_json_have_the_same_fields_and_values(at, table):
    objects = json.loads(at.get(f"/data/{table}.json").text)[table]
    texts = [{name: "" if value is None else str(value) for name, value in one.items()} for one in objects]
    assert texts == rows(at, f"/data/{table}.csv")


@pytest.mark.parametrize(
    "as_of", ["2020-06-19", "2020-06-20", "2020-06-20T12:00:00Z", "2020-06-20T11:59:59.999Z"]
)
def test_the_days_as_of_a_moment_are_what_was_believed_then(at, as_of):
    when = moment(as_of) if "T" in as_of else dt.datetime.fromisoformat(f"{as_of}T23:59:59.999+00:00")
    believed = series.believed(entries(), when)
    found = rows(at, f"/data/days.csv?as_of={as_of}")
    assert [(one["date"], int(one["cases"])) for one in found] == [
        (str(row.day.date), row.day.counts.cases) for row in believed
    ]


def test_as_of_a_date_is_its_end_and_a_moment_has_its_zone(at):
    restated = RESTATED[0].isoformat()

    def cases(as_of: str) -> str:
        return next(
            one["cases"] for one in rows(at, f"/data/days.csv?as_of={as_of}") if one["date"] == restated
        )

    before, after = cases("2020-06-19"), cases("2020-06-20")
    assert int(after) - int(before) == 1_234
    assert cases("20200620") == cases("2020-06-20T12:00") == cases("2020-06-20T14:00%2B02:00") == after
    assert cases("2020-06-20T13:59%2B02:00") == before


def test_before_the_first_entry_there_is_a_header_and_no_day(at):
    assert at.get("/data/days.csv?as_of=2020-02-01").text.count("\n") == 1
    found = json.loads(at.get("/data/days.json?as_of=2020-02-01").text)
    assert (found["days"], found["through"], found["as_of"]) == ([], None, "2020-02-01T23:59:59.999Z")


def test_as_of_a_time_to_come_is_the_record_as_it_stands(at):
    assert at.get("/data/days.csv?as_of=9999-12-31").text == at.get("/data/days.csv").text


def test_from_and_to_are_dates_of_the_figures_both_included(at):
    found = rows(at, "/data/days.csv?from=2020-04-10&to=20200412")
    assert [one["date"] for one in found] == ["2020-04-10", "2020-04-11", "2020-04-12"]
    assert [one["date"] for one in rows(at, f"/data/days.csv?from={LAST}")] == [str(LAST)]
    assert [one["date"] for one in rows(at, f"/data/days.csv?to={FIRST}&as_of=2020-06-01")] == [str(FIRST)]
    assert rows(at, "/data/days.csv?from=2031-01-01") == []
    found = rows(at, f"/data/entries.csv?from={RESTATED[0]}&to={RESTATED[0]}")
    assert [(one["revision"], one["lag"]) for one in found] == [("1", "1"), ("2", "71")]


def test_issues_are_dates_of_entry_in_a_list_or_a_range(at):
    def issued(issues: str) -> list[tuple[str, str]]:
        return [
            (one["recorded_at"][:10], one["date"]) for one in rows(at, f"/data/entries.csv?issues={issues}")
        ]

    on_20_june = [("2020-06-20", str(date)) for date in (*RESTATED, dt.date(2020, 6, 19))]
    assert issued("2020-06-20") == issued("20200620") == on_20_june
    assert issued("2020-06-20,2020-03-02") == [("2020-03-02", str(FIRST)), *on_20_june]
    spans = ("2020-06-20--2020-06-21", "20200620-20200621", "20200620--2020-06-21")
    for span in spans:
        assert issued(span) == [*on_20_june, ("2020-06-21", "2020-06-20")]
    assert issued("2020-03-01,2031-01-01--2031-12-31") == []


def test_lag_1_is_what_was_entered_the_day_after_its_date_and_71_what_came_71_days_after(at):
    first = rows(at, "/data/entries.csv?lag=1")
    assert [one["date"] for one in first] == [str(day(number)) for number in range(DAYS)]
    assert {one["revision"] for one in first} == {"1"}
    assert [int(one["cases"]) for one in first] == [counts(number).cases for number in range(DAYS)]
    late = rows(at, "/data/entries.csv?lag=71")[-1]
    assert (late["date"], late["revision"]) == (str(RESTATED[0]), "2")
    assert rows(at, "/data/entries.csv?lag=3") == []


def test_rank_and_lag_are_those_among_all_entries_whatever_is_asked_for(at):
    (found,) = rows(at, f"/data/entries.csv?issues=2020-06-20&from={RESTATED[1]}&to={RESTATED[1]}")
    assert (found["revision"], found["lag"]) == ("2", "70")


def test_two_entries_on_the_first_day_have_one_lag_and_their_rank_tells_them_apart():
    noon = dt.datetime(2020, 3, 2, 12, tzinfo=dt.UTC)
    twice = [row(0, Counts(1, 0, 0), noon), row(0, Counts(2, 0, 0), noon + dt.timedelta(hours=6))]
    found = rows(client(FakeReader(kept=twice)), "/data/entries.csv?lag=1")
    assert [(one["revision"], one["cases"]) for one in found] == [("1", "1"), ("2", "2")]


BAD_DATES = (
    "",
    "2020-02-30",
    "2020-13-01",
    "2020-1-1",
    "2020-W01-1",
    "202001011",
    "2020-0101",
    "today",
    "٢٠٢٠-٠١-٠١",
)


@pytest.mark.parametrize("parameter", ["from", "to", "issues", "as_of"])
@pytest.mark.parametrize("value", BAD_DATES)
def test_a_date_that_is_none_is_refused_by_name(at, parameter, value):
    table = "entries" if parameter == "issues" else "days"
    status, detail, named = refusal(at, f"/data/{table}.csv?{parameter}={value}")
    assert (status, named) == (400, parameter)
    assert detail.endswith("is not a date written YYYY-MM-DD or YYYYMMDD.")


@pytest.mark.parametrize(
    "value",
    [
        "2020-10-01T",
        "2020-10-01T25:00",
        "2020-10-01T12:00+02:00",  # a plus is a blank in a query
        "2020-10-01T12:00%2B99:00",
        "0001-01-01T00:00%2B23:00",  # before the first year
        "9999-12-31T23:59-23:00",
        "2020-10-01T12:00:00.000000000000Z",
        "T",
    ],
)
def test_a_moment_that_is_none_is_refused(at, value):
    status, detail, named = refusal(at, f"/data/days.json?as_of={value}")
    assert (status, named) == (400, "as_of")
    assert detail.endswith("is not a moment like 2020-12-31T12:00:00Z.")


@pytest.mark.parametrize(
    ("query", "parameter", "words"),
    [
        ("lag=-1", "lag", "is not a number of days"),
        ("lag=", "lag", "is not a number of days"),
        ("lag=1.0", "lag", "is not a number of days"),
        ("lag=%D9%A1", "lag", "is not a number of days"),
        ("lag=999999", "lag", "is not a number of days"),
        ("issues=2020-06-20,", "issues", "is not a date"),
        ("issues=2020-06-20--", "issues", "is not a date"),
        ("issues=20200620-20200630-20200701", "issues", "is not a date"),
        ("issues=2020-06-21--2020-06-20", "issues", "lies after"),
        ("issues=" + ",".join(["20200620"] * 41), "issues", "more than 40"),
        ("from=2020-06-21&to=2020-06-20", "from", "lies after"),
        ("lag=0&lag=0", "lag", "more than once"),
        ("as_of=2020-06-20", "as_of", "is none of from, to, issues, lag"),
        ("asof=2020-06-20", "asof", "is none of"),
        ("LAG=0", "LAG", "is none of"),
        ("x" * 300, "x" * 40, "is none of"),
        ("%00=%0A", "\0", "is none of"),
        ("from=2020-06-20" + "&" * 500, None, "longer than 500"),
    ],
)
def test_what_can_t_be_meant_is_refused_with_its_reason(at, query, parameter, words):
    status, detail, named = refusal(at, f"/data/entries.csv?{query}")
    assert (status, named) == (400, parameter)
    assert words in detail


def test_issues_and_lag_are_no_parameters_of_the_days(at):
    assert refusal(at, "/data/days.csv?lag=0")[0] == refusal(at, "/data/days.csv?issues=2020-06-20")[0] == 400


def test_more_entries_than_one_answer_may_have_are_refused(monkeypatch):
    monkeypatch.setattr(vintages, "MAX_ENTRIES", 123)
    at = client()
    assert len(rows(at, "/data/entries.csv")) == 123
    monkeypatch.setattr(vintages, "MAX_ENTRIES", 122)
    status, detail, named = refusal(at, "/data/entries.json")
    assert (status, named) == (400, None)
    assert "More than 122 entries" in detail
    assert len(rows(at, "/data/entries.csv?lag=1")) == 120


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_is_known_already_is_not_sent_again(at, address):
    answer = at.get(address)
    tag, modified = answer.headers["ETag"], answer.headers["Last-Modified"]
    assert tag.startswith('W/"')
    assert modified == "Mon, 29 Jun 2020 14:00:00 GMT"
    for known in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"other", {tag}'},
        {"If-Modified-Since": modified},
    ):
        again = at.get(address, headers=known)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Access-Control-Allow-Origin"] == "*"
    for other in (
        {"If-None-Match": '"other"'},
        {"If-None-Match": '"other"', "If-Modified-Since": modified},  # the tag decides
        {"If-Modified-Since": "Mon, 29 Jun 2020 13:59:59 GMT"},
        {"If-Modified-Since": "yesterday"},
    ):
        assert at.get(address, headers=other).status_code == 200


def test_a_tag_is_the_same_for_the_same_question_and_another_for_any_other(at):
    def tag(address: str) -> str:
        return at.get(address).headers["ETag"]

    assert tag("/data/days.csv?from=2020-04-10") == tag("/data/days.csv?from=20200410")
    assert tag("/data/days.csv?as_of=2020-06-20") == tag("/data/days.csv?as_of=2020-06-20T23:59:59.999Z")
    others = [
        *ADDRESSES,
        "/data/days.csv?from=2020-04-10",
        "/data/days.csv?to=2020-04-10",
        "/data/entries.csv?lag=0",
    ]
    assert len({tag(address) for address in others}) == len(others)
    assert client(bundle="another").get("/data/days.csv").headers["ETag"] != tag("/data/days.csv")
    assert client(synthetic=True).get("/data/days.csv").headers["ETag"] != tag("/data/days.csv")


class Later:
    """A clock that is set."""

    now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.mark.parametrize("address", [*ADDRESSES, "/data/days.csv?as_of=2020-06-15"])
def test_an_entry_changes_the_tag_and_nothing_else_does(address):
    reader, clock = FakeReader(), Later()
    at = create_app(reader, reader, SETTINGS, clock=clock, patience=(5, 0.5)).server.test_client()
    before = at.get(address)
    clock.now += 2 * HEAD_EVERY
    assert at.get(address, headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    reader.kept.append(row(DAYS, counts(DAYS), LAST_RUN))
    reader.entered()
    clock.now += 2 * HEAD_EVERY
    after = at.get(address, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.headers["Last-Modified"] > before.headers["Last-Modified"]


def test_what_trails_has_a_tag_of_its_own_and_no_date():
    reader = FakeReader(hidden={day(3)})
    answer = client(reader).get("/data/days.csv")
    assert answer.headers["X-Daybook-Trailing"] == "true"
    assert "Last-Modified" not in answer.headers
    assert answer.headers["ETag"] != client().get("/data/days.csv").headers["ETag"]


@pytest.mark.parametrize("address", [*ADDRESSES, "/data/entries.csv?x", "/data/shown.csv", "/data/nothing"])
def test_a_page_of_any_other_host_may_read(at, address):
    for answer in (at.get(address), at.options(address)):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = at.options(address).headers
    assert asked["Access-Control-Allow-Headers"] == "If-None-Match, If-Modified-Since"
    assert "POST" not in asked["Access-Control-Allow-Methods"]
    assert "Access-Control-Allow-Origin" not in at.get("/status.json").headers


def test_what_is_not_there_or_may_not_be_done_is_told_as_a_problem(at):
    assert refusal(at, "/data/nothing") == (404, 'There is no "/data/nothing".', None)
    assert refusal(at, "/data/days.xml")[0] == 404
    answer = at.post("/data/days.csv", data="x=1")
    assert (answer.status_code, answer.content_type) == (405, "application/problem+json")
    assert answer.headers["Allow"].replace(" ", "").split(",") >= ["GET"]


def test_an_error_of_ours_is_told_as_a_problem_without_its_words(monkeypatch):
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret")

    at = client()
    at.application.testing = False
    monkeypatch.setattr(vintages, "lines", broken)
    status, detail, _ = refusal(at, "/data/days.csv")
    assert status == 500
    assert "secret" not in detail


@pytest.mark.parametrize("address", ADDRESSES)
def test_what_was_never_read_is_503_and_what_is_empty_is_not(address):
    status, detail, _ = refusal(client(FakeReader(broken={"store", "ledger"})), address)
    assert status == 503
    assert "have not been read yet" in detail
    assert client(empty()).get(address).status_code == 200


def test_a_wrong_question_is_refused_before_anything_is_read():
    reader = FakeReader()
    assert refusal(client(reader), "/data/entries.csv?lag=x")[0] == 400
    assert reader.asked == []


def test_a_thousand_questions_read_each_table_once():
    reader = FakeReader()
    at = client(reader)
    for number in range(1_000):
        assert at.get(f"/data/days.csv?as_of=2020-0{4 + number % 3}-1{number % 10}").status_code == 200
        assert at.get(f"/data/entries.json?lag={number}").status_code == 200
    assert (reader.asked.count("daily"), reader.asked.count("entries")) == (1, 1)


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_comes_packed_to_whom_it_may_and_the_same(at, address):
    packed = at.get(address, headers={"Accept-Encoding": "gzip"})
    plain = at.get(address)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"


def test_bodies_are_kept_within_their_limit_the_least_lately_used_going_first(monkeypatch):
    monkeypatch.setattr(routes, "MOST", 10)
    kept, made = Kept(), []

    def get(tag: str, size: int = 4) -> bytes:
        return kept.get(tag, lambda: made.append(tag) or b"x" * size)

    for tag in ("a", "b", "a", "c", "a", "b"):
        assert get(tag) == b"xxxx"
    assert made == ["a", "b", "c", "b"]
    assert get("large", 11) == b"x" * 11
    assert get("large", 11) == b"x" * 11
    assert made[4:] == ["large", "large"]
    assert get("small", 1) == b"x"


def test_many_who_ask_at_once_have_it_made_once():
    kept, made, begun = Kept(), [], threading.Barrier(20)
    bodies: list[bytes] = []

    def make() -> bytes:
        made.append(1)
        return b"body"

    def ask() -> None:
        begun.wait()
        bodies.append(kept.get("tag", make))

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(made), bodies) == (1, [b"body"] * 20)


def test_one_that_can_t_be_made_bars_no_other(monkeypatch):
    kept = Kept()
    with pytest.raises(ZeroDivisionError):
        kept.get("tag", lambda: bytes(1 // 0))
    assert kept.get("tag", lambda: b"body") == b"body"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/data/latest.csv", "/data/days.csv"),
        ("/data/latest.json", "/data/days.json"),
        ("/data/revisions.csv", "/data/entries.csv"),
        ("/data/revisions.json?day=2020-04-10", "/data/entries.json?from=2020-04-10&to=2020-04-10"),
        ("/data/revisions.csv?day=//elsewhere", "/data/entries.csv"),
    ],
)
def test_the_addresses_of_before_lead_to_those_of_now(at, old, new):
    answer = at.get(old)
    assert (answer.status_code, answer.headers["Location"]) == (308, new)


def test_the_fields_of_json_are_the_columns():
    for table, header in (("days", columns.DAYS), ("entries", columns.ENTRIES)):
        inner = json_answers.RECORD[table].fields[table].inner.schema
        assert list(inner.fields) == [column.name for column in header]

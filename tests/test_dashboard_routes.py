"""What is served beside the page: data, status, headers, plotly; and the bundle and its settings."""

import csv
import gzip
import io
import json
import zipfile
from dataclasses import fields, replace
from typing import Any

import pytest
from dashboards import NOW, RESTATED, SETTINGS, FakeReader, counts, day, empty, row, told
from flask.testing import FlaskClient
from plotly.offline import get_plotlyjs_version

from dashboard import bundle, downloads, routes
from dashboard.application import create_app
from dashboard.data import LedgerReader
from dashboard.settings import PREFIX, Settings
from schemas.day import Counts
from schemas.moment import written


def client(reader: FakeReader | None = None, **settings: Any) -> FlaskClient:
    app = create_app(
        reader or FakeReader(), replace(SETTINGS, **settings), clock=lambda: NOW, patience=(5, 5)
    )
    return app.server.test_client()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_latest_record_has_a_stable_address_as_csv() -> None:
    answer = client().get("/data/latest.csv")
    found = table(answer.text)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="daybook-record.csv"'
    assert len(found) == 120
    assert found[0]["cases"] == str(counts(0).cases)
    assert found[-1]["recovered"] == ""  # not reported, which is not 0


def test_and_as_json_with_whose_figures_they_are() -> None:
    found = json.loads(client(synthetic=True).get("/data/latest.json").text)
    assert found["days"][-1]["recovered"] is None
    assert found["synthetic"] is True
    assert "The New York Times" in found["credit"][0]
    assert "Johns Hopkins" in found["credit"][1]
    assert found["through"] == "2020-06-28"


def test_a_download_is_what_the_chart_shows() -> None:
    found = table(client().get("/data/shown.csv?show=new&span=30").text)
    assert [len(found), found[-1]["date"]] == [30, "2020-06-28"]
    assert found[-1]["cases"] == str(counts(119).cases - counts(118).cases)
    same = json.loads(client().get("/data/shown.json?show=new&span=30").text)
    assert same["days"][-1]["cases"] == counts(119).cases - counts(118).cases
    assert same["units"]["cases"] == "new a day, persons"


def test_the_record_as_it_stood_comes_with_today_s_beside_it() -> None:
    found = table(client().get("/data/shown.csv?asof=2020-06-15").text)
    one = next(row for row in found if row["date"] == RESTATED[0].isoformat())
    assert int(one["cases_today"]) - int(one["cases"]) == 1_234
    restated = table(client().get("/data/restated.csv?asof=2020-06-15").text)
    assert restated[0] | {"entered_at": "2020-06-20T12:00:00.000Z", "series": "cases"} == restated[0]


def test_every_entry_of_a_day_can_be_taken_home() -> None:
    found = table(client().get(f"/data/revisions.csv?day={RESTATED[0]}").text)
    assert [one["revision"] for one in found] == ["1", "2"]
    assert len(json.loads(client().get("/data/revisions.json").text)["entries"]) == 123


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    (found,) = csv.reader(io.StringIO(downloads.text_of([[text, -5, None]]), newline=""))
    assert found == ["'" + text, "-5", ""]


def test_a_region_that_is_a_formula_is_a_text_in_the_csv() -> None:
    reader = FakeReader()
    day_ = replace(reader.entries[0].day, region="=cmd|'/C calc'!A0")
    reader.entries[0] = replace(reader.entries[0], day=day_)
    assert table(client(reader).get("/data/latest.csv").text)[0]["region"] == "'=cmd|'/C calc'!A0"


def test_out_of_reach_from_the_start_there_is_no_file_but_the_page_answers() -> None:
    at = client(FakeReader(broken={"store", "ledger"}))
    assert at.get("/data/latest.csv").status_code == 503
    assert at.get("/").status_code == 200
    assert at.get("/healthz").text == "ok\n"
    assert json.loads(at.get("/status.json").text)["state"] == "unknown"


def test_the_status_has_its_reason_the_last_run_and_what_is_pending() -> None:
    reader = FakeReader(notices_=[told()])
    reader.files_ = [replace(file, newest=day(121)) for file in reader.files_]
    found = json.loads(client(reader).get("/status.json").text)
    assert (found["state"], found["reasons"]) == ("warning", ["2 days pending."])
    assert found["lag_days"] == 2
    assert [one["date"] for one in found["pending"]] == [day(120).isoformat(), day(121).isoformat()]
    assert found["runs"][0]["inserted"] == 1
    assert len(found["runs"]) == 30


def test_an_empty_record_is_an_empty_file() -> None:
    assert client(empty()).get("/data/latest.csv").text.count("\n") == 1


@pytest.mark.parametrize("address", ["/", "/status", "/data/latest.csv", "/assets/daybook.js", "/nowhere"])
def test_every_answer_carries_the_usual_headers(address: str) -> None:
    with client().get(address) as answer:
        headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    parts = [part.strip().partition(" ") for part in headers["Content-Security-Policy"].split(";")]
    policy = {name: rest for name, _, rest in parts}
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert "sha256-" in policy["script-src"]


def test_a_page_that_isn_t_there_says_so_to_machines_as_well() -> None:
    assert client().get("/wp-admin").status_code == 404


def test_the_page_says_its_language_and_has_no_debug_tools() -> None:
    page = client().get("/").text
    assert '<html lang="en">' in page
    assert '"ui":false' in page.replace(" ", "")
    assert client().post("/_reload-hash").status_code in {404, 405}
    assert client().get("/_mcp").status_code == 404


def test_plotly_is_the_basic_bundle_of_the_very_version_packed_beforehand() -> None:
    assert get_plotlyjs_version() in routes.PLOTLY
    answer = client().get(routes.PLOTLY_URL, headers={"Accept-Encoding": "gzip"})
    script = gzip.decompress(answer.data)
    assert len(answer.data) < 450_000
    assert f"plotly.js (basic - minified) v{get_plotlyjs_version()}".encode() in script[:200]
    assert b"Licensed under the MIT license" in script[:300]
    assert client().get(routes.PLOTLY_URL).data == script


def test_the_bundle_is_the_same_bytes_each_time_and_holds_what_it_needs() -> None:
    assert bundle.packed() == bundle.packed()
    with zipfile.ZipFile(io.BytesIO(bundle.packed())) as found:
        names = found.namelist()
        procfile = found.read("Procfile").decode()
    assert names == sorted(names)
    assert not [
        name for name in names if "__pycache__" in name or name.startswith(("functions", "tests", "local"))
    ]
    assert {"Procfile", "requirements.txt", "dashboard/data.py", "schemas/tables.py"} <= set(names)
    assert procfile.startswith("web: gunicorn --bind :8000 ")


def test_every_asset_is_in_the_bundle() -> None:
    assert sorted(path.name for path in routes.ASSETS.iterdir()) == sorted(bundle.ASSETS)


def test_the_bundle_s_requirements_are_locked_by_hash_and_name_no_address() -> None:
    text = bundle.files()["requirements.txt"].decode()
    packages = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert packages
    assert all(line.endswith("\\") for line in packages)  # its hashes are on the lines that follow
    assert "://" not in text


def test_settings_are_read_from_the_environment_and_all_that_is_missing_is_named() -> None:
    names = {PREFIX + field.name.upper(): "1" for field in fields(Settings)} | {"DAYBOOK_SYNTHETIC": "false"}
    found = Settings.read(names)
    assert (found.stale_after_hours, found.synthetic) == (1, False)
    with pytest.raises(KeyError, match="DAYBOOK_DATABASE, DAYBOOK_STACK"):
        Settings.read({name: "1" for name in names if name not in {"DAYBOOK_STACK", "DAYBOOK_DATABASE"}})
    with pytest.raises(ValueError, match="DAYBOOK_SYNTHETIC is true or false, not 'yes'"):
        Settings.read(names | {"DAYBOOK_SYNTHETIC": "yes"})


class Table:
    """DynamoDB's answers, a page of one item at a time."""

    def __init__(self, items: list[dict[str, Any]]) -> None:
        self.items = items

    def query(self, **request: Any) -> dict[str, Any]:
        prefix = request["ExpressionAttributeValues"][":prefix"]["S"]
        found = sorted((item for item in self.items if item["entry"]["S"].startswith(prefix)), key=str)
        if not request.get("ScanIndexForward", True):
            found.reverse()
        start = request.get("ExclusiveStartKey", 0)
        page: dict[str, Any] = {"Items": found[start : start + 1]}
        return page | ({"LastEvaluatedKey": start + 1} if start + 1 < len(found) else {})


def test_the_reader_reads_the_ledger_page_by_page() -> None:
    from schemas import tables
    from schemas.notice import ALERTS, Notice
    from schemas.run import SourceFile

    notices = [
        Notice(f"2020-06-{number}T12:00:00.000Z#r/report", ALERTS, "s", "e", "m", None) for number in (11, 12)
    ]
    aside = Notice("aside/7", ALERTS, "s", "e", "m", None)
    items = [
        tables.notice_item(notice, NOW.replace(day=day))
        for notice, day in zip([*notices, aside], (11, 12, 13), strict=True)
    ]
    items.append(tables.file_item(SourceFile("nyt", "a" * 64, 3, day(2), NOW)))
    items.append(tables.checked_item("jhu", NOW))
    wire = [tables.attributes(item) for item in items]
    reader = LedgerReader(Table(wire), "ledger")
    assert [one.notice.id for one in reader.notices()] == ["aside/7", notices[1].id, notices[0].id]
    assert [one.notice.id for one in reader.notices(1)] == ["aside/7"]
    assert [file.source for file in reader.files()] == ["nyt"]
    assert reader.notices()[0].sent_at is None


def test_an_entry_as_json_says_when_it_was_entered() -> None:
    found = downloads.entry(row(0, Counts(1, 0, None), NOW))
    assert found["recorded_at"] == written(NOW)
    assert found["recovered"] is None

"""What is served beside the page: data, status, headers, plotly; and the bundle and its settings."""

import csv
import gzip
import io
import json
import threading
import zipfile
from dataclasses import fields, replace
from typing import Any

import brotli
import pytest
from dashboards import (
    LAST_RUN,
    NOW,
    RESTATED,
    SETTINGS,
    FakeReader,
    counts,
    current,
    day,
    empty,
    run,
    told,
    warned,
)
from flask.testing import FlaskClient
from plotly.offline import get_plotlyjs_version

from dashboard import bundle
from dashboard.app import create_app
from dashboard.routes import data, http
from dashboard.routes.http import ASSETS, PLOTLY, PLOTLY_URL
from dashboard.settings import PREFIX, Settings
from storage.errors import Unreachable
from storage.tables import Row


def client(reader: FakeReader | None = None, **settings: Any) -> FlaskClient:
    found = reader or FakeReader()
    app = create_app(found, found, replace(SETTINGS, **settings), clock=lambda: NOW, patience=(5, 0.5))
    return app.server.test_client()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_latest_record_has_a_stable_address_as_csv() -> None:
    answer = client().get("/data/days.csv")
    found = table(answer.text)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="daybook-days.csv"'
    assert len(found) == 120
    assert found[0]["cases"] == str(counts(0).cases)
    assert found[-1]["recovered"] == ""  # not reported, which is not 0


def test_and_as_json_with_whose_figures_they_are() -> None:
    found = json.loads(client(synthetic=True).get("/data/days.json").text)
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


def test_a_file_is_named_after_the_query_and_its_figures_are_rounded_as_the_page_writes_them() -> None:
    answer = client().get("/data/shown.csv?show=average&per=per100k&asof=2020-06-15&start=2020-06-01")
    name = "daybook-average-per100k-2020-06-01-to-2020-06-28-as-of-2020-06-15.csv"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    written_ = [value for one in table(answer.text) for key, value in one.items() if key != "date" and value]
    assert written_
    assert all(len(value.partition(".")[2]) <= 2 for value in written_)
    restated = client().get("/data/restated.csv?show=new&asof=2020-06-15")
    assert "daybook-restated-new-2020-03-01" in restated.headers["Content-Disposition"]
    assert {one["unit"] for one in table(restated.text)} == {"new a day, persons"}


def test_the_csv_comes_with_its_unit_credit_and_address_beside_it_or_in_one_zip() -> None:
    query = "?show=total&span=30&asof=2020-06-15"
    at = client(synthetic=True)
    shown = at.get(f"/data/shown.csv{query}")
    assert f"</data/metadata.json{query}>" in shown.headers["Link"]
    about = json.loads(at.get(f"/data/metadata.json{query}").text)
    assert about["units"].keys() == table(shown.text)[0].keys() - {"date"}
    assert about["units"]["cases_today"] == "total to date, persons"
    assert (about["as_of"], about["through"], about["synthetic"]) == ("2020-06-15", "2020-06-14", True)
    assert about["page"] == f"http://localhost/{query}"
    assert "The New York Times" in about["credit"][0]
    with zipfile.ZipFile(io.BytesIO(at.get(f"/data/shown.zip{query}").data)) as bundle_:
        name, metadata = bundle_.namelist()
        assert bundle_.read(name).decode() == shown.text
        assert json.loads(bundle_.read(metadata)) == about
    assert name == "daybook-synthetic-total-2020-05-16-to-2020-06-14-as-of-2020-06-15.csv"


def test_what_was_never_read_is_told_as_that_on_every_page() -> None:
    class Hanging(FakeReader):
        gate = threading.Event()

        def head(self) -> Any:
            self.gate.wait(10)
            return super().head()

    reader = Hanging()
    at = create_app(reader, reader, SETTINGS, clock=lambda: NOW, patience=(0.05, 0.05)).server.test_client()
    for path, search in (("/", "?asof=2020-06-15"), ("/status", "")):
        text = drawn(at, path, search)
        assert "have not been read yet" in text
        assert "Nothing had been entered" not in text
        assert "no date yet" not in text
    assert at.get("/data/shown.csv").status_code == 503
    assert at.get("/data/shown.zip").status_code == 503
    assert at.get("/data/metadata.json").status_code == 503
    reader.gate.set()


def test_the_record_as_it_stood_comes_with_today_s_beside_it() -> None:
    found = table(client().get("/data/shown.csv?asof=2020-06-15").text)
    one = next(row for row in found if row["date"] == RESTATED[0].isoformat())
    assert int(one["cases_today"]) - int(one["cases"]) == 1_234
    restated = table(client().get("/data/restated.csv?asof=2020-06-15").text)
    assert restated[0] | {"entered_at": "2020-06-20T12:00:00.000Z", "series": "cases"} == restated[0]


def test_every_entry_of_a_day_can_be_taken_home() -> None:
    found = table(client().get(f"/data/entries.csv?from={RESTATED[0]}&to={RESTATED[0]}").text)
    assert [one["revision"] for one in found] == ["1", "2"]
    assert len(json.loads(client().get("/data/entries.json").text)["entries"]) == 123


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str) -> None:
    (found,) = csv.reader(io.StringIO(data.csv_text([[text, -5, None]]), newline=""))
    assert found == ["'" + text, "-5", ""]


def test_out_of_reach_from_the_start_there_is_no_file_but_the_page_answers() -> None:
    at = client(FakeReader(broken={"store", "ledger"}))
    assert at.get("/data/days.csv").status_code == 503
    assert at.get("/").status_code == 200
    assert at.get("/healthz").text == "ok\n"
    assert json.loads(at.get("/status.json").text)["state"] == "unknown"


def test_the_status_has_its_reason_the_last_run_and_what_is_pending() -> None:
    reader = FakeReader(notices_=[told()])
    reader.owe(run(state="incomplete", pending=(day(120), day(121))), newest=day(121))
    found = json.loads(client(reader).get("/status.json").text)
    assert found["reasons"] == ["1 run still owes days after an hour.", "2 days pending."]
    assert found["lag_days"] == 2
    assert [one["date"] for one in found["pending"]] == [day(120).isoformat(), day(121).isoformat()]
    assert found["runs"][0]["inserted"] == 1
    assert len(found["runs"]) == 30


MADE_OF_ENTRIES = (
    "/data/entries.csv",
    "/data/entries.json",
    "/data/restated.csv?asof=2020-06-15",
    "/data/shown.csv?asof=2020-06-15",
    "/data/shown.json?asof=2020-06-15",
)


class Unread(FakeReader):
    """Its entries can't be read; the days can."""

    def entries(self) -> list[Row]:
        raise Unreachable("store", "timed out")


class Slow(FakeReader):
    """Its entries take longer than a visitor waits."""

    gate = threading.Event()

    def entries(self) -> list[Row]:
        self.gate.wait(10)
        return super().entries()


@pytest.mark.parametrize("address", MADE_OF_ENTRIES)
@pytest.mark.parametrize("kind", [Unread, Slow])
def test_what_can_t_be_read_is_not_empty(kind: type[FakeReader], address: str) -> None:
    Slow.gate.clear()
    at = client(kind())
    assert at.get("/data/days.csv").status_code == 200
    answer = at.get(address)
    Slow.gate.set()
    assert answer.status_code == 503
    assert "have not been read yet" in answer.text
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.parametrize("address", MADE_OF_ENTRIES)
def test_an_answer_trails_when_what_it_is_made_of_does(address: str) -> None:
    class Partly(FakeReader):
        def entries(self) -> list[Row]:
            return [
                one for one in super().entries() if one not in current(self.kept) or one.day.date != day(5)
            ]

    at = client(Partly())
    assert at.get("/data/days.csv").headers["X-Daybook-Trailing"] == "false"
    assert at.get(address).headers["X-Daybook-Trailing"] == "true"
    assert client().get(address).headers["X-Daybook-Trailing"] == "false"


def test_a_day_as_it_stands_has_no_revision_and_an_entry_has_its_rank() -> None:
    assert "revision" not in client().get("/data/days.csv").text
    assert "revision" not in client().get("/data/days.json").text
    found = json.loads(client().get("/data/entries.json").text)["entries"]
    assert [one["revision"] for one in found if one["date"] == RESTATED[1].isoformat()] == [1, 2]


REQUEST = "5c1b2f4e-9d0a-4b6e-8f7d-0123456789ab"
SECRETS = ("arn:aws", "123456789012", "daybook-prod-fetcher", REQUEST, "request-1")
ARN = "arn:aws:sts::123456789012:assumed-role/daybook-prod-fetcher/daybook-prod-fetcher"
WORDS = (
    f"User: {ARN} is not authorized to perform: kinesis:PutRecords on resource: "
    f"arn:aws:kinesis:us-east-1:123456789012:stream/daybook-prod-stream (RequestId: {REQUEST})"
)
PUBLIC = (
    "/",
    "/status",
    "/status.json",
    "/healthz",
    "/data/days.csv",
    "/data/days.json",
    "/data/shown.csv",
    *MADE_OF_ENTRIES,
    "/data/entries.csv?from=2020-03-01&to=2020-03-01",
    "/day/2020-03-01",
    "/revisions",
    "/embed",
    "/feed.atom",
)


def test_no_public_answer_names_the_account_or_a_request() -> None:
    reader = FakeReader()
    failed = run(state="failed", request=REQUEST, reasons=(WORDS,), reason_count=1, trigger=WORDS, code=WORDS)
    owing = run(LAST_RUN, "incomplete", request=REQUEST, pending=(day(120),), reasons=(WORDS,))
    reader.runs_[:2] = [failed, owing]
    reader.notices_ = [told(WORDS, f"{WORDS}\nStack prod, run {owing.name}\n"), told(email=run().name)]
    warnings = tuple(warned(f"{kind}/nyt", WORDS) for kind in ("ended", "behind", "gap"))
    reader.owe(owing, told=warnings, failures=(failed.name,), unsent=frozenset({f"{failed.name}/failed"}))
    at = client(reader)
    texts = {address: at.get(address).text for address in PUBLIC}
    texts["drawn /status"], texts["drawn /"] = drawn(at, "/status"), drawn(at, "/")
    reader.broken = {"store", "ledger"}
    texts["out of reach"] = drawn(client(reader), "/status") + client(reader).get("/status.json").text
    for address, text in texts.items():
        assert [secret for secret in SECRETS if secret in text] == [], address
    assert "is not authorized to perform: kinesis:PutRecords" in texts["/status.json"]
    assert "Stack prod, run 2020-06-29T12:00:00.000Z" in texts["drawn /status"]


def drawn(at: FlaskClient, path: str, search: str = "") -> str:
    """What the page's callback answers."""
    (callback,) = (
        one for one in json.loads(at.get("/_dash-dependencies").text) if "pathname" in str(one["inputs"])
    )
    values = {"pathname": path, "search": search}
    outputs = [
        dict(zip(("id", "property"), name.rsplit(".", 1), strict=True))
        for name in callback["output"].strip(".").split("...")
    ]
    answer = at.post(
        "/_dash-update-component",
        json={
            "output": callback["output"],
            "outputs": outputs,
            "inputs": [one | {"value": values.get(one["property"])} for one in callback["inputs"]],
            "state": [one | {"value": None} for one in callback["state"]],
            "changedPropIds": [],
        },
    )
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_empty_record_is_an_empty_file() -> None:
    assert client(empty()).get("/data/days.csv").text.count("\n") == 1


@pytest.mark.parametrize("address", ["/", "/status", "/data/days.csv", "/assets/daybook.js", "/nowhere"])
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
    assert get_plotlyjs_version() in PLOTLY
    script = client().get(PLOTLY_URL).data
    assert f"plotly.js (basic - minified) v{get_plotlyjs_version()}".encode() in script[:200]
    assert b"Licensed under the MIT license" in script[:300]
    assert script == http.plotly_script()
    assert len(client().get(PLOTLY_URL, headers={"Accept-Encoding": "br"}).data) < 350_000


@pytest.mark.parametrize(
    "address", [PLOTLY_URL, "/_dash-layout", "/revisions", "/feed.atom", "/data/days.json"]
)
@pytest.mark.parametrize(
    ("asked", "encoding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("identity", None),
        ("", None),
    ],
)
def test_an_answer_is_packed_as_the_browser_asks_and_caches_keep_them_apart(
    address: str, asked: str, encoding: str | None
) -> None:
    at = client()
    unpacked = at.get(address)
    answer = at.get(address, headers={"Accept-Encoding": asked})
    assert answer.headers.get("Content-Encoding") == encoding
    assert "Accept-Encoding" in answer.headers["Vary"]
    unpack = {"br": brotli.decompress, "gzip": gzip.decompress}.get(encoding or "", bytes)
    assert unpack(answer.data) == unpacked.data


def test_the_bundle_is_the_same_bytes_each_time_and_holds_what_it_needs() -> None:
    assert bundle.packed() == bundle.packed()
    with zipfile.ZipFile(io.BytesIO(bundle.packed())) as found:
        names = found.namelist()
        procfile = found.read("Procfile").decode()
    assert names == sorted(names)
    assert not [
        name for name in names if "__pycache__" in name or name.startswith(("functions", "tests", "local"))
    ]
    assert {
        "Procfile",
        "requirements.txt",
        "dashboard/cache.py",
        "dashboard/pages/record.py",
        "storage/ledger.py",
    } <= set(names)
    assert procfile.startswith("web: gunicorn --bind :8000 ")


def test_every_asset_is_in_the_bundle() -> None:
    assert sorted(path.name for path in ASSETS.iterdir()) == sorted(bundle.ASSETS)


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

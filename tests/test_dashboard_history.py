"""The pages of the record's history as served and as files: every figure, address and header of them."""

import datetime as dt
import html
import json
import re
import threading
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest
from dashboards import NOW, RESTATED, SETTINGS, FakeReader, counts, current, empty, entries, row, run
from flask.testing import FlaskClient
from test_dashboard_routes import drawn as answered
from test_dashboard_settling import published, rows

from dashboard import citing, drawing, series
from dashboard.app import create_app
from dashboard.markup import element, markup
from dashboard.view import View, read
from schemas.figures import Counts

ATOM = "{http://www.w3.org/2005/Atom}"
MARK = re.compile(r'<a href="/day/([0-9-]+)" tabindex="-1"><rect.*?<title>(.*?)</title>')


def client(reader: FakeReader | None = None, **settings: Any) -> FlaskClient:
    found = reader or FakeReader()
    settings_ = replace(SETTINGS, **settings)
    return create_app(found, found, settings_, clock=lambda: NOW, patience=(5, 0.5)).server.test_client()


class Tables(HTMLParser):
    """Each table's rows as texts; what is in a cell's own element follows a line end."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._in = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self._in = True
            self.tables[-1][-1].append("")
        elif tag == "div" and self._in:
            self.tables[-1][-1][-1] += "\n"

    def handle_endtag(self, tag: str) -> None:
        self._in = self._in and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._in:
            self.tables[-1][-1][-1] += data


def plain(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page)).replace("\xa0", " ")).strip()


def feed(document: bytes) -> ET.Element:
    return ET.fromstring(document)  # noqa: S314 our own


def number(text: str) -> int | None:
    return None if text == "not reported" else int(text.replace(",", "").replace("−", "-"))


def test_a_days_page_lists_each_answer_when_it_came_by_which_run_and_from_which_files() -> None:
    reader = FakeReader()
    name = "2020-06-20T12:00:00.000Z#a-request"
    reader.kept = [replace(one, run=name) if one.day.date in RESTATED else one for one in reader.kept]
    reader.runs_ = [
        run(dt.datetime(2020, 6, 20, 12, tzinfo=dt.UTC), request="a-request", files={"nyt": "ab" * 32})
    ]
    page = client(reader).get("/day/2020-04-10").text
    before, after = (
        counts(40),
        Counts(counts(40).cases + 1_234, counts(40).deaths, (counts(40).recovered or 0) + 50),
    )
    then, every = Tables(page).tables
    old, new = before.cases - counts(39).cases, after.cases - counts(39).cases
    assert then[1][1:6] == [f"{before.cases:,}", f"{after.cases:,}", "+1,234", "+0.20\xa0%", "2"]
    assert then[2][1:6] == [f"{old:,}", f"{new:,}", "+1,234", f"+{123_400 / old:.2f}\xa0%", "2"]
    first, second = every[1:]
    assert first[:5] == ["1", "11\xa0April\xa02020, 12:00\xa0UTC"] + [
        f"{value:,}" for value in before.values.values() if value is not None
    ]
    assert second[2:5] == [f"{after.cases:,}\n+1,234", f"{after.deaths:,}", f"{after.recovered:,}\n+50"]
    assert second[-3:] == ["2020-06-20T12:00:00.000Z", "abababababab", "not known"]
    assert f'title="{"ab" * 32}"' in page
    assert "a-request" not in page  # an account's names are not for everybody
    assert 'href="/day/2020-04-09" rel="prev"' in page
    assert 'href="/day/2020-04-11" rel="next"' in page
    assert "two answers in all" in plain(page)
    assert '<meta property="og:title" content="Daybook: Friday, 10\xa0April\xa02020">' in page


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (
            "/day/2019-10-05",
            404,
            "The record has nothing of 5 October 2019. It spans 1 March 2020 to 28 June 2020.",
        ),
        ("/day/2020-02-30", 404, "That is no date as YYYY-MM-DD."),
        ("/day/%3Cscript%3E", 404, "That is no date as YYYY-MM-DD."),
        ("/day/2020-06-28", 200, "has said so ever since"),
        ("/revisions", 200, "3 restatements of 3 days since the record began on 2 March 2020"),
        (
            "/revisions?series=deaths&show=total",
            200,
            "No figure of deaths, total to date, was ever restated.",
        ),
        ("/revisions?series=<b>&show=1", 200, "3 restatements of 3 days"),
        ("/embed?start=2021-01-01", 200, "There are no figures of these days."),
    ],
)
def test_each_address_is_answered_in_words(path: str, status: int, words: str) -> None:
    answer = client().get(path)
    assert answer.status_code == status
    assert words in plain(answer.text)
    assert "<b>" not in answer.text.partition("</title>")[0]


def test_what_was_never_read_is_not_said_to_be_empty_and_what_is_empty_is() -> None:
    class Hanging(FakeReader):
        gate = threading.Event()

        def head(self) -> Any:
            self.gate.wait(30)
            return super().head()

    reader = Hanging()
    hanging = create_app(
        reader, reader, SETTINGS, clock=lambda: NOW, patience=(0.05, 0.05)
    ).server.test_client()
    for path in ("/day/2020-06-28", "/revisions", "/embed", "/feed.atom"):
        answer = hanging.get(path)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    reader.gate.set()
    new = client(empty())
    assert (new.get("/day/2020-06-28").status_code, new.get("/revisions").status_code) == (404, 200)
    assert "Nothing has been entered yet." in new.get("/revisions").text
    assert "<entry>" not in new.get("/feed.atom").text


def test_every_page_is_answered_from_memory_and_an_entry_is_on_it_at_once() -> None:
    reader = FakeReader()
    now = [NOW]
    app = create_app(reader, reader, SETTINGS, clock=lambda: now[0], patience=(5, 5))
    at = app.server.test_client()
    paths = [
        "/day/2020-04-10",
        "/revisions",
        "/revisions?series=recovered",
        "/embed",
        "/feed.atom",
        "/day/2020-05-01",
    ]
    first = [at.get(path).text for path in paths]
    asked = len(reader.asked)
    assert [at.get(path).text for path in paths] == first
    assert len(reader.asked) == asked
    found = Counts(counts(40).cases + 5, counts(40).deaths, counts(40).recovered)
    reader.kept = [*reader.kept, row(40, found, NOW)]
    reader.kept.sort(key=lambda one: (one.day.date, one.version))
    reader.entered()
    now[0] += dt.timedelta(minutes=1)
    after = [at.get(path).text for path in paths]
    assert "three answers in all" in plain(after[0])
    assert [one == other for one, other in zip(first, after, strict=True)] == [False] * 5 + [True]


def test_embed_may_be_framed_and_nothing_else() -> None:
    at = client()
    for path in (
        "/",
        "/day/2020-04-10",
        "/revisions",
        "/feed.atom",
        "/data/days.csv",
        "/embedded",
        "/nowhere",
    ):
        headers = at.get(path).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    embedded = at.get("/embed?show=new")
    assert "X-Frame-Options" not in embedded.headers
    assert "frame-ancestors *" in embedded.headers["Content-Security-Policy"]
    assert "script-src" not in embedded.headers["Content-Security-Policy"]
    assert "<script" not in embedded.text
    assert 'target="_top"' in embedded.text


@pytest.mark.parametrize("synthetic", [False, True])
def test_made_up_figures_are_called_that_on_every_page(synthetic: bool) -> None:
    at = client(synthetic=synthetic)
    for path in ("/day/2020-04-10", "/revisions", "/embed"):
        assert ("Synthetic sample" in at.get(path).text) is synthetic


def test_the_feed_names_each_run_once_and_for_ever() -> None:
    texts = [client().get("/feed.atom"), client().get("/feed.atom")]
    assert texts[0].content_type == "application/atom+xml; charset=utf-8"
    found = [feed(answer.data) for answer in texts]
    ids = [[entry.findtext(f"{ATOM}id") for entry in one.iter(f"{ATOM}entry")] for one in found]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(ids[0]) == 1  # one run made all that is made up
    (only,) = found[0].iter(f"{ATOM}entry")
    reader = FakeReader(kept=[replace(one, run=str(one.version)) for one in entries()])
    every = list(feed(client(reader).get("/feed.atom").data).iter(f"{ATOM}entry"))
    (restated,) = [entry for entry in every if "restated" in (entry.findtext(f"{ATOM}title") or "")]
    assert restated.findtext(f"{ATOM}updated") == "2020-06-20T12:00:00.000Z"
    content = restated.findtext(f"{ATOM}content") or ""
    assert '<a href="http://localhost/day/2020-04-10">' in content
    assert "+1,234" in content
    moments = [entry.findtext(f"{ATOM}updated") or "" for entry in every]
    assert moments == sorted(moments, reverse=True)
    assert only.find(f"{ATOM}link") is not None


@pytest.mark.parametrize(
    ("headers", "root"),
    [
        ({"Host": "daybook.test"}, "http://daybook.test/"),
        ({"Host": "d1.cloudfront.net", "X-Amz-Cf-Id": "x"}, "https://d1.cloudfront.net/"),
        ({"Host": "a.us-east-1.elasticbeanstalk.com", "X-Amz-Cf-Id": "x"}, "/"),
        ({"Host": "a.us-east-1.elasticbeanstalk.com"}, "http://a.us-east-1.elasticbeanstalk.com/"),
    ],
)
def test_every_address_in_the_feed_is_where_its_reader_is(headers: dict[str, str], root: str) -> None:
    document = feed(client().get("/feed.atom", headers=headers).data)
    addresses = [link.get("href") or "" for link in document.iter(f"{ATOM}link")]
    assert f"{root}feed.atom" in addresses
    assert all(address.startswith(root) for address in addresses)


def test_a_shared_address_gives_the_same_figures_whatever_is_entered_later() -> None:
    reader = FakeReader()
    at = client(reader)
    page = drawn(at, "/", "?show=new&asof=2020-06-15")
    (address,) = re.findall(r'"children": \["", .*?"(/\?show=new[^"]*)"', json.dumps(page["sharing"]))[:1]
    asked = parse_qs(urlsplit(address).query, keep_blank_values=True)
    assert asked == {
        "show": ["new"],
        "scale": ["linear"],
        "per": ["count"],
        "span": [""],
        "asof": ["2020-06-15"],
        "known": ["2020-06-29T12:00:00.000Z"],
    }
    query = address.removeprefix("/")
    paths = [f"/data/shown.csv{query}", f"/data/restated.csv{query}", f"/embed{query}"]
    before = [at.get(path).text for path in paths]
    assert before[0] == at.get("/data/shown.csv?show=new&asof=2020-06-15").text
    reader.kept = [*reader.kept, row(119, counts(60), NOW), row(120, counts(120), NOW)]
    reader.kept.sort(key=lambda one: (one.day.date, one.version))
    later = client(reader)
    assert [later.get(path).text for path in paths] == before
    assert later.get("/data/shown.csv?show=new&asof=2020-06-15").text != before[0]
    tiles = json.dumps(drawn(later, "/", query)["tiles"])
    assert tiles == json.dumps(page["tiles"])


def test_a_citation_has_both_moments_and_whose_figures_they_are() -> None:
    seen = series.see(current(entries()), read("?show=new&per=per100k&asof=2020-06-15"), entries())
    cited = citing.citation(seen, "https://example.org").replace("\xa0", " ")
    assert cited.startswith("The New York Times and CSSE at Johns Hopkins University: “COVID-19")
    assert "new a day, per 100,000 people, 1 March 2020 to 28 June 2020" in cited
    assert "as known when 15 June 2020 ended, and as known on 29 June 2020, 12:00 UTC”" in cited
    assert "https://example.org/?show=new&" in cited
    bibtex = citing.bibtex(seen, "https://example.org")
    assert bibtex.count("{") == bibtex.count("}")
    assert "year = {2020}" in bibtex
    assert "&amp;per=per100k&amp;" in citing.frame(seen, "https://example.org")
    assert read(urlsplit(citing.address(seen, "")).query) == citing.pinned(seen)


@pytest.mark.parametrize(
    "text", ["2020-06-29", "2020-13-29T12:00:00.000Z", "2020-06-29T12:00:00.000", "x" * 24]
)
def test_a_moment_that_there_is_not_is_as_if_it_were_not_there(text: str) -> None:
    assert read(f"?known={text}") == View()


def test_the_title_of_a_shared_view_says_what_it_shows() -> None:
    page = client().get("/?show=new&asof=2020-06-15").text
    title = "COVID-19 in the United States: new a day, persons, as known when 15\xa0June\xa02020 ended"
    assert f'<meta property="og:title" content="{title}">' in page
    assert f"<title>{title}</title>" in page
    assert 'type="application/atom+xml" href="/feed.atom"' in page


def test_markup_is_what_a_browser_would_be_given_by_the_script() -> None:
    from dash import dcc
    from dash import html as dash

    text = dash.Div(
        [dash.A("1 < 2", href='/?a="b"&c', tabIndex=0), dash.Br(), None, 3], className="x", hidden=True
    )
    assert (
        markup(text)
        == '<div class="x" hidden><a href="/?a=&#34;b&#34;&amp;c" tabindex="0">1 &lt; 2</a><br>3</div>'
    )
    assert (
        element("rect", class_="up", stroke_width=2, hidden=False)
        == '<rect class="up" stroke-width="2"></rect>'
    )
    with pytest.raises(TypeError, match="Store"):
        markup(dash.P(dcc.Store(id="s")))


@pytest.mark.parametrize(
    ("low", "high", "whole", "expected"),
    [
        (7_486_927, 7_507_986, True, [7_490_000, 7_500_000]),
        (0, 3, True, [0, 1, 2, 3]),
        (5, 5, True, [5]),
        (425, 429, True, [425, 426, 427, 428, 429]),
        (0, 0.9, False, [0, 0.5]),
    ],
)
def test_ticks_are_round_and_lie_within(low: float, high: float, whole: bool, expected: list[float]) -> None:
    assert drawing.ticks(low, high, whole=whole) == expected


@pytest.mark.data
def test_every_figure_of_every_days_page_and_of_the_map_is_as_published(data: Any) -> None:
    revisions = published(data)
    reader = FakeReader(kept=sorted(rows(revisions), key=lambda one: (one.day.date, one.version)))
    at = client(reader)
    by_date: dict[str, list[tuple[dt.datetime, tuple[int, int, int | None]]]] = {}
    for moment, date, figures, _ in revisions:
        by_date.setdefault(date, []).append((moment, figures))
    checked = 0
    for date, given in by_date.items():
        listed = Tables(at.get(f"/day/{date}").text).tables[-1][1:]
        assert len(listed) == len(given)
        before: tuple[int, int, int | None] | None = None
        for line, (moment, figures) in zip(listed, given, strict=True):
            assert line[1].replace("\xa0", " ") == f"{moment.day} {moment:%B %Y, %H:%M} UTC"
            for place, value in enumerate(figures):
                said, _, change = line[2 + place].partition("\n")
                assert number(said) == value
                old = None if before is None else before[place]
                changed = old is not None and value is not None and old != value
                assert (number(change) if change else None) == (value - old if changed else None)  # type: ignore[operator]
                checked += 1
            before = figures
    assert (len(by_date), checked) == (343, 882 * 3)
    changes = set()
    for date, given in by_date.items():
        for (_, (old, *_)), (moment, (new, *_)) in pairwise(given):
            if old != new:
                changes.add((date, f"{new - old:+,}".replace("-", "−"), f"{moment.day} {moment:%B %Y}"))
    marks = MARK.findall(at.get("/revisions").text)
    drawn_ = {
        (
            date,
            title.replace("\xa0", " ").split(": ")[1].split()[0],
            title.replace("\xa0", " ").split(" on ")[1],
        )
        for date, title in marks
    }
    assert (len(marks), drawn_) == (527, changes)
    page = plain(at.get("/revisions").text)
    assert "98 first totals of cases lie within 0.1 % of what is said today" in page
    assert "Of 117 first daily figures, 56 do." in page


def drawn(at: FlaskClient, path: str, search: str) -> dict[str, Any]:
    """What the page holds by id, as its script asks for it."""
    response = json.loads(answered(at, path, search))["response"]
    return {name: next(iter(value.values())) for name, value in response.items()}

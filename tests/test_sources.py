"""The sources over HTTP, against servers on loopback that do wrong exactly what a test says."""

import gzip
import socket
import ssl
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from misbehaving import Connection, Server, answer, only_loopback, self_signed, serving, without_waits

from functions import sources
from functions.errors import SourceUnavailable
from functions.sources import MAX_ATTEMPTS, MAX_REDIRECTS, Fetched

SHORT = 0.5  # seconds: a deadline that a test can wait for
ASKED = {"nyt": '"n1"', "jhu": '"j1"'}


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    return without_waits(monkeypatch)


@pytest.fixture(autouse=True)
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return only_loopback(monkeypatch)


# Whole


def test_both_files_come_whole_with_their_etags(server):
    server.answers["nyt"] = [answer(b"date,cases\n", ETag='"n1"')]
    server.answers["jhu"] = [answer(b"Date,Country\n", ETag='W/"j1"')]
    assert server.sources().fetch() == Fetched(
        {"nyt": b"date,cases\n", "jhu": b"Date,Country\n"}, {"nyt": '"n1"', "jhu": 'W/"j1"'}
    )
    assert all("if-none-match" not in headers for _, headers in server.requests)


def test_a_compressed_body_is_not_asked_for_and_given_as_it_is_where_it_comes_all_the_same(server):
    packed = gzip.compress(b"date,cases\n", mtime=0)
    server.answers["nyt"] = [answer(packed, Content_Encoding="gzip")]
    assert server.sources().fetch().files["nyt"] == packed
    assert {headers["accept-encoding"] for _, headers in server.requests} == {"identity"}


def test_a_chunked_body_is_put_together(server):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    server.answers["nyt"] = [head + b"4\r\nca,s\r\n6;a=b\r\nes\r\n12\r\n0\r\n\r\n"]
    assert server.sources().fetch().files["nyt"] == b"ca,ses\r\n12"


def test_a_body_as_long_as_the_cap_is_taken_and_one_byte_more_is_not(server):
    server.answers["nyt"] = [answer(b"x" * 1_000), answer(b"x" * 1_001)]
    assert len(server.sources().fetch().files["nyt"]) == 1_000
    with pytest.raises(SourceUnavailable, match=r"^nyt at .*: is longer than 1,000 bytes$"):
        server.sources().fetch()
    assert server.asked("nyt") == 2


def test_a_body_without_end_is_given_up_at_the_cap(server):
    def endless(connection):
        connection.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not connection.server.over.is_set():
            connection.wfile.write(b"100\r\n" + b"x" * 256 + b"\r\n")

    server.answers["jhu"] = [endless]
    with pytest.raises(SourceUnavailable, match=r"jhu at .*: is longer than 1,000 bytes"):
        server.sources().fetch()


# ETags


def test_two_sources_that_have_not_changed_give_no_files_and_the_same_etags(server):
    server.answers = {"nyt": [answer(status=304)], "jhu": [answer(status=304)]}
    assert server.sources().fetch(ASKED) == Fetched({}, ASKED)
    assert [headers["if-none-match"] for _, headers in server.requests] == ['"n1"', '"j1"']


@pytest.mark.parametrize("unchanged", ["nyt", "jhu"])
def test_where_only_one_has_changed_both_are_fetched_whole(server, unchanged):
    server.answers[unchanged].insert(0, answer(status=304))
    assert server.sources().fetch(ASKED).files == {"nyt": b"cases", "jhu": b"recovered"}
    assert server.asked(unchanged) == 2
    assert "if-none-match" not in server.requests[-1][1]


@pytest.mark.parametrize("etags", [None, {}, {"nyt": '"n1"'}])
def test_without_both_etags_nothing_is_asked_conditionally(server, etags):
    server.sources().fetch(etags)
    assert all("if-none-match" not in headers for _, headers in server.requests)


def test_where_one_source_gives_no_etag_none_is_kept(server):
    server.answers["nyt"] = [answer(b"cases", ETag='"n1"')]
    assert server.sources().fetch().etags == {}


@pytest.mark.parametrize("etag", ["n1", '"n\xe9"', '"n1"\r\n "n2"', '"' + "n" * 300 + '"', '"a", "b"'])
def test_an_etag_that_could_not_be_sent_back_counts_as_none(server, etag):
    server.answers = {
        "nyt": [answer(b"cases", ETag=etag)],
        "jhu": [answer(b"recovered", ETag='"j1"')],
    }
    assert server.sources().fetch() == Fetched({"nyt": b"cases", "jhu": b"recovered"}, {})


def test_not_modified_without_our_having_asked_is_no_file(server):
    server.answers["jhu"] = [answer(status=304)]
    with pytest.raises(SourceUnavailable, match=r"jhu at .*: answered 304"):
        server.sources().fetch()


# Again


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_passing_status_is_tried_again(server, waits, status):
    server.answers["nyt"].insert(0, answer(b"not now", status))
    assert server.sources().fetch().files["nyt"] == b"cases"
    assert len(waits) == 1
    assert 0 < waits[0] <= 0.5


def test_a_connection_that_is_reset_is_tried_again(server, waits):
    server.answers["nyt"] = [Connection.reset, lambda connection: None, answer(b"cases")]
    assert server.sources().fetch().files["nyt"] == b"cases"
    assert len(waits) == 2


def test_the_attempts_come_to_an_end_and_the_waits_between_them_grow(server, waits):
    server.answers["jhu"] = [answer(status=503)]
    with pytest.raises(SourceUnavailable) as raised:
        server.sources().fetch()
    assert str(raised.value) == f"jhu at http://127.0.0.1:{server.port}/jhu: answered 503 (after 4 attempts)"
    assert server.asked("jhu") == MAX_ATTEMPTS
    assert waits[0] <= 0.5 <= waits[1] <= 1 <= waits[2] <= 2


def test_the_server_s_retry_after_is_kept_to(server, waits):
    server.answers["nyt"].insert(0, answer(status=429, Retry_After=7))
    server.sources().fetch()
    assert waits == [7]


@pytest.mark.parametrize("text", ["Fri, 31 Dec 1999 23:59:59 GMT", "-5", "\xb2", "soon"])
def test_a_retry_after_that_is_no_number_of_seconds_changes_nothing(server, waits, text):
    server.answers["nyt"].insert(0, answer(status=429, Retry_After=text))
    assert server.sources().fetch().files["nyt"] == b"cases"
    assert 0 < waits[0] <= 0.5


@pytest.mark.parametrize("seconds", ["61", "9" * 5_000])
def test_a_retry_after_beyond_the_deadline_ends_it_at_once(server, waits, seconds):
    server.answers["nyt"] = [answer(status=503, Retry_After=seconds)]
    with pytest.raises(SourceUnavailable, match=r"answered 503 \(after 1 attempt\)"):
        server.sources(deadline=60).fetch()
    assert waits == []


@pytest.mark.parametrize("status", [201, 204, 206, 400, 401, 403, 404, 410, 501])
def test_any_other_status_is_final(server, waits, status):
    server.answers["nyt"] = [answer(b"", status)]
    with pytest.raises(SourceUnavailable, match=f"^nyt at .*/nyt: answered {status}$"):
        server.sources().fetch()
    assert (server.asked("nyt"), waits) == (1, [])


CUT = {
    "in the status": b"HTTP/1.1 20",
    "in the headers": b"HTTP/1.1 200 OK\r\nContent-Le",
    "after the headers": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n",
    "in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncases",
    "in a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\ncases",
    "before the last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ncases\r\n",
}


@pytest.mark.parametrize("place", CUT)
def test_an_answer_cut_short_is_tried_again(server, place):
    server.answers["nyt"].insert(0, CUT[place])
    assert server.sources().fetch().files["nyt"] == b"cases"
    assert server.asked("nyt") == 2


@pytest.mark.parametrize("place", CUT)
def test_an_answer_always_cut_short_is_no_file(server, place):
    server.answers["nyt"] = [CUT[place]]
    with pytest.raises(SourceUnavailable, match=r"^nyt at .*\(after 4 attempts\)$"):
        server.sources().fetch()


def test_the_error_says_how_much_of_a_body_came(server):
    server.answers["nyt"] = [CUT["in the body"]]
    with pytest.raises(SourceUnavailable, match=r"5 bytes read, 95 more expected"):
        server.sources().fetch()


@pytest.mark.parametrize("length", ["", "Content-Length: many\r\n", "Content-Length: -5\r\n"])
def test_a_body_that_does_not_say_how_long_it_is_might_have_been_cut_and_is_not_taken(server, length):
    server.answers["nyt"] = [b"HTTP/1.1 200 OK\r\n" + length.encode() + b"\r\ncases"]
    with pytest.raises(SourceUnavailable, match="doesn't say how long it is"):
        server.sources().fetch()


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff\r\n\r\n", b"220 ftp ready\r\n", b"HTTP/1.1 abc OK\r\n\r\n"]
)
def test_what_is_no_http_is_unavailable(server, garbage):
    server.answers["nyt"] = [garbage]
    with pytest.raises(SourceUnavailable, match=r"^nyt at .*: [ -~]+ \(after 4 attempts\)$"):
        server.sources().fetch()


# Time

SLOW = {
    "a body that drips": lambda it: it.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"),
    "a chunk's length that drips": lambda it: it.drip(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    ),
    "headers that drip": lambda it: it.drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "a status that drips": lambda it: it.drip(b"HTTP/1.1 200 "),
    "a body that stops": lambda it: it.stall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncas"),
    "headers that stop": lambda it: it.stall(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "no answer at all": lambda it: it.stall(b""),
}


@pytest.mark.parametrize("kind", SLOW)
def test_nothing_holds_us_beyond_the_deadline(server, kind):
    server.answers["nyt"] = [SLOW[kind]]
    with pytest.raises(SourceUnavailable, match=f"^nyt at http://127.0.0.1:{server.port}/nyt: "):
        server.sources(deadline=SHORT).fetch()
    assert server.asked("jhu") == 0


def test_a_name_server_that_is_silent_does_not_either(server, monkeypatch):
    def silent(*arguments, **named):
        server.over.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", silent)
    with pytest.raises(SourceUnavailable, match=r"nyt at .*: did not arrive within the deadline"):
        server.sources(deadline=0.1).fetch()


def test_both_files_share_the_deadline(server, monkeypatch):
    now = iter(range(0, 1_000, 40))
    monkeypatch.setattr(sources, "time", SimpleNamespace(monotonic=lambda: next(now), sleep=None))
    with pytest.raises(SourceUnavailable, match="did not arrive within the deadline"):
        server.sources(deadline=60).fetch()


# Not reached


def test_a_connection_refused_is_unavailable(server, waits):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/nyt"
        with pytest.raises(SourceUnavailable, match=f"^nyt at {url}: .*refused.*after 4 attempts"):
            server.sources(nyt_url=url).fetch()
    assert len(waits) == 3


def test_a_host_that_nobody_knows_is_unavailable(server):
    hosts = {"allowed_hosts": "127.0.0.1,nowhere.invalid"}
    with pytest.raises(SourceUnavailable, match=r"jhu at https://nowhere.invalid/jhu: .*after 4 attempts"):
        server.sources(jhu_url="https://nowhere.invalid/jhu", **hosts).fetch()


def test_a_server_that_speaks_no_tls_is_unavailable(server):
    with pytest.raises(SourceUnavailable, match=r"nyt at .*after 4 attempts"):
        server.sources(nyt_url=f"https://127.0.0.1:{server.port}/nyt").fetch()
    assert server.requests == []


def test_a_server_whose_certificate_nobody_vouches_for_is_unavailable(server, tmp_path):
    server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.tls.load_cert_chain(self_signed(tmp_path / "server.pem"))
    with pytest.raises(SourceUnavailable, match=r"nyt at .*CERTIFICATE_VERIFY_FAILED.*after 4 attempts"):
        server.sources(nyt_url=f"https://127.0.0.1:{server.port}/nyt").fetch()
    assert server.requests == []


# Elsewhere


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_an_allowed_host_is_followed(server, status):
    server.answers["nyt"] = [answer(b"see there", status, Location="/moved")]
    server.answers["moved"] = [answer(b"cases", ETag='"m"')]
    server.answers["jhu"] = [answer(b"recovered", ETag='"j"')]
    assert server.sources().fetch() == Fetched(
        {"nyt": b"cases", "jhu": b"recovered"}, {"nyt": '"m"', "jhu": '"j"'}
    )


def test_the_question_whether_it_has_changed_goes_along_with_a_redirect(server):
    server.answers["nyt"] = [answer(b"", 302, Location="/moved")]
    server.answers |= {"moved": [answer(status=304)], "jhu": [answer(status=304)]}
    assert server.sources().fetch(ASKED).files == {}


def test_a_redirect_s_own_body_is_not_waited_for(server):
    def slow(connection):
        connection.stall(answer(b"", 302, Location="/moved", Content_Length=10**9))

    server.answers["nyt"] = [slow]
    server.answers["moved"] = [answer(b"cases")]
    assert server.sources().fetch().files["nyt"] == b"cases"


def test_a_host_is_the_same_in_upper_case_and_at_any_port(server):
    hosts = {"allowed_hosts": " 127.0.0.1, LocalHost ", "insecure_hosts": "127.0.0.1,localhost"}
    server.answers["nyt"] = [answer(b"", 302, Location=f"HTTP://LOCALHOST:{server.port}/moved")]
    server.answers["moved"] = [answer(b"cases")]
    assert server.sources(**hosts).fetch().files["nyt"] == b"cases"


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:{port}/stolen",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::1]:{port}/stolen",
        "http://2130706433:{port}/stolen",
        "http://127.1:{port}/stolen",
        "http://127.0.0.1.:{port}/stolen",
        "//localhost:{port}/stolen",
        "http://127.0.0.1@localhost:{port}/stolen",
        "http://127.0.0.1:{port}@localhost:{port}/stolen",
        "http://localhost:{port}\\@127.0.0.1:{port}/stolen",  # two parsers, two hosts
        "http://localhost:{port}#@127.0.0.1/stolen",
        "https://raw.githubusercontent.com@evil.example/",
        "https://raw.githubusercontent.com.evil.example/",
        "http://raw.githubusercontent.com/nyt",  # allowed, but over https only
        "ftp://127.0.0.1:{port}/stolen",
        "file:///etc/hostname",
        "data:text/csv,date",
        "http://[::1",
        "http://127.0.0.1:{port}0000/stolen",
    ],
)
def test_a_redirect_elsewhere_is_refused_and_nothing_is_asked_there(server, looked_up, waits, address):
    server.answers["nyt"] = [answer(b"", 302, Location=address.format(port=server.port))]
    hosts = "127.0.0.1,raw.githubusercontent.com"
    with pytest.raises(SourceUnavailable, match=r"nyt at .*(allowed|no address)"):
        server.sources(allowed_hosts=hosts).fetch()
    assert [path for path, _ in server.requests] == ["/nyt"]
    assert (looked_up, waits) == (["127.0.0.1"], [])


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com@evil.example/us.csv",
        "https://evil.example\\@raw.githubusercontent.com/us.csv",
        "http://raw.githubusercontent.com/us.csv",
        "ftp://raw.githubusercontent.com/us.csv",
        "file:///us.csv",
        "us.csv",
        "",
    ],
)
def test_an_address_that_is_not_allowed_is_not_asked_even_once(server, looked_up, url):
    with pytest.raises(SourceUnavailable, match="allowed"):
        server.sources(nyt_url=url, allowed_hosts="raw.githubusercontent.com", insecure_hosts="").fetch()
    assert looked_up == []


def test_a_redirect_in_a_circle_comes_to_an_end(server, waits):
    server.answers["nyt"] = [answer(b"", 302, Location="/nyt")]
    with pytest.raises(SourceUnavailable, match=r"nyt at .*: redirected more than 3 times"):
        server.sources().fetch()
    assert (server.asked("nyt"), waits) == (1 + MAX_REDIRECTS, [])


def test_a_redirect_that_does_not_say_where_to_comes_to_an_end(server):
    server.answers["nyt"] = [answer(b"", 302)]
    with pytest.raises(SourceUnavailable, match=r"nyt at .*: redirected more than 3 times"):
        server.sources().fetch()

"""The way out: by the company's proxy and with its certificates, and loopback by neither."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import urllib3

from functions import outward


class Proxy(ThreadingHTTPServer):
    """Answers what it is asked for itself, and refuses every tunnel."""

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), Asked)
        self.address = f"127.0.0.1:{self.server_port}"


class Asked(BaseHTTPRequestHandler):
    def do_GET(self):
        assert isinstance(self.server, Proxy)
        self.server.asked.append((self.command, self.path, self.headers.get("Proxy-Authorization")))
        self.send_response(200 if self.command == "GET" else 403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_CONNECT(self):
        self.do_GET()

    def log_message(self, format, *args):
        pass


@pytest.fixture
def proxy(monkeypatch):
    for name in outward.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with Proxy() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def get(url):
    return outward.pool(url).request("GET", url, retries=False, timeout=10)


def test_an_address_on_the_internet_is_asked_by_the_proxy_that_the_environment_names(proxy, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("HTTPS_PROXY", f"http://us%20er:secret@{proxy.address}")
    assert get("http://source.invalid/us.csv").status == 200
    with pytest.raises(urllib3.exceptions.ProxyError):
        get("https://source.invalid/us.csv")
    assert proxy.asked == [
        ("GET", "http://source.invalid/us.csv", None),
        ("CONNECT", "source.invalid:443", "Basic dXMgZXI6c2VjcmV0"),
    ]


def test_a_proxy_for_everything_may_be_named_without_its_scheme(proxy, monkeypatch):
    monkeypatch.setenv("ALL_PROXY", proxy.address)
    assert get("http://source.invalid/us.csv").status == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_goes_by_no_proxy(proxy, monkeypatch, host):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert get(f"http://{host}:{proxy.server_port}/file").status == 200
    assert proxy.asked == [("GET", "/file", None)]


def test_no_proxy_exempts_a_host(proxy, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    assert outward.proxy("https://data.intranet.example/us.csv") is None
    assert outward.proxy("https://source.invalid/us.csv") == f"http://{proxy.address}"


@pytest.mark.parametrize("variable", outward.CERTIFICATES)
def test_certificates_are_those_that_the_environment_names(proxy, monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, str(tmp_path / "none.pem"))
    with pytest.raises(urllib3.exceptions.HTTPError, match="No such file"):
        get(f"https://127.0.0.1:{proxy.server_port}/")

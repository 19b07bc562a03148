"""A server on loopback that does wrong exactly what a test says, and sources that read from it."""

import datetime as dt
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions import sources
from functions.settings import FetcherSettings
from functions.sources import Sources

PAUSE = 0.02  # seconds between two bytes that drip
Answer = bytes | Callable[["Connection"], None]


def answer(body: bytes = b"", status: int = 200, **headers: object) -> bytes:
    """A whole answer with its length; ``Retry_After=7`` is a header."""
    lines = {"Content-Length": len(body), "Connection": "close"} | {
        name.replace("_", "-"): text for name, text in headers.items()
    }
    head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
    return f"HTTP/1.1 {status} Whatever\r\n{head}\r\n".encode("latin-1") + body


class Connection(socketserver.StreamRequestHandler):
    """One request, one answer."""

    server: "Server"  # type: ignore[assignment]

    def handle(self) -> None:
        request = self.rfile.readline().decode("latin-1").split()
        if len(request) != 3 or request[0] != "GET":
            return  # a TLS handshake, for one
        headers: dict[str, str] = {}
        while line := self.rfile.readline().decode("latin-1").strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        self.server.requests.append((request[1], headers))
        waiting = self.server.answers[request[1].strip("/")]
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        reply(self) if callable(reply) else self.wfile.write(reply)

    def drip(self, start: bytes) -> None:
        """This, and then a byte now and again without end."""
        self.drip_parts(start, b"1")

    def drip_parts(self, start: bytes, part: bytes) -> None:
        """This, and then that now and again without end."""
        self.wfile.write(start)
        while not self.server.over.wait(PAUSE):
            self.wfile.write(part)

    @staticmethod
    def stall_for(seconds: float, late: bytes) -> Callable[["Connection"], None]:
        """Nothing for so long, and then this."""

        def reply(connection: "Connection") -> None:
            connection.server.over.wait(seconds)
            connection.wfile.write(late)

        return reply

    def stall(self, start: bytes) -> None:
        """This, and then nothing more."""
        self.wfile.write(start)
        self.server.over.wait(10)

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Server(socketserver.ThreadingTCPServer):
    """Gives each path's answers in turn, the last one again and again; closes after each."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        self.answers: dict[str, list[Answer]] = {"nyt": [answer(b"cases")], "jhu": [answer(b"recovered")]}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()
        self.tls: ssl.SSLContext | None = None
        self.port = self.server_address[1]

    def get_request(self) -> tuple[socket.socket, object]:
        found, address = super().get_request()
        return (self.tls.wrap_socket(found, server_side=True) if self.tls else found), address

    def handle_error(self, request: object, client_address: object) -> None:
        """The client went away: that is what some tests are about."""

    def asked(self, name: str) -> int:
        """How often a path was asked for."""
        return sum(path == f"/{name}" for path, _ in self.requests)

    def sources(self, deadline: float = 60, cap: int = 1_000, **more: str) -> Sources:
        """Sources that read from here."""
        return sources_at(self.port, deadline, cap, **more)


def sources_at(port: int, deadline: float, cap: int, **more: str) -> Sources:
    """Sources that read from a server on loopback."""
    settings = {
        "nyt_url": f"http://127.0.0.1:{port}/nyt",
        "history_base": f"http://127.0.0.1:{port}",
        "jhu_url": f"http://127.0.0.1:{port}/jhu",
        "allowed_hosts": "127.0.0.1",
        "insecure_hosts": "127.0.0.1",
    } | more
    return Sources(
        FetcherSettings(
            stack="test",
            label="Daybook",
            ledger_table="ledger",
            archive_bucket="archive",
            daily_report_topic="daily-report",
            alerts_topic="alerts",
            stream="stream",
            code="code",
            max_source_bytes=cap,
            source_deadline_seconds=deadline,
            record_age_seconds=43_200,
            **settings,
        )
    )


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield running
        finally:
            running.over.set()
            running.shutdown()
            thread.join()


def without_waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that would have been waited between attempts; nothing is."""
    found: list[float] = []
    monkeypatch.setattr(sources, "time", SimpleNamespace(monotonic=time.monotonic, sleep=found.append))
    return found


def only_loopback(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hosts that were to be connected to; names other than loopback's are unknown here."""
    found: list[str] = []
    getaddrinfo = socket.getaddrinfo

    def look_up(host: str, *rest: object, **named: object) -> object:
        found.append(host)
        if host not in ("127.0.0.1", "localhost"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return getaddrinfo("127.0.0.1", *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return found


def self_signed(
    path: Path,
    address: str = "127.0.0.1",
    valid: tuple[dt.timedelta, dt.timedelta] = (dt.timedelta(days=-1), dt.timedelta(days=1)),
) -> Path:
    """A certificate for this address that is signed by nobody but itself, with its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
    now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now + valid[0])
        .not_valid_after(now + valid[1])
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, plain)
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path

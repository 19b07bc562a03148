"""What may go wrong on the way from a source to us, beyond what test_sources tries: each with its declared
outcome. Where nothing else is said it is The New York Times' address that misbehaves."""

import datetime as dt
import gzip
import lzma
import socket
import ssl
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from misbehaving import Answer, Connection, Server, answer, self_signed
from source_faults import FILES, MALFORMED, TAKEN, UNAVAILABLE

SHORT = 0.4  # seconds: a deadline that a test can wait for
CASES = FILES["nyt"]
HEAD = b"HTTP/1.1 200 OK\r\n"
AFTER_STATUS = answer(CASES).partition(b"\r\n")[2]
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
TOO_LATE = "did not arrive within the deadline"
NOT_ALLOWED = "is not an allowed host"


@dataclass
class Stage:
    """Where a fault is arranged: the server, and what the sources are told beside its address."""

    server: Server
    patch: pytest.MonkeyPatch
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    kept: list[socket.socket] = field(default_factory=list)  # open until the fault is over
    left_open: bool = False  # urllib3 leaves the socket to the collector

    def over_tls(self, certificate: Path, trusted: bool = True) -> None:
        """The server speaks TLS with this certificate, which the sources trust as an authority's."""
        self.server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.tls.load_cert_chain(certificate)
        if trusted:
            self.patch.setenv("SSL_CERT_FILE", str(certificate))
        address = f"https://127.0.0.1:{self.server.port}"
        self.settings |= {"nyt_url": f"{address}/nyt", "jhu_url": f"{address}/jhu", "insecure_hosts": ""}


@dataclass(frozen=True)
class Transport:
    arrange: Callable[[Stage], None]
    outcome: str
    told: str = ""
    deadline: float = 30  # seconds
    requests: int | None = None  # for this file; None: as many as it takes


def serves(*answers: Answer) -> Callable[[Stage], None]:
    def arrange(stage: Stage) -> None:
        stage.server.answers["nyt"] = list(answers)

    return arrange


def taken(*answers: Answer) -> Transport:
    return Transport(serves(*answers), TAKEN)


def unavailable(*answers: Answer, told: str, deadline: float = 30, requests: int | None = None) -> Transport:
    return Transport(serves(*answers), UNAVAILABLE, told, deadline, requests)


def redirected(address: str, told: str = NOT_ALLOWED, status: int = 302) -> Transport:
    """To where nobody must follow; the server's port is put in for {port}."""

    def arrange(stage: Stage) -> None:
        location = address.format(port=stage.server.port)
        stage.server.answers["nyt"] = [answer(CASES, status, Location=location)]

    return Transport(arrange, UNAVAILABLE, told, requests=1)


def then(*steps: str, told: str = NOT_ALLOWED) -> Transport:
    """Redirected from an allowed address to the next, and at last elsewhere."""

    def arrange(stage: Stage) -> None:
        for name, location in zip(("nyt", "a", "b"), steps, strict=False):
            stage.server.answers[name] = [answer(b"", 302, Location=location)]

    return Transport(arrange, UNAVAILABLE, told, requests=1)


def chunks(body: bytes, size: int = 100) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def without_end(start: bytes, again: bytes) -> Callable[[Connection], None]:
    """This, and then that again and again, as fast as it is taken."""

    def reply(connection: Connection) -> None:
        connection.wfile.write(start)
        while not connection.server.over.is_set():
            connection.wfile.write(again)

    return reply


def cut_off(start: bytes) -> Callable[[Connection], None]:
    """This, and then a reset instead of an end."""

    def reply(connection: Connection) -> None:
        connection.wfile.write(start)
        connection.wfile.flush()
        connection.reset()

    return reply


def if_asked(etagged: bytes, otherwise: bytes) -> Callable[[Connection], None]:
    """One answer to a question whether it has changed, another to any other."""

    def reply(connection: Connection) -> None:
        _, headers = connection.server.requests[-1]
        connection.wfile.write(etagged if "if-none-match" in headers else otherwise)

    return reply


# Names and addresses


def resolving(*errors: OSError) -> Callable[[Stage], None]:
    """The name server fails so, call by call, and answers after that."""

    def arrange(stage: Stage) -> None:
        left = list(errors)
        getaddrinfo = socket.getaddrinfo

        def look_up(host: str, *rest: object, **named: object) -> object:
            if left:
                raise left.pop(0)
            return getaddrinfo("127.0.0.1", *rest, **named)  # type: ignore[arg-type]

        stage.patch.setattr(socket, "getaddrinfo", look_up)
        host = f"http://sources.invalid:{stage.server.port}"
        hosts = dict.fromkeys(("allowed_hosts", "insecure_hosts"), "sources.invalid")
        stage.settings |= {"nyt_url": f"{host}/nyt", "jhu_url": f"{host}/jhu"} | hosts

    return arrange


def unresolved(code: int, text: str) -> socket.gaierror:
    return socket.gaierror(code, text)


def first_address_dead(stage: Stage) -> None:
    """The name has two addresses; at the first one nobody listens."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*kind, ("127.0.0.1", port)), (*kind, ("127.0.0.1", stage.server.port))]
    stage.patch.setattr(socket, "getaddrinfo", lambda *_, **__: found)


def label_too_long(stage: Stage) -> None:
    host = "a" * 64 + ".example"
    stage.settings |= {"nyt_url": f"https://{host}/us.csv", "allowed_hosts": f"127.0.0.1,{host}"}


def nobody_takes_the_connection(stage: Stage) -> None:
    """A queue that is full: what comes is neither accepted nor refused."""
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for one in waiting:
        one.setblocking(False)
        one.connect_ex(full.getsockname())
    stage.kept += [full, *waiting]
    stage.settings["nyt_url"] = f"http://127.0.0.1:{full.getsockname()[1]}/nyt"


# TLS


def well_certified(stage: Stage) -> None:
    stage.over_tls(self_signed(stage.folder / "server.pem"))


def expired(stage: Stage) -> None:
    day = dt.timedelta(days=1)
    stage.over_tls(self_signed(stage.folder / "server.pem", valid=(-9 * day, -day)))


def not_yet_valid(stage: Stage) -> None:
    day = dt.timedelta(days=1)
    stage.over_tls(self_signed(stage.folder / "server.pem", valid=(day, 9 * day)))


def of_another_host(stage: Stage) -> None:
    stage.over_tls(self_signed(stage.folder / "server.pem", address="127.0.0.2"))


def of_an_unknown_authority(stage: Stage) -> None:
    other = self_signed(stage.folder / "other.pem")
    stage.over_tls(self_signed(stage.folder / "server.pem"), trusted=False)
    stage.patch.setenv("SSL_CERT_FILE", str(other))


def old_tls(stage: Stage) -> None:
    well_certified(stage)
    assert stage.server.tls
    with pytest.warns(DeprecationWarning):
        stage.server.tls.maximum_version = ssl.TLSVersion.TLSv1_1


def handshake(reply: Callable[[Connection], None]) -> Callable[[Stage], None]:
    """In place of a handshake."""

    def arrange(stage: Stage) -> None:
        stage.patch.setattr(Connection, "handle", reply)
        stage.settings["nyt_url"] = f"https://127.0.0.1:{stage.server.port}/nyt"

    return arrange


def reset_when_greeted(connection: Connection) -> None:
    connection.connection.recv(5)
    connection.reset()


def downgraded(stage: Stage) -> None:
    """From https:// to http:// of the same, allowed host."""
    well_certified(stage)
    location = f"http://127.0.0.1:{stage.server.port}/nyt"
    stage.server.answers["nyt"] = [answer(b"", 301, Location=location)]


def two_lengths(stage: Stage) -> None:
    stage.server.answers["nyt"] = [HEAD + b"Content-Length: 5\r\n" + AFTER_STATUS]
    stage.left_open = True


def both_wait(stage: Stage) -> None:
    """Each within its own time; not both together."""
    stage.server.answers["jhu"] = [Connection.stall_for(SHORT * 0.8, answer(FILES["jhu"]))]
    stage.server.answers["nyt"] = [Connection.stall_for(SHORT * 0.8, answer(CASES))]


def second_drips(stage: Stage) -> None:
    stage.server.answers["jhu"] = [lambda it: it.drip(HEAD + b"Content-Length: 900\r\n\r\n")]


def both_away(stage: Stage) -> None:
    stage.server.answers = {name: [answer(b"Maintenance", 503)] for name in FILES}


ELSEWHERE: dict[str, Transport] = {
    f"redirected to {address}": redirected(address, told)
    for address, told in {
        "http://0.0.0.0:{port}/": NOT_ALLOWED,
        "http://127.0.0.2:{port}/": NOT_ALLOWED,
        "http://0x7f.1:{port}/": NOT_ALLOWED,
        "http://0177.0.0.1:{port}/": NOT_ALLOWED,
        "http://[::ffff:127.0.0.1]:{port}/": NOT_ALLOWED,
        "http://10.0.0.8/us.csv": NOT_ALLOWED,
        "http://172.16.0.1/us.csv": NOT_ALLOWED,
        "http://192.168.1.1/us.csv": NOT_ALLOWED,
        "http://[fd00::1]/us.csv": NOT_ALLOWED,
        "http://[fe80::1%25eth0]/us.csv": NOT_ALLOWED,
        "https://169.254.169.254/latest/meta-data/iam/": NOT_ALLOWED,
        "http://[fd00:ec2::254]/latest/meta-data/": NOT_ALLOWED,
        "http://[::ffff:169.254.169.254]/latest/meta-data/": NOT_ALLOWED,
        "http://2852039166/latest/meta-data/": NOT_ALLOWED,
        "http://169.254.170.2/v2/credentials": NOT_ALLOWED,
        "http://metadata.google.internal/computeMetadata/v1/": NOT_ALLOWED,
        "https://r\u00e1w.githubusercontent.com/us.csv": "is no address|is not an allowed host",
        "gopher://127.0.0.1:{port}/_GET": "is not allowed",
        "javascript:alert(1)": "allowed",
        "http://:{port}/": NOT_ALLOWED,
        "http://127.0.0.1:99999/nyt": "is no address",
    }.items()
}
ELSEWHERE |= {
    "redirected elsewhere by the second address": then("/a", "http://192.168.0.9/us.csv"),
    "redirected elsewhere by the third address": then("/a", "/b", "http://169.254.169.254/"),
    "redirected for good to a private address": redirected("http://10.1.2.3/us.csv", status=308),
}

NAMES: dict[str, Transport] = {
    "the name server fails once": Transport(
        resolving(unresolved(socket.EAI_AGAIN, "Temporary failure in name resolution")), TAKEN
    ),
    "the name server fails four times": Transport(
        resolving(*[unresolved(socket.EAI_AGAIN, "Temporary failure in name resolution")] * 4),
        UNAVAILABLE,
        "after 4 attempts",
    ),
    "the name server breaks down": Transport(
        resolving(*[unresolved(socket.EAI_FAIL, "Non-recoverable failure in name resolution")] * 4),
        UNAVAILABLE,
        "after 4 attempts",
    ),
    "the name has no address": Transport(
        resolving(*[unresolved(socket.EAI_NONAME, "No address associated with hostname")] * 4),
        UNAVAILABLE,
        "after 4 attempts",
    ),
    "the network is down": Transport(
        resolving(*[OSError(101, "Network is unreachable")] * 4), UNAVAILABLE, "Network is unreachable"
    ),
    "the name's first address is dead": Transport(first_address_dead, TAKEN),
    "a host's name is longer than names can be": Transport(label_too_long, UNAVAILABLE, "label"),
    "nobody takes the connection": Transport(
        nobody_takes_the_connection, UNAVAILABLE, "imed out|within the deadline", SHORT
    ),
}

TLS: dict[str, Transport] = {
    "a good certificate": Transport(well_certified, TAKEN),
    "an expired certificate": Transport(expired, UNAVAILABLE, "certificate has expired"),
    "a certificate that isn't valid yet": Transport(
        not_yet_valid, UNAVAILABLE, "certificate is not yet valid"
    ),
    "another host's certificate": Transport(of_another_host, UNAVAILABLE, "IP address mismatch"),
    "an unknown authority's certificate": Transport(
        of_an_unknown_authority, UNAVAILABLE, "CERTIFICATE_VERIFY_FAILED"
    ),
    "TLS 1.1": Transport(old_tls, UNAVAILABLE, "after 4 attempts"),
    "a handshake that is reset": Transport(handshake(reset_when_greeted), UNAVAILABLE, "after 4 attempts"),
    "a handshake that ends": Transport(handshake(lambda connection: None), UNAVAILABLE, "after 4 attempts"),
    "a handshake that stands still": Transport(
        handshake(lambda connection: connection.stall(b"")),
        UNAVAILABLE,
        "imed out|within the deadline",
        SHORT,
    ),
    "a handshake that drips": Transport(
        handshake(lambda connection: connection.drip(b"\x16\x03\x03\x40\x00")),
        UNAVAILABLE,
        "imed out|within the deadline",
        SHORT,
    ),
    "down from https to http": Transport(downgraded, UNAVAILABLE, "http:// is not allowed"),
}

HEADERS: dict[str, Transport] = {
    "a hundred and one headers": unavailable(
        HEAD + b"X: y\r\n" * 101 + b"Content-Length: 5\r\n\r\ncases", told="after 4 attempts"
    ),
    "headers without end": unavailable(without_end(HEAD, b"X: y\r\n" * 99), told="after 4 attempts"),
    "a header without end": unavailable(without_end(HEAD + b"X: ", b"y" * 4096), told="after 4 attempts"),
    "a status without end": unavailable(without_end(b"HTTP/1.1 200 ", b"y" * 4096), told="after 4 attempts"),
    "continue, and then the file": taken(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(CASES)),
    "continue without end": unavailable(
        without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100), told=TOO_LATE, deadline=SHORT
    ),
    "another protocol from now on": unavailable(
        answer(b"", 101, Upgrade="h2c"), told="answered 101", requests=1
    ),
    "an early hint instead of an answer": unavailable(answer(b"", 103), told="answered 103", requests=1),
    "a file that a proxy has changed": unavailable(answer(CASES, 203), told="answered 203", requests=1),
    "several files to choose from": unavailable(answer(CASES, 300), told="answered 300", requests=1),
    "a request that took too long": unavailable(answer(b"", 408), told="answered 408", requests=1),
    "unavailable for legal reasons": unavailable(answer(b"", 451), told="answered 451", requests=1),
    "an error of the proxy's own": unavailable(answer(b"", 520), told="answered 520", requests=1),
    "a status of four digits": unavailable(answer(CASES, 2000), told="after 4 attempts"),
    "a status of one digit": unavailable(answer(CASES, 2), told="after 4 attempts"),
    "a negative status": unavailable(answer(CASES, -200), told="after 4 attempts"),
    "HTTP 1.0 with a length": taken(answer(CASES).replace(b"HTTP/1.1", b"HTTP/1.0")),
    "HTTP 3.0": unavailable(answer(CASES).replace(b"HTTP/1.1", b"HTTP/3.0"), told="after 4 attempts"),
    "a header without a colon": taken(answer(CASES).replace(b"\r\n\r\n", b"\r\nno colon\r\n\r\n", 1)),
    "lines that end with LF alone": taken(b"HTTP/1.1 200 OK\nContent-Length: %d\n\n%b" % (len(CASES), CASES)),
    "called HTML, and a file all the same": taken(answer(CASES, Content_Type="text/html; charset=utf-16")),
    "an ETag that is empty": taken(answer(CASES, ETag="")),
    "a cookie": taken(answer(CASES, Set_Cookie="track=1; Path=/")),
    "asked to wait for no time": taken(answer(b"", 503, Retry_After=0), answer(CASES)),
    "asked to wait twice": taken(answer(b"", 429, Retry_After="7, 9"), answer(CASES)),
    "asked to wait for half a second": taken(answer(b"", 503, Retry_After="0.5"), answer(CASES)),
    "asked to wait longer than a lifetime": unavailable(
        answer(b"", 503, Retry_After=9_999_999_999), told="after 1 attempt", requests=1
    ),
    "not modified, though nobody asked, with the file": unavailable(
        answer(CASES, 304), told="answered 304", requests=1
    ),
}

LENGTHS: dict[str, Transport] = {
    "two lengths that agree": taken(HEAD + b"Content-Length: %d\r\n" % len(CASES) + AFTER_STATUS),
    "two lengths that don't agree": Transport(two_lengths, UNAVAILABLE, "multiple unmatching values"),
    "more than the length says": taken(answer(CASES) + b"2020-03-12,1,1\n"),
    "a second answer behind the first": taken(answer(CASES) + answer(b"another")),
    "a length and chunks": taken(
        HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(CASES) + b"0\r\n\r\n"
    ),
    "a length of zero": Transport(serves(answer(b"")), MALFORMED, "nyt: is empty"),
    "a length with more digits than a number has": unavailable(
        HEAD + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n" + CASES, told="doesn't say how long it is"
    ),
    "a length in hexadecimal": unavailable(
        HEAD + b"Content-Length: 0x%x\r\n\r\n%b" % (len(CASES), CASES), told="doesn't say how long it is"
    ),
    "a body that ends a line too early, with its length": Transport(
        serves(answer(CASES[: CASES.rindex(b"\n", 0, -1) - 9])), MALFORMED, "is cut off"
    ),
    "one byte fewer than the length says": unavailable(
        HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(CASES) + 1, CASES), told="1 more expected"
    ),
    "a body that is reset once": taken(cut_off(answer(CASES)[:300]), answer(CASES)),
    "a body that is always reset": unavailable(cut_off(answer(CASES)[:300]), told="after 4 attempts"),
    "cut off by HTTP 1.0 without a length": unavailable(
        b"HTTP/1.0 200 OK\r\n\r\n" + CASES, told="doesn't say how long it is"
    ),
    "a file one byte longer than the cap": unavailable(
        answer(CASES + b" " * 1_000_000), told="is longer than 1,000,000 bytes", requests=1
    ),
    "a range that nobody asked for": unavailable(
        answer(CASES[100:], 206, Content_Range="bytes 100-/*"), told="answered 206", requests=1
    ),
}

CHUNKS: dict[str, Transport] = {
    "chunks of one byte": taken(CHUNKED + chunks(CASES, 1) + b"0\r\n\r\n"),
    "chunks with trailers": taken(CHUNKED + chunks(CASES) + b"0\r\nX-Sum: 1\r\n\r\n"),
    "a chunk's length in no digits": unavailable(
        CHUNKED + b"zz\r\ncases\r\n0\r\n\r\n", told="after 4 attempts"
    ),
    "a chunk's length that is negative": unavailable(
        CHUNKED + b"-5\r\ncases\r\n0\r\n\r\n", told="after 4 attempts"
    ),
    "a chunk's length beyond all numbers": unavailable(
        CHUNKED + b"f" * 100 + b"\r\ncases\r\n0\r\n\r\n", told="after 4 attempts"
    ),
    "a chunk's length of 2^63": unavailable(
        CHUNKED + b"8" + b"0" * 15 + b"\r\ncases\r\n", told="after 4 attempts"
    ),
    "a chunk's length without end": unavailable(without_end(CHUNKED, b"0" * 4096), told="after 4 attempts"),
    "an extension of a chunk without end": unavailable(
        without_end(CHUNKED + b"5;", b"x" * 4096), told="after 4 attempts"
    ),
    "trailers without end": unavailable(
        without_end(CHUNKED + chunks(CASES) + b"0\r\n", b"X: y\r\n" * 100), told=TOO_LATE, deadline=SHORT
    ),
    "a chunk longer than it says": unavailable(
        CHUNKED + b"5\r\ncases,deaths\r\n0\r\n\r\n", told="after 4 attempts"
    ),
    "chunks that drip": unavailable(
        lambda it: it.drip_parts(CHUNKED, b"1\r\nx\r\n"), told=TOO_LATE, deadline=SHORT
    ),
    "chunks without end": unavailable(
        without_end(CHUNKED, b"1000\r\n" + b"x" * 4096 + b"\r\n"), told="is longer than 1,000,000 bytes"
    ),
    "chunked twice": Transport(
        serves(HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n" + chunks(chunks(CASES)) + b"0\r\n\r\n"),
        MALFORMED,
    ),
}

CODINGS: dict[str, Transport] = {
    f"a body that is {name}, unasked": Transport(
        serves(answer(body, Content_Encoding=coding)), MALFORMED, "is not text"
    )
    for name, coding, body in (
        ("packed by gzip", "gzip", gzip.compress(CASES, mtime=0)),
        ("packed by gzip twice", "gzip, gzip", gzip.compress(gzip.compress(CASES, mtime=0), mtime=0)),
        ("deflated", "deflate", zlib.compress(CASES)),
        ("packed by xz", "xz", lzma.compress(CASES)),
        ("a gzip bomb", "gzip", gzip.compress(bytes(5_000_000), mtime=0)),
        ("cut-off gzip", "gzip", gzip.compress(CASES, mtime=0)[:60]),
    )
}
CODINGS |= {
    "called gzip, and plain": taken(answer(CASES, Content_Encoding="gzip")),
    "called by a coding that nobody knows, and plain": taken(answer(CASES, Content_Encoding="daybook")),
    "packed by gzip in its transfer": Transport(
        serves(
            HEAD
            + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
            + chunks(gzip.compress(CASES, mtime=0))
            + b"0\r\n\r\n"
        ),
        MALFORMED,
    ),
}

TOGETHER: dict[str, Transport] = {
    "both sources away": Transport(both_away, UNAVAILABLE, "^nyt at .*answered 503"),
    "the second source drips": Transport(second_drips, UNAVAILABLE, "^jhu at ", SHORT),
    "each in time, not both": Transport(both_wait, UNAVAILABLE, "^jhu at ", SHORT),
}

TABLES = {
    "elsewhere": ELSEWHERE,
    "names": NAMES,
    "TLS": TLS,
    "headers": HEADERS,
    "lengths": LENGTHS,
    "chunks": CHUNKS,
    "codings": CODINGS,
    "together": TOGETHER,
}
TRANSPORT: dict[str, Transport] = {name: found for table in TABLES.values() for name, found in table.items()}

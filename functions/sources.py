"""The sources, over HTTP: both files whole, or nothing.

The Python HTTP libraries follow a redirect to 127.0.0.1, and wait for ever on a body that drips. So
redirects are followed by hand, to allowed hosts only, and one deadline covers everything.
"""

import random
import re
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from urllib.parse import urljoin

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError, ProtocolError
from urllib3.util import parse_url

from functions.errors import SourceUnavailable
from functions.outward import pool
from functions.settings import FetcherSettings
from schemas.figures import JHU, NYT

MAX_ATTEMPTS = 4
MAX_REDIRECTS = 3
FIRST_WAIT = 0.5  # seconds; doubled each time, with jitter
CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 10.0  # seconds between two parts of a body
GRACE = 0.25  # seconds; what ends at the deadline by itself says more, and may speak first
PART = 1 << 16  # bytes
TOO_LATE = "did not arrive within the deadline"
RETRIED = {429, 500, 502, 503, 504}
SECRETS = re.compile(r"(?<=//)[^/@]*@|[?#].*", re.DOTALL)  # where an address may hold a password or a token
REDIRECTS = {301, 302, 303, 307, 308}
ETAG = re.compile(r'(W/)?"[!#-~]{0,200}"')  # RFC 9110; any other can't be sent back, and counts as none


@dataclass(frozen=True)
class Fetched:
    """Both files by source, and the ETags that came with them; no files when neither has changed."""

    files: Mapping[str, bytes]
    etags: Mapping[str, str] = field(default_factory=dict)


class _PassingError(Exception):
    """Worth another attempt, after ``wait`` seconds where the server says so."""

    def __init__(self, problem: str, wait: float = 0) -> None:
        super().__init__(problem)
        self.wait = wait


class Sources:
    """The addresses of the two files, and the limits within which they are read.

    ``history`` takes the place of the live addresses, and its own host alone is allowed then.
    """

    def __init__(self, settings: FetcherSettings, history: Mapping[str, str] | None = None) -> None:
        self._urls = history or {NYT: settings.nyt_url, JHU: settings.jhu_url}
        allowed = {parse_url(url).host or "" for url in history.values()} if history else ()
        self._allowed = set(allowed) or _hosts(settings.allowed_hosts)
        self._insecure = _hosts(settings.insecure_hosts)
        self._max_bytes = settings.max_source_bytes
        self._seconds = settings.source_deadline_seconds

    @property
    def addresses(self) -> Mapping[str, str]:
        """Source → URL, without what may be secret in it."""
        return {source: shown(url) for source, url in self._urls.items()}

    def fetch(self, etags: Mapping[str, str] | None = None) -> Fetched:
        """Both files. With ``etags`` the answer is empty when both sources say that nothing has changed;
        when only one does, both are fetched whole. Raises SourceUnavailable."""
        deadline = time.monotonic() + self._seconds
        if etags and etags.keys() == self._urls.keys():
            answers = {source: self._get(source, deadline, etags[source]) for source in self._urls}
            if all(answer is None for answer in answers.values()):
                return Fetched({}, etags)
        else:
            answers = dict.fromkeys(self._urls)
        whole = {
            source: answers[source] or self._get(source, deadline, None) or (b"", "") for source in self._urls
        }
        tags = {source: etag for source, (_, etag) in whole.items() if etag}
        return Fetched(
            files={source: payload for source, (payload, _) in whole.items()},
            etags=tags if tags.keys() == self._urls.keys() else {},
        )

    def _get(self, source: str, deadline: float, etag: str | None) -> tuple[bytes, str] | None:
        """A file and its ETag; None when it still has this one.

        Read in a thread of its own, for no time-out ends a name server that is silent or headers that drip.
        """
        url = self._urls[source]
        answer: Future[tuple[bytes, str] | None] = Future()

        def read() -> None:
            try:
                answer.set_result(self._attempt(url, deadline, etag))
            except BaseException as error:
                answer.set_exception(error)

        threading.Thread(target=read, daemon=True).start()
        try:
            return answer.result(max(0.0, deadline - time.monotonic()) + GRACE)
        except SourceUnavailable as error:
            raise SourceUnavailable(f"{source} at {shown(url)}: {error}") from error
        except TimeoutError as error:
            raise SourceUnavailable(f"{source} at {shown(url)}: {TOO_LATE}") from error

    def _attempt(self, url: str, deadline: float, etag: str | None) -> tuple[bytes, str] | None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._follow(url, deadline, etag)
            except (_PassingError, HTTPError, OSError) as error:
                wait = FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311 jitter
                wait = max(wait, getattr(error, "wait", 0))
                if attempt == MAX_ATTEMPTS or time.monotonic() + wait > deadline:
                    problem = ascii(error.args[-1]) if isinstance(error, ProtocolError) else error
                    raise SourceUnavailable(f"{problem} ({_times(attempt)})") from error
                time.sleep(wait)
        raise AssertionError("unreachable")

    def _follow(self, url: str, deadline: float, etag: str | None) -> tuple[bytes, str] | None:
        for _ in range(MAX_REDIRECTS + 1):
            self._admit(url)
            answer = self._open(url, deadline, etag)
            try:
                if answer.status in REDIRECTS:
                    url = _joined(url, answer.headers.get("Location", ""))
                    continue
                if answer.status == 304 and etag:
                    return None
                if answer.status in RETRIED:
                    raise _PassingError(f"answered {answer.status}", _retry_after(answer))
                if answer.status != 200:
                    raise SourceUnavailable(f"answered {answer.status}")
                etag = answer.headers.get("ETag", "")
                return self._body(answer, deadline), etag if ETAG.fullmatch(etag) else ""
            finally:
                answer.close()  # nobody has to wait for a redirect's body, which may have no end
        raise SourceUnavailable(f"redirected more than {MAX_REDIRECTS} times")

    def _admit(self, url: str) -> None:
        # By the parser that the request goes by: urllib's own sees another host in http://a\@b/.
        try:
            parts = parse_url(url)
        except LocationParseError as error:
            raise SourceUnavailable(f"{shown(url)[:80]!r} is no address") from error
        host = (parts.host or "").strip("[]")
        if host not in self._allowed:
            raise SourceUnavailable(f"{host!r} is not an allowed host")
        if parts.scheme != "https" and not (parts.scheme == "http" and host in self._insecure):
            raise SourceUnavailable(f"{parts.scheme}:// is not allowed for {host!r}")

    def _open(self, url: str, deadline: float, etag: str | None) -> urllib3.BaseHTTPResponse:
        # Compressed answers are not asked for: what a body unpacks to can't be capped as easily.
        headers = {"User-Agent": "daybook", "Accept-Encoding": "identity"}
        if etag:
            headers["If-None-Match"] = etag
        left = _left(deadline)
        timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, left), read=min(READ_TIMEOUT, left))
        return pool(url).request(
            "GET", url, headers=headers, timeout=timeout, redirect=False, retries=False, preload_content=False
        )

    def _body(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        if answer.length_remaining is None and not answer.chunked:
            raise _PassingError("doesn't say how long it is, so that nobody can tell whether it is whole")
        parts: list[bytes] = []
        size = 0
        # read1 returns what has arrived: a body that drips can't hold us beyond the deadline.
        while part := answer.read1(PART, decode_content=False):
            parts.append(part)
            size += len(part)
            if size > self._max_bytes:
                raise SourceUnavailable(f"is longer than {self._max_bytes:,} bytes")
            _left(deadline)
        return b"".join(parts)


def shown(url: str) -> str:
    """The address as people may read it, in a log and in a mail: without user, password and query."""
    return SECRETS.sub("", url)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise SourceUnavailable(TOO_LATE)
    return left


def _retry_after(answer: urllib3.BaseHTTPResponse) -> float:
    """Seconds; 0 where the server doesn't say, or names a moment: we have no clock to compare it with."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else 0.0


def _hosts(text: str) -> set[str]:
    return {host.strip().lower() for host in text.split(",") if host.strip()}


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise SourceUnavailable(f"redirected to {shown(location)[:80]!r}, which is no address") from error


def _times(attempts: int) -> str:
    return "after 1 attempt" if attempts == 1 else f"after {attempts} attempts"

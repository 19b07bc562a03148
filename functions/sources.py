"""The sources, over HTTP: both files whole, or nothing.

The Python HTTP libraries follow a redirect to 127.0.0.1, and wait for ever on a body that drips. So
redirects are followed by hand, to allowed hosts only, and one deadline covers everything.
"""

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from functions.errors import SourceUnavailable
from functions.settings import FetcherSettings

MAX_ATTEMPTS = 4
MAX_REDIRECTS = 3
FIRST_WAIT = 0.5  # seconds; doubled each time, with jitter
CONNECT_TIMEOUT = 5.0  # seconds
READ_TIMEOUT = 10.0  # seconds between two parts of a body
PART = 1 << 16  # bytes
RETRIED = {429, 500, 502, 503, 504}
REDIRECTS = {301, 302, 303, 307, 308}


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
    """The addresses of the two files, and the limits within which they are read."""

    def __init__(self, settings: FetcherSettings) -> None:
        self._urls = {"nyt": settings.nyt_url, "jhu": settings.jhu_url}
        self._allowed = {host.strip() for host in settings.allowed_hosts.split(",") if host.strip()}
        self._insecure = {host.strip() for host in settings.insecure_hosts.split(",") if host.strip()}
        self._max_bytes = settings.max_source_bytes
        self._seconds = settings.source_deadline_seconds
        self._pool = urllib3.PoolManager(retries=False, headers={"User-Agent": "daybook"})

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
        """A file and its ETag; None when it still has this one."""
        url = self._urls[source]
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                return self._follow(url, deadline, etag)
            except (_PassingError, HTTPError, OSError) as error:
                wait = FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311 jitter
                wait = max(wait, getattr(error, "wait", 0))
                problem = f"{source} at {url}: {error}"
                if attempt == MAX_ATTEMPTS or time.monotonic() + wait > deadline:
                    raise SourceUnavailable(f"{problem} ({_times(attempt)})") from error
                time.sleep(wait)
            except SourceUnavailable as error:
                raise SourceUnavailable(f"{source} at {url}: {error}") from error
        raise AssertionError("unreachable")

    def _follow(self, url: str, deadline: float, etag: str | None) -> tuple[bytes, str] | None:
        for _ in range(MAX_REDIRECTS + 1):
            self._admit(url)
            answer = self._open(url, deadline, etag)
            try:
                if answer.status in REDIRECTS:
                    url = urljoin(url, answer.headers.get("Location", ""))
                    continue
                if answer.status == 304 and etag:
                    return None
                if answer.status in RETRIED:
                    raise _PassingError(f"answered {answer.status}", _retry_after(answer))
                if answer.status != 200:
                    raise SourceUnavailable(f"answered {answer.status}")
                return self._body(answer, deadline), answer.headers.get("ETag", "")
            finally:
                answer.drain_conn() if answer.status in REDIRECTS | {304} else answer.close()
        raise SourceUnavailable(f"redirected more than {MAX_REDIRECTS} times")

    def _admit(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.hostname not in self._allowed:
            raise SourceUnavailable(f"{parts.hostname!r} is not an allowed host")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in self._insecure):
            raise SourceUnavailable(f"{parts.scheme}:// is not allowed for {parts.hostname!r}")

    def _open(self, url: str, deadline: float, etag: str | None) -> urllib3.BaseHTTPResponse:
        # Compressed answers are not asked for: what a body unpacks to can't be capped as easily.
        headers = {"Accept-Encoding": "identity"} | ({"If-None-Match": etag} if etag else {})
        left = _left(deadline)
        timeout = urllib3.Timeout(connect=min(CONNECT_TIMEOUT, left), read=min(READ_TIMEOUT, left))
        return self._pool.request(
            "GET", url, headers=headers, timeout=timeout, redirect=False, preload_content=False
        )

    def _body(self, answer: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        parts: list[bytes] = []
        size = 0
        # read1 returns what has arrived: a body that drips can't hold us beyond the deadline.
        while part := answer.read1(PART, decode_content=False):
            parts.append(part)
            size += len(part)
            if size > self._max_bytes:
                raise SourceUnavailable(f"is longer than {self._max_bytes:,} bytes")
            _left(deadline)
        expected = answer.headers.get("Content-Length")
        if expected and expected.isdigit() and int(expected) != size:
            raise _PassingError(f"ended after {size:,} of {expected} bytes")
        return b"".join(parts)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise SourceUnavailable("did not arrive within the deadline")
    return left


def _retry_after(answer: urllib3.BaseHTTPResponse) -> float:
    """Seconds; 0 where the server doesn't say, or names a moment: we have no clock to compare it with."""
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0


def _times(attempts: int) -> str:
    return "after 1 attempt" if attempts == 1 else f"after {attempts} attempts"

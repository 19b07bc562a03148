"""Fetch files for the local cloud from public addresses, once: what was fetched stays on disk."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, MaxRetryError

from functions.history import Commits
from functions.outward import pool
from ops.errors import SOURCES, Problem

TIMEOUT = urllib3.Timeout(connect=5, read=30)
RETRIES = urllib3.Retry(3, backoff_factor=0.3, status_forcelist=(429, 500, 502, 503, 504), redirect=0)
NO_RETRY = urllib3.Retry(0, redirect=3)


class Unreachable(Problem):
    """An address that can't be fetched now; the text says why and what to do."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, code=SOURCES)


def fetch(url: str, cache: Path) -> bytes:
    """What is at the address; from the cache where it was fetched before. Raises Unreachable."""
    kept = cache / hashlib.sha256(url.encode()).hexdigest()
    if kept.exists() and not is_page(content := kept.read_bytes()):
        return content
    try:
        answer = pool(url).request("GET", url, timeout=TIMEOUT, retries=RETRIES)
    except HTTPError as error:
        raise Unreachable(_advice(url, error)) from error
    if answer.status != 200:
        raise Unreachable(_advice(url, f"it answers {answer.status}"))
    if is_page(answer.data):
        raise Unreachable(_advice(url, "a page came instead of the data, as a network's sign-in sends one"))
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = kept.with_suffix(".unfinished")
    unfinished.write_bytes(answer.data)
    unfinished.replace(kept)
    return answer.data


def is_page(content: bytes) -> bool:
    """Whether this is HTML, or nothing at all, where a file of rows is expected."""
    return content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"")


def reach(url: str) -> None:
    """Raises Unreachable where nobody answers at the address."""
    try:
        answer = pool(url).request("GET", url, timeout=TIMEOUT, retries=NO_RETRY, preload_content=False)
        answer.close()
    except HTTPError as error:
        raise Unreachable(_advice(url, error)) from error
    if answer.status != 200:
        raise Unreachable(_advice(url, f"it answers {answer.status}"))


@dataclass(frozen=True)
class CommitHistory:
    """The versions of one file by their public commits; each is fetched when it is asked for."""

    commits: Commits
    base: str
    cache: Path

    def at(self, moment: dt.datetime) -> bytes | None:
        """The newest version published by then; None before the first. Raises Unreachable."""
        place = self.commits.at(moment)
        return fetch(f"{self.base}/{place}", self.cache) if place else None


def _advice(url: str, problem: object) -> str:
    reason = problem.reason if isinstance(problem, MaxRetryError) and problem.reason else problem
    said = str(reason).rpartition(": ")[2] or reason
    return (
        f"{urlsplit(url).hostname} can't be reached ({said}): {url}\n"
        "Nothing was changed. Is this machine online, and does a proxy stand in between? "
        "Without the internet the synthetic sample shows everything: --sources sample"
    )

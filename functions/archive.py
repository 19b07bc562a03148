"""The archive, in S3: the permanent event log, every source file by its hash, and what was set aside.

Objects are created once and never changed; creating one again is no error.
"""

import gzip
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from functions.clients import code
from schemas.event import DayEvent, written_out
from schemas.run import Reason

SOURCES = "sources/"
EVENTS = "events/"
REJECTED = "rejected/"
REASONS = "reasons/"
GZIP_LEVEL = 6


class Archive:
    """One bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep_file(self, source: str, payload: bytes) -> str:
        """Keep what a source published, refused or not; its SHA-256."""
        sha256 = hashlib.sha256(payload).hexdigest()
        self._create(file_key(source, sha256), gzip.compress(payload, GZIP_LEVEL, mtime=0))
        return sha256

    def file(self, source: str, sha256: str) -> bytes:
        """A file kept before."""
        found = self._client.get_object(Bucket=self._bucket, Key=file_key(source, sha256))
        return gzip.decompress(found["Body"].read())

    def keep_events(self, events: Sequence[DayEvent]) -> None:
        """Keep the events as one object of JSON lines, named by its first version and all ids."""
        ids = hashlib.sha256("\n".join(event.id for event in events).encode()).hexdigest()[:16]
        name = f"{EVENTS}{events[0].version}-{ids}.jsonl"
        self._create(name, b"".join(written_out(event) + b"\n" for event in events))

    def keep_rejected(self, sequence: str, payload: bytes) -> None:
        """Keep the bytes of a record that can never succeed."""
        self._create(f"{REJECTED}{sequence}", payload)

    def keep_reasons(self, run: str, reasons: Sequence[Reason]) -> None:
        """Keep all the reasons why a run was refused; ledger and message show the first of them."""
        lines = [json.dumps(vars(reason)) for reason in reasons]
        self._create(f"{REASONS}{run}.jsonl", "\n".join(lines).encode())

    def _create(self, name: str, body: bytes) -> None:
        try:
            self._client.put_object(Bucket=self._bucket, Key=name, Body=body, IfNoneMatch="*")
        except ClientError as error:
            if code(error) != "PreconditionFailed":
                raise


def file_key(source: str, sha256: str) -> str:
    return f"{SOURCES}{source}/{sha256}.csv.gz"

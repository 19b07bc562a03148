"""What the local cloud keeps on disk: the archive, and the ledger's items that are no events.

Tables, days and the stamp are not kept: they are what the archive's events come to, and are made again by
replaying them.
"""

import datetime as dt
import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ops.errors import BROKEN, CONFIGURATION, Problem
from storage.errors import Damaged
from storage.ledger_items import DAY, HEAD, head_of, plain
from storage.replay import payload, recall

if TYPE_CHECKING:
    from local.cloud import LocalCloud

ARCHIVE = "archive"
LEDGER = "ledger.jsonl"
STACK = "stack.json"
REMEMBERED = ("label", "synthetic", "store")  # of the stack's configuration
# What the head says of days and tables, which are made again from the log: sums, and the marker of a rebuild.
# A backfill's marker stays: the runs that it has still to make are nowhere else.
SUMS = ("stamp", "entries")
REMADE = (*SUMS, "held")
UNFINISHED = ".unfinished"
LOCK = "in-use"


AGAIN = "Bring the file back from a copy, or start anew: python -m local up --fresh"


class UnusableState(Problem):
    """What is kept in a folder can't be used; the text says why, and what to do."""

    def __init__(self, problem: str, code: int = CONFIGURATION) -> None:
        super().__init__(problem, "Nothing in the folder was changed.", code=code)


class DamagedState(UnusableState):
    """A file of it is not as it was written."""

    def __init__(self, path: Path, problem: object) -> None:
        super().__init__(f"{path} is damaged: {problem}. {AGAIN}", BROKEN)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep every other process from this folder. Raises UnusableState where one has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UnusableState(
                f"Another process uses {folder}: a local cloud or a command. End it, or name another: --state"
            ) from error
        yield


def forget(folder: Path) -> None:
    """Remove all that is kept there, but for the lock, which its holder still has."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def save(cloud: "LocalCloud", folder: Path) -> None:
    """Write what is new in the archive, then the ledger in one stroke."""
    bucket, s3 = cloud.stack.exports["archive_bucket"], cloud.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            path = folder / ARCHIVE / found["Key"]
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    lines = [json.dumps(item) for item in _items(cloud) if not item["entry"]["S"].startswith(DAY)]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / LEDGER, "".join(line + "\n" for line in lines).encode())
    said = {name: cloud.stack.exports[name] for name in REMEMBERED}
    _write(folder / STACK, (json.dumps(said) + "\n").encode())


def config(folder: Path) -> dict[str, str]:
    """The configuration that what is kept there was made with."""
    path = folder / STACK
    if not path.exists():
        return {}
    try:
        return {name: str(value) for name, value in json.loads(path.read_bytes()).items()}
    except (ValueError, AttributeError) as error:
        raise DamagedState(path, error) from error


def last_run(folder: Path) -> dt.datetime | None:
    """When the last run was that is kept there; None where there is none."""
    if not (folder / LEDGER).exists():
        return None
    items = map(plain, read_items(folder))
    return next((head_of(item).last_run for item in items if item["entry"] == HEAD), None)


def restore(cloud: "LocalCloud", folder: Path) -> int:
    """Put back what was kept, and rebuild tables, days and stamp from the log; how many events there were.
    Raises UnusableState naming the file that is damaged."""
    if not (folder / LEDGER).exists() and not (folder / ARCHIVE).exists():
        return 0
    exports = cloud.stack.exports
    s3, dynamodb = cloud.client("s3"), cloud.client("dynamodb")
    for path in sorted((folder / ARCHIVE).rglob("*")):
        if path.is_file() and path.suffix != UNFINISHED:
            name = path.relative_to(folder / ARCHIVE).as_posix()
            s3.put_object(Bucket=exports["archive_bucket"], Key=name, Body=path.read_bytes())
    if (folder / LEDGER).exists():
        for item in read_items(folder):
            dynamodb.put_item(TableName=exports["ledger_table"], Item=item)
    try:
        count = _replay(cloud)
    except Damaged as error:
        raise DamagedState(folder / ARCHIVE, error) from error
    recall(cloud.ledger, cloud.clock.now())
    return count


def _replay(cloud: "LocalCloud") -> int:
    count = 0
    for events in cloud.archive.log():
        if cloud.clock.is_virtual:  # of a run that died before its ledger was kept, the events may be there
            cloud.clock.advance_to(max(event.recorded_at for event in events))
        answer = cloud.runtime.invoke(cloud.stack.exports["consumer"], payload(events))
        if answer.error or json.loads(answer.response)["batchItemFailures"]:
            raise Damaged(f"the log could not be replayed: {answer.response.decode()}")
        count += len(events)
    return count


def read_items(folder: Path) -> list[dict[str, Any]]:
    """Raises UnusableState where the file is damaged."""
    items = []
    for number, line in enumerate((folder / LEDGER).read_bytes().splitlines(), 1):
        try:
            item = json.loads(line)
            plain(item)["entry"]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DamagedState(folder / LEDGER, f"line {number}: {error}") from error
        items.append(item)
    return items


def _items(cloud: "LocalCloud") -> list[dict[str, Any]]:
    pages = (
        cloud.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.stack.exports["ledger_table"])
    )
    items = [item for page in pages for item in page["Items"]]
    for item in items:
        if item["entry"]["S"] == HEAD:
            for name in SUMS if head_of(plain(item)).is_backfilling else REMADE:
                item.pop(name, None)
    return items


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, even if this process dies in the middle."""
    unfinished = path.with_name(path.name + UNFINISHED)
    unfinished.write_bytes(content)
    os.replace(unfinished, path)  # noqa: PTH105 the same, and known to be atomic

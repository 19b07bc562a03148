"""What the local cloud keeps on disk: the archive, and the ledger's items that are no events.

Tables, days and the stamp are not kept: they are what the archive's events come to, and are made again by
replaying them.
"""

import json
import os
from pathlib import Path
from typing import Any

from local.cloud import LocalCloud
from schemas import tables

ARCHIVE = "archive"
LEDGER = "ledger.jsonl"
STAMP = "stamp"


def save(cloud: LocalCloud, folder: Path) -> None:
    """Write what is new in the archive, then the ledger in one stroke."""
    bucket, s3 = cloud.stack.exports["archive_bucket"], cloud.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for found in page.get("Contents", []):
            path = folder / ARCHIVE / found["Key"]
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                _write(path, s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read())
    lines = [json.dumps(item) for item in _items(cloud) if not item["entry"]["S"].startswith(tables.DAY)]
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / LEDGER, "".join(line + "\n" for line in lines).encode())


def _items(cloud: LocalCloud) -> list[dict[str, Any]]:
    pages = (
        cloud.client("dynamodb").get_paginator("scan").paginate(TableName=cloud.stack.exports["ledger_table"])
    )
    items = [item for page in pages for item in page["Items"]]
    for item in items:
        if item["entry"]["S"] == tables.HEAD:
            item.pop(STAMP, None)
    return items


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing, even if this process dies in the middle."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(content)
    os.replace(unfinished, path)  # noqa: PTH105 the same, and known to be atomic

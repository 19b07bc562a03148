"""The code that all three functions run, as an archive of listed files and as a hash of their contents."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import pulumi

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("functions", "schemas", "storage")
KINDS = ("*.py", "*.csv")  # modules, and the list of the public history


@dataclass(frozen=True)
class Code:
    archive: pulumi.AssetArchive
    hash: str  # the same files with the same contents give the same hash, on any machine


def read_code() -> Code:
    # A FileArchive of the folders would take __pycache__ along, and change with every test run.
    paths = sorted(path for package in PACKAGES for kind in KINDS for path in (ROOT / package).glob(kind))
    files = {path.relative_to(ROOT).as_posix(): path for path in paths}
    digest = hashlib.sha256()
    for name, path in files.items():
        digest.update(f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return Code(
        archive=pulumi.AssetArchive({name: pulumi.FileAsset(str(path)) for name, path in files.items()}),
        hash=digest.hexdigest()[:16],
    )

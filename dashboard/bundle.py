"""What Elastic Beanstalk gets: one zip, the same bytes from the same files on any machine.

``python -m dashboard.bundle <file>`` writes it.
"""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# One process: its cache is what keeps queries few. Threads, because looking is waiting.
PROCFILE = (
    "web: gunicorn --bind :8000 --workers 1 --threads 8 --no-control-socket dashboard.app:application\n"
)
# A T4g machine begins as "unlimited": what it uses beyond its credits is charged. Elastic Beanstalk has no
# option for it, but its template can be changed: its developer guide, "Adding and customizing … resources".
CREDITS = """\
Resources:
  AWSEBEC2LaunchTemplate:
    Type: AWS::EC2::LaunchTemplate
    Properties:
      LaunchTemplateData:
        CreditSpecification:
          CpuCredits: standard
"""
ASSETS = (
    "compare.js",
    "daybook.css",
    "daybook.js",
    "plotly-LICENSE.txt",
    "plotly-basic-4.1.1.min.js.br",
    "sharing.js",
)
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest moment that a zip can name
READABLE = 0o100644 << 16
UNIX = 3


def files() -> dict[str, bytes]:
    """Each file's bytes by its name in the bundle, in order of the names."""
    modules = [
        path for package in ("dashboard", "schemas", "storage") for path in (ROOT / package).rglob("*.py")
    ]
    assets = [ROOT / "dashboard" / "assets" / name for name in ASSETS]
    # This module stays at home: it is of no use there.
    wanted = (path for path in modules + assets if path != Path(__file__).resolve())
    found = {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in wanted}
    found["Procfile"] = PROCFILE.encode()
    found[".ebextensions/credits.config"] = CREDITS.encode()
    found["requirements.txt"] = (ROOT / "dashboard" / "requirements.txt").read_bytes()
    return dict(sorted(found.items()))


def digest() -> str:
    """A short hash of names and contents: what ``DAYBOOK_BUNDLE`` and the version's label say."""
    whole = hashlib.sha256()
    for name, content in files().items():
        whole.update(f"{name} {hashlib.sha256(content).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]


def packed() -> bytes:
    """The bundle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        for name, content in files().items():
            # zlib's output differs between its versions; stored, the bytes depend on the files alone.
            bundle.writestr(entry(name, zipfile.ZIP_STORED), content)
    return file.getvalue()


def entry(name: str, compression: int) -> zipfile.ZipInfo:
    """A zip's entry that says nothing of when, where and by whom it was made."""
    made = zipfile.ZipInfo(name, EPOCH)
    made.create_system, made.external_attr, made.compress_type = UNIX, READABLE, compression
    return made


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Where to? python -m dashboard.bundle <file>")
    Path(sys.argv[1]).write_bytes(packed())

"""A publishing history: every version of a file that a source published, and when."""

import bisect
import datetime as dt
import tarfile
from dataclasses import dataclass
from pathlib import Path

NAME = "%Y-%m-%dT%H%M%SZ"


class HistoryUnreadable(Exception):
    """The archive is not a publishing history."""


@dataclass(frozen=True)
class History:
    """Versions oldest first: the moments of publication, and the files."""

    moments: tuple[dt.datetime, ...]
    files: tuple[bytes, ...]

    def at(self, moment: dt.datetime) -> bytes | None:
        """The newest version published by then; None before the first."""
        place = bisect.bisect_right(self.moments, moment)
        return self.files[place - 1] if place else None


def read(archive: Path) -> History:
    """A tar archive with one member a version, named by its moment (``2020-09-04T012644Z.csv``).

    Raises HistoryUnreadable.
    """
    try:
        with tarfile.open(archive) as tar:
            found = sorted((_moment(member.name), _content(tar, member)) for member in tar if member.isfile())
    except (OSError, tarfile.TarError, ValueError) as error:
        raise HistoryUnreadable(f"{archive}: {error}") from error
    if not found:
        raise HistoryUnreadable(f"{archive} holds no version")
    moments, files = zip(*found, strict=True)
    return History(moments, files)


def _moment(name: str) -> dt.datetime:
    return dt.datetime.strptime(Path(name).stem, NAME).replace(tzinfo=dt.UTC)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    found = tar.extractfile(member)
    if found is None:
        raise ValueError(f"{member.name} is not a file")
    with found:
        return found.read()

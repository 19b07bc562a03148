"""What many tests share: where the real published files are, and builders of days, entries and files."""

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("DAYBOOK_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real published files; without it the test is skipped, and says so."""
    if not (DATA / "published").is_dir():
        pytest.skip(f"no published files in {DATA}: set DAYBOOK_DATA to the folder that holds them")
    return DATA

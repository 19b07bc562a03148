"""Both files: the real ones where they are, otherwise look-alikes of their size, with made-up figures."""

import datetime as dt
import lzma
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DAYBOOK_DATA", ROOT.parent / "shared" / "data"))
FIRST = dt.date(2020, 1, 21)
PLACES = 272  # countries and provinces in the Johns Hopkins file of the end of 2020


def published() -> tuple[bytes, bytes, str]:
    """The New York Times' file, the Johns Hopkins file, and what they are."""
    full = DATA / "full"
    if full.is_dir():
        jhu = lzma.decompress((full / "jhu_combined.csv.xz").read_bytes())
        return (full / "nyt_us.csv").read_bytes(), jhu, "the files of the end of 2020"
    return *look_alikes(345), "look-alikes of the files of the end of 2020"


def look_alikes(days: int, restated: int = 0) -> tuple[bytes, bytes]:
    """As many days, the United States among as many places as really are in the file, in its order; with
    ``restated``, that many of the last days have a few cases more."""
    dates = [FIRST + dt.timedelta(days=number) for number in range(days)]
    more = dict.fromkeys(dates[days - restated :], 7)
    cases = [f"{date},{1_000 + 900 * i + more.get(date, 0)},{20 * i}" for i, date in enumerate(dates)]
    names = sorted([*(f"Place {number:03}" for number in range(PLACES - 1)), "US"], key=str.upper)
    rows = (
        f"{date},{name},,{1_000 + 900 * i},{300 * i},{20 * i}"
        for name in names
        for i, date in enumerate(dates)
    )
    return (
        "\n".join(["date,cases,deaths", *cases]).encode(),
        "\n".join(["Date,Country/Region,Province/State,Confirmed,Recovered,Deaths", *rows, ""]).encode(),
    )

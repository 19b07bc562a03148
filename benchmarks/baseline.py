"""What a person would otherwise write: plain pandas, nothing checked."""

from io import BytesIO
from typing import Any

import pandas as pd


def days(nyt: bytes, jhu: bytes) -> list[dict[str, Any]]:
    """The days that both files have, as they come."""
    cases = pd.read_csv(BytesIO(nyt))
    everywhere = pd.read_csv(BytesIO(jhu))
    country = "Country" if "Country" in everywhere else "Country/Region"
    here = everywhere[everywhere[country] == "US"][["Date", "Recovered"]]
    found: Any = cases.merge(here, left_on="date", right_on="Date")
    return found.drop(columns="Date").to_dict("records")

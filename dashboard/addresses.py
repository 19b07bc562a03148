"""Where the record's pages are: on the dashboard, or as files beside each other. Pure."""

import datetime as dt
from dataclasses import dataclass

from dashboard.view import TOTAL


@dataclass(frozen=True)
class Addresses:
    """``root`` leads from a page to the first one's folder; ``suffix`` ends each other page's name."""

    root: str = "/"
    suffix: str = ""

    @property
    def record(self) -> str:
        return f"{self.root}index{self.suffix}" if self.suffix else self.root

    @property
    def feed(self) -> str:
        return f"{self.root}feed.atom"

    def day(self, date: dt.date) -> str:
        return f"{self.root}day/{date}{self.suffix}"

    def entries(self, date: dt.date) -> str:
        """A day's entries as CSV; those of all days where there is no server to choose them."""
        return (
            f"{self.root}revisions.csv"
            if self.suffix
            else f"{self.root}data/entries.csv?from={date}&to={date}"
        )

    def revisions(self, series: str = "cases", show: str = TOTAL) -> str:
        """The map of one series; of cases to date, where none is named."""
        chosen = (series, show) != ("cases", TOTAL)
        if self.suffix:
            return f"{self.root}revisions{f'-{series}-{show}' if chosen else ''}{self.suffix}"
        return f"{self.root}revisions{f'?series={series}&show={show}' if chosen else ''}"

"""Both files to days: where the sources are joined, and what only one figure has.

pandas finds the recoveries that were taken back.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pandas as pd

from functions.errors import SourceRefused
from functions.source_file import read_rows
from schemas.day import Day
from schemas.figures import FIGURES, JHU, NYT, SOURCES, Counts
from schemas.ledger import Reason
from schemas.published import CasesRow, RecoveriesRow

# Of both rows of a date, one after the other, the values in the order of the figures.
PUBLISHED = CasesRow._fields + RecoveriesRow._fields
in_order = itemgetter(*(PUBLISHED.index(figure.name) for figure in FIGURES))


@dataclass(frozen=True)
class Published:
    """What the two files say, oldest first. A day is a date that both have.

    ``rows`` has each source's rows by date; there a count that the source took back is None. ``lines`` has,
    for each source, the line of its file that a date is on, counted from 1, the header's.
    """

    rows: Mapping[str, Mapping[dt.date, Any]]
    days: tuple[Day, ...]
    lines: Mapping[str, Mapping[dt.date, int]]

    @property
    def newest(self) -> dt.date:
        """The newest date that both files have."""
        return self.days[-1].date


def transform(files: Mapping[str, bytes], today: dt.date) -> Published:
    """What the files say. Raises SourceRefused with every reason why either file is malformed."""
    read = {source: read_rows(source, files[source], today) for source in SOURCES}
    reasons = [reason for source in SOURCES for reason in read[source].reasons]
    cases, recoveries = read[NYT].rows, read[JHU].rows
    if not reasons and not cases.keys() & recoveries.keys():
        reasons.append(Reason(JHU, "and nyt have no date in common"))
    if reasons:
        raise SourceRefused(reasons)
    cases = {date: cases[date] for date in sorted(cases)}
    recoveries = _without_taken_back(recoveries)
    return Published(
        rows={NYT: cases, JHU: recoveries},
        days=tuple(
            Day(date, Counts(*in_order(row + recoveries[date])))
            for date, row in cases.items()
            if date in recoveries
        ),
        lines={source: read[source].lines for source in SOURCES},
    )


def _without_taken_back(rows: Mapping[dt.date, RecoveriesRow]) -> dict[dt.date, RecoveriesRow]:
    """The rows in date order. Johns Hopkins takes recoveries back by 0, or by an empty cell, after a positive
    count: such a count is None."""
    reported = pd.Series({date: row.recovered or 0 for date, row in rows.items()}).sort_index()
    taken_back = set(reported.index[(reported == 0) & (reported.cummax() > 0)])
    return {
        date: rows[date]._replace(recovered=None) if date in taken_back else rows[date]
        for date in reported.index
    }

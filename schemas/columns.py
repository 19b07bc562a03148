"""The columns of the record as a table: each day as it stands, and every entry. Each is declared once: CSV,
JSON, Parquet and a data package follow from it."""

from dataclasses import dataclass
from typing import Literal

from schemas.figures import FIGURES, PUBLISHERS

Kind = Literal["date", "string", "integer", "datetime"]


@dataclass(frozen=True)
class Column:
    """``kind`` is Frictionless' name of the type. A nullable column is empty where nothing is reported."""

    name: str
    kind: Kind
    description: str
    unit: str = ""
    nullable: bool = False


DATE = Column("date", "date", "The date that the figures are about")
REGION = Column("region", "string", "The one region of this record")
COUNTS = tuple(
    Column(
        figure.name,
        "integer",
        f"{figure.title} to date, as published by {PUBLISHERS[figure.source]}",
        figure.unit,
        figure.nullable,
    )
    for figure in FIGURES
)
REVISION = Column("revision", "integer", "The entry's rank by time among its date's entries; 1 is the first")
LAG = Column("lag", "integer", "Days (UTC) from the date to its entry, as in Delphi's Epidata API", "days")
RECORDED_AT = Column("recorded_at", "datetime", "When the figures were entered, UTC, to the millisecond")

DAYS = (DATE, REGION, *COUNTS, RECORDED_AT)
ENTRIES = (DATE, REGION, *COUNTS, REVISION, LAG, RECORDED_AT)

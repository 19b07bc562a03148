"""The sources that have ended, and what that means for the record."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping

from schemas.figures import PUBLISHERS, SOURCES
from schemas.ledger import SourceFile, Warning

ENDED = "ended/"  # the code of the warning: the source's name follows


def ended(told: Iterable[Warning], files: Iterable[SourceFile]) -> dict[str, dt.date | None]:
    """Each source that people know to have ended, with the newest date that it published; None where its file
    is not known."""
    codes, newest = {warning.code for warning in told}, {file.source: file.newest for file in files}
    return {source: newest.get(source) for source in SOURCES if f"{ENDED}{source}" in codes}


def sentence(sources: Mapping[str, dt.date | None], date: Callable[[dt.date], str] = str) -> str:
    """What is to be said of these sources; empty for none. A day needs both, so that one ends the record."""
    if not sources:
        return ""
    first, *others = (
        (PUBLISHERS[source], f" on {date(newest)}" if newest else "") for source, newest in sources.items()
    )
    said = f"{first[0]} stopped publishing{first[1]}" + "".join(f", {name}{when}" for name, when in others)
    if len(sources) == len(SOURCES):
        return f"{said}: the record is complete and will not grow."
    return f"{said}: without it the record does not grow."

"""What a new run is, from what was read: its pending dates, its remarks, what it settles. Pure."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from functions import remarks
from functions.diff import diff, unacknowledged
from functions.errors import SourceRefused
from functions.plausibility import check, figures_digest
from functions.transform import Published
from schemas.ledger import (
    ACCEPTED,
    GONE,
    Acceptance,
    Acknowledged,
    Head,
    Reason,
    Run,
    Settled,
    Warning,
    pending,
)

MAX_WORDS = 500  # characters of an operator's reason in a report


@dataclass(frozen=True)
class Known:
    """The ledger before a run: the head, every day, and the runs that owe dates, oldest first."""

    head: Head
    days: Mapping[dt.date, Acknowledged]
    owing: Sequence[Run]

    @cached_property
    def owed(self) -> frozenset[dt.date]:
        """The dates that older runs owe."""
        return frozenset(pending(self.owing, self.days))


def believed(run: Run, known: Known, published: Published, acceptances: Sequence[Acceptance]) -> Run:
    """The run with its pending dates and remarks. Raises SourceRefused where the files are not believable."""
    head, days = known.head, known.days
    valid = [a for a in acceptances if a.digest in (GONE, figures_digest(published, a.date))]
    accepted = {(acceptance.date, acceptance.digest) for acceptance in valid}
    if reasons := check(published, days, accepted):
        raise SourceRefused(reasons)
    sends = diff(published.days, days, known.owed)
    new = unacknowledged(published.days, sends, days)
    late = [date for date in new if head.last_acknowledged and date < head.last_acknowledged]
    holding = [*_untold(known), *remarks.remarks(published, run.time.date(), late)]
    news = remarks.news({warning.code: warning for warning in holding}.values(), head.told)
    return replace(
        run,
        pending=tuple(day.date for day in sends),
        new=new,
        newest=published.newest,
        accepted=_on_an_operators_word(check(published, days, ()) if valid else [], valid, known),
        warnings=news.warnings,
        begun=news.begun,
        ended=news.ended,
    )


def unchanged(run: Run, head: Head, settled: Settled) -> Run:
    """The run after two 304s: neither source has published anything since nothing was left to do, and only
    what comes of time is new."""
    news = remarks.news(remarks.since(head.told, settled.newest, run.time.date()), head.told)
    return replace(
        run,
        newest=head.newest,
        basis=settled,
        warnings=news.warnings,
        begun=news.begun,
        ended=news.ended,
    )


def basis(
    run: Run, head: Head, published: Published, addresses: Mapping[str, str], etags: Mapping[str, str]
) -> Settled | None:
    """What the run settles once nothing is left to do; None where a source sent no ETag."""
    newest = {source: max(rows) for source, rows in published.rows.items()}
    return Settled(addresses, etags, newest, run.code, head.acceptances) if etags else None


def _untold(known: Known) -> list[Warning]:
    """That dates were late, which runs found that a newer one followed before they could tell."""
    warnings = [w for run in known.owing for w in run.warnings if w.code in run.begun]
    return [warning for warning in warnings if warning.code.startswith(remarks.LATE)]


def _on_an_operators_word(
    overruled: Sequence[Reason], acceptances: Sequence[Acceptance], known: Known
) -> tuple[Warning, ...]:
    """The reasons that acceptances overrule and that people do not know of yet, with the operator's words;
    also those that runs found that a newer one followed before they could tell."""
    in_time = sorted(acceptances, key=lambda acceptance: acceptance.accepted_at)
    by_date = {acceptance.date.isoformat(): acceptance for acceptance in in_time}
    found = {warning.code: warning.text for run in known.owing for warning in run.accepted}
    new: dict[str, list[str]] = {}
    for reason in overruled:
        if acceptance := by_date.get(reason.date or ""):
            code = f"{ACCEPTED}{acceptance.date}/{acceptance.digest}"
            new.setdefault(code, []).append(f'{reason} (accepted: "{acceptance.reason[:MAX_WORDS]}")')
    found |= {code: "; ".join(texts) for code, texts in new.items()}
    told = {warning.code for warning in known.head.told}
    untold = [Warning(code, text) for code, text in found.items() if code not in told]
    return tuple(untold[: remarks.MAX_WARNINGS])  # the next run tells the others

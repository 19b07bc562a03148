"""How a view is shared and cited: an address that gives the same figures for ever, and what to write. Pure."""

import datetime as dt
from dataclasses import replace

from dashboard import text
from dashboard.series import Seen
from dashboard.view import View
from schemas.moment import written

AUTHORS = ("The New York Times", "CSSE at Johns Hopkins University")


def pinned(seen: Seen) -> View:
    """The same view of the record as it stands now: what is entered later doesn't move it. The dates are
    written out, because a period counts back from a day that isn't the last for ever."""
    newest = max((row.recorded_at for row in seen.rows), default=None)
    dates = seen.now.dates
    span = {"start": dates[0], "end": dates[-1], "span": ""} if dates else {}
    return replace(seen.view, known=seen.view.known or newest, page=1, day=None, **span)


def titled(seen: Seen) -> str:
    """What is shown of which days, and as known when: both moments, where two are compared."""
    view, dates = pinned(seen), seen.now.dates
    days = f", {text.date(dates[0])} to {text.date(dates[-1])}" if dates else ""
    known = "" if view.known is None else f"as known on {text.when(view.known)}"
    if view.asof is not None:
        known = f"as known at the end of {text.date(view.asof)}, compared with {known.removeprefix('as ')}"
    return f"{text.title(view)}{days}, {known}".removesuffix(", ")


def citation(seen: Seen, origin: str) -> str:
    """For a list of references."""
    return f"{' and '.join(AUTHORS)}: “{titled(seen)}”, in Daybook, {origin}/{pinned(seen).query(whole=True)}"


def bibtex(seen: Seen, origin: str) -> str:
    """For BibTeX."""
    view = pinned(seen)
    known = view.known or dt.datetime.min
    fields = {
        "author": " and ".join(f"{{{author}}}" for author in AUTHORS),
        "title": f"{{{titled(seen)}}}".replace("\u00a0", " "),
        "howpublished": "Daybook: the U.S. COVID-19 record, with every correction kept",
        "year": str(known.year),
        "note": f"As known on {written(known)}",
        "url": f"{origin}/{view.query(whole=True)}",
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{daybook-{known:%Y%m%d%H%M}-{view.show},", *lines, "}"])


def frame(seen: Seen, origin: str) -> str:
    """For a page that is to show it."""
    address = f"{origin}/embed{pinned(seen).query(whole=True)}".replace("&", "&amp;")
    return f'<iframe src="{address}" title="{text.title(seen.view)}" width="100%" height="520"></iframe>'

"""How a view is shared and cited: an address that gives the same figures for ever. Pure."""

from dataclasses import replace

from dashboard import text
from dashboard.series import Seen
from dashboard.view import View
from schemas.moment import written

AUTHORS = ("The New York Times", "CSSE at Johns Hopkins University")


def heading(view: View) -> str:
    """What is shown, and as known when."""
    asof = f", as known when {text.date(view.asof)} ended" if view.asof else ""
    return text.title(view) + asof


def pinned(seen: Seen) -> View:
    """The same view of the record as it stands now: what is entered later doesn't move it."""
    newest = max((row.recorded_at for row in seen.rows), default=None)
    return replace(seen.view, known=seen.view.known or newest, page=1)


def titled(seen: Seen) -> str:
    """What is shown of which days, and as known when: both moments, where two are compared."""
    view, dates = pinned(seen), seen.now.dates
    parts = [text.title(view)]
    if dates:
        parts.append(f"{text.date(dates[0])} to {text.date(dates[-1])}")
    if view.asof is not None:
        parts.append(f"as known when {text.date(view.asof)} ended, and")
    if view.known is not None:
        parts.append(f"as known on {text.when(view.known)}")
    return ", ".join(parts).replace("and, as", "and as")


def address(seen: Seen, origin: str) -> str:
    """Where the view is, as it is now, for ever."""
    return f"{origin}/{pinned(seen).query(whole=True)}"


def citation(seen: Seen, origin: str) -> str:
    """For a list of references."""
    return f"{' and '.join(AUTHORS)}: “{titled(seen)}”, in Daybook, {address(seen, origin)}"


def bibtex(seen: Seen, origin: str) -> str:
    """For BibTeX."""
    view = pinned(seen)
    known = "" if view.known is None else written(view.known)
    fields = {
        "author": " and ".join(f"{{{author}}}" for author in AUTHORS),
        "title": f"{{{titled(seen)}}}".replace("\u00a0", " "),
        "howpublished": "Daybook: the U.S. COVID-19 record, with every correction kept",
        "year": known[:4],
        "note": f"As known on {known}",
        "url": address(seen, origin),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@misc{{daybook-{known[:10]}-{view.show},", *lines, "}"])


def frame(seen: Seen, origin: str) -> str:
    """For a page that is to show it."""
    source = f"{origin}/embed{pinned(seen).query(whole=True)}".replace("&", "&amp;")
    return f'<iframe src="{source}" title="{text.title(seen.view)}" width="100%" height="520"></iframe>'

"""The pages. Each is a module: ``PATH``; ``LINK``, its name in the masthead, empty for none; ``TITLE``, the
window's; ``SECTION``, the id of what ``section()`` lays out; ``needs(view)``, what the desk reads for it; and
``content(snapshot, view)``, a value for each id in ``CONTENT``."""

from types import ModuleType

from dashboard.pages import record, revisions, status

PAGES: dict[str, ModuleType] = {page.PATH: page for page in (record, status)}
LINKS = [(page.LINK, page.PATH) for page in (record, revisions, status)]  # of the masthead


def at(path: str | None) -> ModuleType | None:
    """The page of a path. A page whose own path ends in a slash has every path behind it."""
    path = path or "/"
    deeper = (page for prefix, page in PAGES.items() if prefix.endswith("/") and path.startswith(prefix))
    return PAGES.get(path) or next((page for page in deeper if page.PATH != "/"), None)

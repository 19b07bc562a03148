"""The record's changes as an Atom feed (RFC 4287). Pure."""

import uuid
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from dashboard import lately, text
from dashboard.addresses import Addresses
from dashboard.answers import Publication
from dashboard.markup import markup
from schemas.moment import written

ATOM = "http://www.w3.org/2005/Atom"
MOST = 40  # entries: two months of a source that restates every other day


def atom(publications: Sequence[Publication], addresses: Addresses, stack: str, credit: str) -> bytes:
    """The newest publications, the newest first. Ids follow from what they name: reading it again shows
    nothing twice."""
    root = ET.Element("feed", {"xmlns": ATOM, "xml:lang": "en"})
    _text(root, "title", "Daybook: what changed in the U.S. COVID-19 record")
    _text(root, "id", _id(stack))
    _text(root, "updated", written(publications[0].moment) if publications else "1970-01-01T00:00:00.000Z")
    _text(root, "rights", credit)
    _text(ET.SubElement(root, "author"), "name", "Daybook")
    for rel, href in (("self", addresses.feed), ("alternate", addresses.revisions())):
        ET.SubElement(root, "link", {"rel": rel, "href": href})
    for publication in publications[:MOST]:
        entry = ET.SubElement(root, "entry")
        moment = written(publication.moment)
        _text(entry, "title", f"{text.date(publication.moment)}: {lately.entered(publication)}")
        _text(entry, "id", _id(f"{stack}/US/{moment}"))
        _text(entry, "updated", moment)
        _text(entry, "content", str(markup(lately.told(publication, addresses))), type="html")
        date = max(publication.recorded + publication.revised)
        ET.SubElement(entry, "link", {"rel": "alternate", "href": addresses.day(date)})
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _text(parent: ET.Element, name: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, name, attributes).text = text


def _id(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"/daybook/{name}").urn

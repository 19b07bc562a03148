"""From the address to the page, and from the controls to the address: what the callbacks call."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from dash import Output, ctx, html, no_update

from dashboard import choice, downloads, layout, parts, record, status, status_page, table, words
from dashboard.cache import Desk
from dashboard.choice import Choice
from dashboard.latest import Latest
from dashboard.settings import Settings

HOME, STATUS = "/", "/status"


@dataclass(frozen=True)
class Pages:
    """What the callbacks call."""

    desk: Desk
    settings: Settings

    def controls(self, search: Any = None, *values: Any) -> tuple[Any, ...]:
        """The address as the controls say, or the controls as the address says: whichever moved."""
        asked = choice.read(search)
        if ctx.triggered_id in (None, layout.URL):
            return (no_update, *_moved(values, asked))
        chosen = choice.chosen(dict(zip(layout.CONTROLS, values, strict=True)))
        if ctx.triggered_id == layout.SPAN:
            chosen = replace(chosen, start=None, end=None, span=values[layout.CONTROLS.index(layout.SPAN)])
        query = chosen.query()
        address = no_update if query == asked.query() else query
        # A control that was just moved says what it says, even if nothing comes of it.
        texts = (
            no_update if name == ctx.triggered_id else text
            for name, text in zip(layout.CONTROLS, _moved(values, chosen), strict=True)
        )
        return (address, *texts)

    def draw(
        self, path: Any = None, search: Any = None, _tick: Any = None, _again: Any = None, drawn: Any = None
    ) -> tuple[Any, ...]:
        """Everything that depends on what there is and on what was chosen."""
        asked = choice.read(search)
        at_status = path == STATUS
        latest = self.desk.look(
            entries=asked.day is not None if at_status else asked.asof is not None, notices=at_status
        )
        now = self.desk.clock()
        assessment = self.assess(latest)
        # A hash: the page keeps it, and it is made of names that are not for everybody.
        version = hashlib.sha256(repr((latest.version, assessment)).encode()).hexdigest()
        if ctx.triggered_id == layout.TICK and drawn == version:
            return (no_update,) * len(DRAWN)
        common = (
            version,
            parts.banners(latest, self.settings),
            parts.badges(latest, assessment, self.settings, at_status=at_status),
            parts.provenance(latest, self.settings),
        )
        if at_status:
            values = _status(latest, assessment, self.settings, now, asked)
        elif path in (HOME, None):
            values = _record(latest, self.settings, asked)
        else:
            values = {layout.ELSEWHERE: _nothing_here()}
        shown = (
            layout.STATUS if at_status else layout.ELSEWHERE if layout.ELSEWHERE in values else layout.RECORD
        )
        hidden = (shown != name for name in (layout.RECORD, layout.STATUS, layout.ELSEWHERE))
        return (*common, *hidden, *(values.get(name, no_update) for name in PARTS))

    def assess(self, latest: Latest) -> status.Assessment:
        return status.assess(latest, self.desk.clock(), dt.timedelta(hours=self.settings.stale_after_hours))


PARTS = (
    layout.DRAWING,
    layout.TILES,
    layout.BELIEVED,
    layout.PICTURE,
    layout.CHART,
    layout.NOTES,
    layout.DOWNLOADS,
    layout.RESTATED,
    layout.TABLE,
    layout.ASSESSMENT,
    layout.HISTORY,
    layout.ELSEWHERE,
)
PROPERTIES = {layout.CHART: "figure", layout.DRAWING: "hidden", layout.PICTURE: "hidden"}
DRAWN = (
    Output(layout.VERSION, "data"),
    Output(layout.BANNERS, "children"),
    Output(layout.BADGES, "children"),
    Output(layout.PROVENANCE, "children"),
    *(Output(name, "hidden") for name in (layout.RECORD, layout.STATUS, layout.ELSEWHERE)),
    *(Output(name, PROPERTIES.get(name, "children")) for name in PARTS),
)


def _moved(values: Sequence[Any], chosen: Choice) -> list[Any]:
    """What each control is to say where it says otherwise: nothing is written into a field needlessly,
    someone may be typing there."""
    return [no_update if text == value else text for text, value in zip(_values(chosen), values, strict=True)]


def _values(asked: Choice) -> tuple[str, ...]:
    return (
        asked.show,
        asked.scale,
        asked.per,
        # Dates take the presets' place: then none of them is marked.
        "dates" if asked.start or asked.end else asked.span,
        _text(asked.start),
        _text(asked.end),
        _text(asked.asof),
        _text(asked.day),
    )


def _text(date: dt.date | None) -> str:
    return "" if date is None else date.isoformat()


def _record(latest: Latest, settings: Settings, asked: Choice) -> dict[str, Any]:
    seen = record.see(latest, asked)
    drawn = bool(seen.now.dates)
    empty = (layout.NOTES, layout.DOWNLOADS, layout.RESTATED, layout.TABLE)
    return {
        layout.TILES: record.tiles(seen, latest),
        layout.DRAWING: not seen.rows,
        layout.BELIEVED: record.believed(seen, latest),
        layout.PICTURE: not drawn,
    } | (_drawn(seen, settings) if drawn else {name: [] for name in empty})


def _drawn(seen: record.Seen, settings: Settings) -> dict[str, Any]:
    chart = record.chart(seen, settings)
    chart["layout"]["meta"] |= {
        "name": downloads.stem(seen, settings)
        + (f"-{choice.LOG}" if seen.choice.scale == choice.LOG else ""),
        "caption": record.caption(seen),
        "credit": "Synthetic sample: these figures are made up." if settings.synthetic else words.CREDIT,
    }
    return {
        layout.CHART: chart,
        layout.NOTES: record.notes(seen),
        layout.DOWNLOADS: _links(seen.choice.query()),
        layout.RESTATED: table.restated(seen),
        layout.TABLE: table.table(seen),
    }


def _links(query: str) -> list[Any]:
    return [
        html.A("CSV", href=f"/data/shown.csv{query}", id="csv"),
        html.A("its units and credit", href=f"/data/metadata.json{query}", id="metadata"),
        html.A("both as a zip", href=f"/data/shown.zip{query}", id="zip"),
        html.A("JSON", href=f"/data/shown.json{query}", id="json"),
    ]


def _status(
    latest: Latest, assessment: status.Assessment, settings: Settings, now: dt.datetime, asked: Choice
) -> dict[str, Any]:
    return {
        layout.ASSESSMENT: status_page.page(latest, assessment, settings, now),
        layout.HISTORY: status_page.history(latest, asked.day),
    }


def _nothing_here() -> list[Any]:
    return [
        html.H1("No such page", className="headline"),
        html.P(
            ["There is ", html.A("the record", href="/"), " and ", html.A("its status", href="/status"), "."]
        ),
    ]

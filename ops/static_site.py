"""The record as a page without a server, every entry in it: for GitHub Pages, or a stick."""

import base64
import datetime as dt
import hashlib
import json
import re
import shutil
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from markdown_it import MarkdownIt

from dashboard import chart, series
from dashboard import text as texts
from dashboard.markup import markup
from dashboard.milestones import milestones, turns
from dashboard.pages import day, record
from dashboard.pages.frame import JHU_LICENCE, NYT_LICENCE
from dashboard.routes.http import ASSETS, STYLES, plotly_script
from dashboard.view import AVERAGE, LINEAR, LOG, NEW, TOTAL, View
from ops import static_pages
from storage import csv_files
from storage.tables import Row, ranked

PARTS = Path(__file__).with_name("page")
POST = Path(__file__).resolve().parent.parent / "docs" / "blog-post.md"
IN_REPOSITORY = re.compile(r'<a href="(?:\.\./|[a-z-]+\.md)[^"]*">(.*?)</a>', re.DOTALL)
VIEWS = tuple(View(show=show, scale=scale) for show in (TOTAL, NEW, AVERAGE) for scale in (LINEAR, LOG))
MADE_UP = (
    '<p class="banner synthetic"><b>Synthetic sample.</b> These figures are made up. '
    "They are nobody's record of anything.</p>"
)


def write(
    folder: Path,
    daily: Sequence[Row],
    revisions: Sequence[Row],
    files: day.Files,
    now: dt.datetime,
    synthetic: bool,
) -> Path:
    """Write the page, a page a day, the map of revisions, the figures as CSV, and the blog post that links to
    it. ``files`` has each run's, by the run's name. Returns the first page's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "daily.csv").write_text(csv_files.days(daily), encoding="utf-8")
    (folder / "revisions.csv").write_text(csv_files.revisions(revisions), encoding="utf-8")
    (folder / "index.html").write_text(page(daily, revisions, now, synthetic), encoding="utf-8")
    (folder / "blog-post.html").write_text(post(), encoding="utf-8")
    static_pages.write(folder, revisions, files, _style(), synthetic=synthetic)
    shutil.copytree(POST.parent / "plots", folder / "plots", dirs_exist_ok=True)
    return folder / "index.html"


def page(daily: Sequence[Row], revisions: Sequence[Row], now: dt.datetime, synthetic: bool) -> str:
    """The whole page. Nothing in it is loaded from elsewhere, and its policy forbids it."""
    plotly = plotly_script().decode()
    compare = (ASSETS / "compare.js").read_text(encoding="utf-8")
    script = (PARTS / "page.js").read_text(encoding="utf-8")
    scripts = " ".join(f"'sha256-{_digest(text)}'" for text in (plotly, compare, script))
    return Template((PARTS / "index.html").read_text(encoding="utf-8")).substitute(
        policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; script-src {scripts}",
        style=_style(),
        banner=MADE_UP if synthetic else "",
        lately=static_pages.lately(revisions),
        history="".join(f"<p>{escape(sentence)}</p>" for sentence in texts.from_history(revisions)),
        through=str(daily[-1].day.date),
        written=escape(texts.moment(now)),
        nyt_licence=NYT_LICENCE,
        jhu_licence=JHU_LICENCE,
        # `<` would end the element where a text held a tag; the JSON is the same.
        record=json.dumps(contents(daily, revisions, synthetic), separators=(",", ":")).replace(
            "<", "\\u003c"
        ),
        headline=escape(record.headline(series.see(daily, View()))),
        turns=_turns(revisions),
        events=markup(record.events(_seen(daily, revisions, View()), static_pages.HERE)),
        plotly=plotly,
        compare=compare,
        script=script,
    )


def post() -> str:
    """The blog post as a page in the same dress. Links into the repository become plain text."""
    text = MarkdownIt("commonmark").enable("table").render(POST.read_text(encoding="utf-8"))
    text = text.replace('href="visualization.md"', 'href="index.html"')
    text = IN_REPOSITORY.sub(r"\1", text)
    title = text.partition("<h1>")[2].partition("</h1>")[0]
    return Template((PARTS / "post.html").read_text(encoding="utf-8")).substitute(
        title=title, style=_style(), text=text.replace("<table>", '<table class="texts">')
    )


def _style() -> str:
    sheets = (*(ASSETS / name for name in STYLES), PARTS / "page.css")
    return "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def contents(daily: Sequence[Row], revisions: Sequence[Row], synthetic: bool) -> dict[str, Any]:
    """What the page's script works with. ``entered``: the days recorded and revised at each moment, oldest
    first."""
    views: dict[str, Any] = {}
    for view in VIEWS:
        seen = _seen(daily, revisions, view)
        views[f"{view.show}/{view.scale}"] = {
            "today": chart.chart(seen, synthetic=synthetic),
            "template": chart.template(seen, synthetic=synthetic),
            "notes": record.sentences(seen),
            "unit": texts.unit("cases", view),
        }
    entered: dict[dt.date, list[int]] = defaultdict(lambda: [0, 0])
    for revision, row in ranked(revisions):
        entered[row.recorded_at.date()][revision > 1] += 1
    return {
        "record": series.compact(revisions),
        "views": views,
        "entered": [entered[date] for date in series.moments(revisions)],
    }


def _seen(daily: Sequence[Row], revisions: Sequence[Row], view: View) -> series.Seen:
    return replace(series.see(daily, view), milestones=milestones(revisions))


def _turns(revisions: Sequence[Row]) -> str:
    """The dates that are worth a look, as buttons."""
    items = "".join(
        f'<li><button type="button" class="link" data-moment="{turn.before}">'
        f"{texts.date(turn.before)}</button>: a day later {turn.brief}</li>"
        for turn in turns(revisions)
    )
    return f"<p>Worth a look:</p><ul>{items}</ul>" if items else ""


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

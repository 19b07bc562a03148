"""Every id in the page."""

# Where the reader is, and what makes a page be drawn again.
URL, TICK, AGAIN, VERSION = "url", "tick", "again", "version"
# What the script fills when the server is silent.
ALERT = "alert"
# Every page; and the sections, of which one is visible.
BADGES, BANNERS, PROVENANCE = "badges", "banners", "provenance"
RECORD, STATUS, ELSEWHERE = "record", "status", "elsewhere"
# The record.
SHOW, SCALE, PER, SPAN, START, END, ASOF = "show", "scale", "per", "span", "start", "end", "asof"
DRAWING, PICTURE, CHART = "drawing", "picture", "chart"
SHARING, LATELY = "sharing", "lately"
TILES, BELIEVED, NOTES, PNG, DOWNLOADS, RESTATED, TABLE = (
    "tiles",
    "believed",
    "notes",
    "png",
    "downloads",
    "restated",
    "table",
)
# What was known on …: the scrubber, and what its script works with.
HEADLINE, CAPTION, TURNS = "headline", "caption", "turns"
RIBBON = "ribbon"
SCRUBBER, MOMENT, LAST_MOMENT, MOMENT_DATE = "scrubber", "moment", "last-moment", "moment-date"
ENTRIES, TEMPLATE = "entries", "template"
# The status page.
ASSESSMENT = "assessment"

CONTROLS = (SHOW, SCALE, PER, SPAN, START, END, ASOF)

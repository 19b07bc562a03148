"""Share, cite and embed a view: each a text to be copied. Pure.

The page's script puts in the address of its host, which the server doesn't know behind a front.
"""

from typing import Any

from dash import html

from dashboard import citing
from dashboard.pages import frame
from dashboard.series import Seen

HOST = "{host}"
TEXTS = {
    "share": ("Share: the same figures for ever", citing.address),
    "citation": ("Cite", citing.citation),
    "bibtex": ("Cite, for BibTeX", citing.bibtex),
    "frame": ("Embed: the chart in a page of yours", citing.frame),
}


def content(seen: Seen) -> list[Any]:
    """Closed until it is asked for."""
    texts = []
    for name, (label, written) in TEXTS.items():
        before, *after = written(seen, HOST).split(HOST)
        pieces: list[Any] = [before]
        for piece in after:
            pieces += [html.Span(className="origin"), piece]
        texts += [
            html.P(
                [
                    html.Span(label),
                    html.Button("Copy", type="button", className="link copy", **frame.aria(controls=name)),
                ],
                className="caption",
            ),
            html.Pre(pieces, id=name, tabIndex=0, **frame.aria(label=label)),
        ]
    return [html.Details([html.Summary("Share, cite, embed"), *texts], className="sharing")]

"""HTML as text: of Dash's components, and of elements that Dash has none for. Pure."""

from typing import Any

from dash.development.base_component import Component
from markupsafe import Markup, escape

NAMESPACE = "dash_html_components"
VOID = {"br", "hr", "img", "input", "link", "meta"}
REACTS = {"className": "class", "htmlFor": "for"}


def element(tag: str, *children: Any, **attributes: Any) -> Markup:
    """An element. In the names of attributes ``_`` stands for ``-``, and at the end for nothing; an attribute
    that is None or False is left out, one that is True has no value."""
    named = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    return _element(tag, named, children)


def markup(node: Any) -> Markup:
    """Of a component of dash.html, a text, a number, or a list of such. Markup stays as it is. Raises
    TypeError at other components: they are nothing without their script."""
    if node is None:
        return Markup()
    if isinstance(node, list | tuple):
        return Markup().join(map(markup, node))
    if not isinstance(node, Component):
        return escape(node)
    plain: dict[str, Any] = node.to_plotly_json()
    if plain["namespace"] != NAMESPACE:
        raise TypeError(f"{plain['type']} is no plain HTML")
    attributes: dict[str, Any] = plain["props"]
    children = attributes.pop("children", None)
    named = {REACTS.get(name, name.lower()): value for name, value in attributes.items()}
    return _element(plain["type"].lower(), named, [children])


def _element(tag: str, attributes: dict[str, Any], children: Any) -> Markup:
    start = Markup().join(
        Markup(" {}").format(name) if value is True else Markup(' {}="{}"').format(name, value)
        for name, value in attributes.items()
        if value is not None and value is not False
    )
    opening = Markup("<{}{}>").format(tag, start)
    return opening if tag in VOID else opening + markup(list(children)) + Markup("</{}>").format(tag)

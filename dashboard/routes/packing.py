"""Answers that travel packed: by brotli where the browser asks for it, else by gzip."""

import gzip
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus

import brotli
from flask import Flask, Response, request

JSON = "application/json"
PACKED = ("text/", JSON, "application/javascript", "application/atom+xml")
WORTH_PACKING = 1_000  # bytes
# By each encoding, the better first: a script's, which is packed once, and an answer's, which is packed anew.
ONCE: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=9),  # eleven takes ten times as long, for a tenth less
    "gzip": lambda body: gzip.compress(body, 9, mtime=0),
}
ANEW: Mapping[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=4),
    "gzip": lambda body: gzip.compress(body, 5, mtime=0),
}


def encoding() -> str | None:
    """The better encoding of those that the browser asks for."""
    return next((name for name in ONCE if request.accept_encodings.quality(name) > 0), None)


def packed(response: Response) -> Response:
    """The response as it travels."""
    kind = response.content_type or ""
    if "Content-Encoding" in response.headers or not kind.startswith(PACKED):
        return response
    response.vary.add("Accept-Encoding")
    name = encoding()
    if name is None or response.status_code == HTTPStatus.NOT_MODIFIED:
        return response
    response.direct_passthrough = False  # the style sheet and our script come as files
    body = response.get_data()
    if len(body) < WORTH_PACKING:
        return response
    # Scripts come again and again, in the same words; what is drawn doesn't.
    lasting = "javascript" in kind or "css" in kind
    response.set_data(once(body, name) if lasting else ANEW[name](body))
    response.headers["Content-Encoding"] = name
    return response


@lru_cache(maxsize=64)
def once(body: bytes, name: str) -> bytes:
    """A body that is asked for again and again, packed the first time."""
    return ONCE[name](body)


def warm(server: Flask, addresses: list[str]) -> None:
    """Pack what these addresses answer before the first visitor waits for it."""
    client = server.test_client()
    for address in addresses:
        for name in ONCE:
            client.get(address, headers={"Accept-Encoding": name}).close()

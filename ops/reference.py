"""``python -m ops.reference``: every command's own help as docs/commands.md, and what can be configured as
docs/settings.md."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click
import yaml

from ops.__main__ import main, run

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "commands.md"
SETTINGS_PAGE = ROOT / "docs" / "settings.md"
SETTINGS_HEAD = """# What can be configured

Generated from [Pulumi.yaml](../Pulumi.yaml): `python -m ops.reference`. Set one with
`pulumi config set daybook:label staging`, one of a list with
`pulumi config set --path 'daybook:emails[0]' you@example.com`. What is wrong with a value, or a setting that
isn't there, is said before anything is deployed.

| setting | type | default | what it is |
| --- | --- | --- | --- |"""
HEAD = """# The operator's commands

Generated: `python -m ops.reference`. What to use when: [operating.md](operating.md).
"""


def page() -> str:
    """The whole page."""
    sections = [
        f"## {' '.join(['python -m ops', *path])}\n\n```text\n{_help(path)}```\n" for path in paths(main)
    ]
    return "\n".join([HEAD, *sections])


def paths(command: click.Command, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """How each command is called, groups before what is in them."""
    yield above
    if isinstance(command, click.Group):
        for name, one in sorted(command.commands.items()):
            yield from paths(one, (*above, name))


def _help(path: tuple[str, ...]) -> str:
    with redirect_stdout(io.StringIO()) as said:
        run([*path, "--help"])
    return said.getvalue()


def settings_page() -> str:
    """What Pulumi.yaml declares."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))
    rows = [
        f"| `daybook:{name}` | {said['type']} | {_default(said['default'])} | {said['description']} |"
        for name, said in project["config"].items()
    ]
    return "\n".join([SETTINGS_HEAD, *rows, ""])


def _default(value: Any) -> str:
    return f"`{json.dumps(value)}`" if isinstance(value, bool | list) else f"`{value}`" if value != "" else ""


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SETTINGS_PAGE.write_text(settings_page(), encoding="utf-8")

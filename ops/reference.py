"""``python -m ops.reference``: every command's own help, as docs/commands.md."""

import io
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import click

from ops.__main__ import main, run

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
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


if __name__ == "__main__":
    PAGE.write_text(page())

"""The commands that a page tells people to type, to be typed by a test."""

import re

from local.stack.program import ROOT


def commands(page: str, heading: str) -> list[str]:
    """Those of the section's blocks of code, comments left out."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.partition(f"\n{heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    assert lines, f"docs/{page} has no commands under {heading}"
    return lines

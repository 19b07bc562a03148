"""Files are read and written as UTF-8 whatever the machine's locale is, and no output can fail by it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("schemas", "storage", "functions", "dashboard", "infra", "local", "ops", "benchmarks")
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
TEXT = {"read_text", "write_text", "open"}


def unnamed(tree):
    """Line numbers of calls that read or write text in the locale's encoding."""
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or any(word.arg == "encoding" for word in call.keywords):
            continue
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            owner = call.func.value.id
        else:
            owner = ""
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        modes = [word.value for word in call.keywords if word.arg == "mode"] + call.args
        binary = any(isinstance(mode, ast.Constant) and "b" in str(mode.value) for mode in modes)
        if name in TEXT and not binary and owner not in {"os", "tarfile", "OPENER", "gzip"}:
            yield call.lineno


def test_a_call_that_names_no_encoding_is_seen():
    source = (
        "path.read_text()\nopen(name)\npath.open('rb')\npath.open('w', encoding='utf-8')\nos.open(name, 0)"
    )
    assert list(unnamed(ast.parse(source))) == [1, 2]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_text_is_read_and_written_in_an_encoding_that_is_named(path):
    assert list(unnamed(ast.parse(path.read_text(encoding="utf-8")))) == []


PROGRAM = r"""
from rich.console import Console
from {module}.__main__ import run
run([])
Console().out("\u2026 \u2192 \xe9")
"""


@pytest.mark.parametrize("module", ["local", "ops"])
def test_a_terminal_without_the_characters_gets_them_written_out(module):
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    environment["PYTHONIOENCODING"] = "ascii"
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    assert b"Traceback" not in done.stderr
    assert done.stdout.endswith(b"\\u2026 \\u2192 \\xe9\n")

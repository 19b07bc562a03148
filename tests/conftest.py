"""What many tests share: where the real published files are, and builders of days, entries and files."""

import os
import shutil
import tempfile
from pathlib import Path

import engines
import pairs
import pytest
import reliability

from infra import package

DATA = Path(os.environ.get("DAYBOOK_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real published files; without it the test is skipped, and says so."""
    if not (DATA / "published").is_dir():
        pytest.skip(f"no published files in {DATA}: set DAYBOOK_DATA to the folder that holds them")
    return DATA


def pytest_configure(config: pytest.Config) -> None:
    """What the workers count of faults lies in one folder, of this run unless make test-long named one."""
    if reliability.VARIABLE not in os.environ:  # a worker has it from who started it
        folder = tempfile.TemporaryDirectory(prefix="daybook-faults-")
        os.environ[reliability.VARIABLE] = folder.name
        config.add_cleanup(folder.cleanup)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long tests and those of other engines are left out, unless they are asked for."""
    asked = {"long": "DAYBOOK_LONG", "peers": "DAYBOOK_PEERS", "engine": "DAYBOOK_ENGINE"}
    unasked = [mark for mark, variable in asked.items() if not os.environ.get(variable)]
    left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in unasked)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many faults were tried; and where skips are errors, those that had no reason to be."""
    if line := reliability.summary(reliability.read(Path(os.environ[reliability.VARIABLE]))):
        terminalreporter.write_line(line)
    for line in pairs.table(Path(os.environ[reliability.VARIABLE])):
        terminalreporter.write_line(line)
    for report in _needless_skips(terminalreporter):
        terminalreporter.write_line(f"skipped, though it could have run here: {report.nodeid}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With DAYBOOK_NO_SKIPS a skip fails the run, unless what it needs is really missing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and not hasattr(session.config, "workerinput") and _needless_skips(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _needless_skips(reporter: pytest.TerminalReporter) -> list[pytest.TestReport]:
    if not os.environ.get("DAYBOOK_NO_SKIPS"):
        return []
    missing = {
        "DAYBOOK_DATA": not (DATA / "published").is_dir(),
        "no Python": package.lambdas_python() is None,
        "no Go": True,  # nor its modules: no part of what make setup needs
        "no Node.js": engines.node() is None,
        "no Rscript": shutil.which("Rscript") is None,
        "no git": shutil.which("git") is None,
    }
    return [
        report
        for report in reporter.stats.get("skipped", [])
        if not any(gone and named in str(report.longrepr) for named, gone in missing.items())
    ]

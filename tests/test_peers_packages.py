"""The functions' packages on AWS's runtime interface emulator: each handler does its work from them alone."""

import platform
from collections.abc import Iterator
from pathlib import Path

import engines
import pytest
from packaged_peer import PackagedRuntime, unpacked
from system import System, system

import local.cloud
from infra import package
from infra.package import lambdas_python
from schemas.ledger import COMPLETED, FAILED

HERE = f"{platform.machine()}-manylinux_2_28"  # this machine's processor instead of Lambda's
LAYERS = {"fetcher": ("functions", "fetcher"), "consumer": ("functions",), "reporter": ("functions",)}
KEPT = engines.FOLDER / "packages"  # each under a name that says what it was made from
pytestmark = [
    pytest.mark.peers,
    pytest.mark.xdist_group("packages"),
    pytest.mark.skipif(not engines.RUNTIME_EMULATOR.exists(), reason="no Go on this machine"),
    pytest.mark.skipif(lambdas_python() is None, reason=f"no Python {package.PYTHON} on this machine"),
]


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The system, its functions run from their packages."""
    runtime = tmp_path / "runtime"
    package.install("lambda", runtime, HERE)
    made = {name: package.make(name, KEPT, HERE) for name in package.LAYERS}
    opt = {part: unpacked([made[name] for name in names], tmp_path / part) for part, names in LAYERS.items()}

    class Packaged(PackagedRuntime):
        python = lambdas_python() or Path()

    Packaged.opt, Packaged.runtime = opt, runtime
    monkeypatch.setattr(local.cloud, "LambdaRuntime", Packaged)
    with system(store="dynamodb") as daybook:
        Packaged.variables = daybook.cloud.emulator.environment()
        yield daybook


def test_each_handler_does_its_work_on_the_runtime_emulator(packaged: System) -> None:
    runtime, ledger = packaged.cloud.runtime, packaged.cloud.ledger
    assert isinstance(runtime, PackagedRuntime)

    def next_run() -> None:
        packaged.cloud.clock.advance_to(packaged.moment)
        packaged.cloud.run(packaged.moment)
        packaged.cloud.settle()

    packaged.publish({"2020-03-01": 10, "2020-03-02": 20})
    next_run()
    (run,) = ledger.runs()
    assert (run.state, len(run.inserted)) == (COMPLETED, 2)
    assert packaged.daily() == {"2020-03-01": 10, "2020-03-02": 20}
    assert (runtime.invoked["fetcher"], runtime.invoked["consumer"]) == (1, 1)

    packaged.publisher.files.clear()
    next_run()
    assert ledger.runs()[0].state == FAILED
    assert runtime.invoked["reporter"] > 0
    assert packaged.told("alerts")
    assert ledger.head().unsent == frozenset()

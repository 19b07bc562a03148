"""The packages that Lambda gets: their size, their sameness, and the handlers run from nothing else."""

import json
import os
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pythons import index_reachable
from system import System, system
from test_stack import Recorder, run

from infra import package
from infra.code import PACKAGES
from infra.package import PackageFailed
from infra.settings import ConfigurationError
from local.stack.definitions import LocalFunction
from local.stack.program import default, run_program
from schemas.ledger import COMPLETED, FAILED

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("packages")]  # built once

ROOT = package.ROOT
HERE = f"{platform.machine()}-manylinux_2_28"  # this machine's processor instead of Lambda's
AARCH64 = 183  # the processor that an ELF file names
PARTS = ("fetcher", "consumer", "reporter")
PROBE = '''
import importlib, json, os, sys
from pathlib import Path

probed = importlib.import_module(os.environ["PROBED"])

def handler(event, context):
    """The function's own; and what had been loaded when it ended, and from where."""
    try:
        return probed.handler(event, context)
    finally:
        loaded = {name: getattr(module, "__file__", None) for name, module in list(sys.modules.items())}
        found = {"version": sys.version, "prefix": sys.base_prefix, "loaded": loaded}
        Path(os.environ["PROBE"]).write_text(json.dumps(found))
'''


def made(name: str, folder: Path, platform: str = package.LAMBDA) -> Path:
    """The layer; where no index of wheels can be reached, the test is skipped."""
    try:
        return package.make(name, folder, platform)
    except PackageFailed as failed:
        if index_reachable():
            raise
        pytest.skip(f"no wheel index can be reached: {failed}")


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What `make package` makes for Lambda."""
    folder = tmp_path_factory.mktemp("packages")
    return {name: made(name, folder) for name in package.LAYERS}


# What Lambda takes


def test_each_layer_and_each_function_is_within_lambda_s_quotas(layers: dict[str, Path]) -> None:
    sizes = {name: (path.stat().st_size, package.unzipped(path)) for name, path in layers.items()}
    assert all(0 < zipped < package.MAX_ZIP for zipped, _ in sizes.values())
    code = sum(path.stat().st_size for part in PACKAGES for path in (ROOT / part).glob("*.py"))
    assert code + sum(unzipped for _, unzipped in sizes.values()) < package.MAX_UNZIPPED


def test_the_consumer_and_the_reporter_carry_no_pandas(layers: dict[str, Path]) -> None:
    tops = {name: {entry.split("/")[1] for entry in names(path)} for name, path in layers.items()}
    assert "marshmallow" in tops["functions"]
    assert {"pandas", "numpy"} <= tops["fetcher"]
    assert not tops["functions"] & {"pandas", "numpy", "boto3", "botocore"}
    assert package.unzipped(layers["functions"]) < 5_000_000


def test_all_that_was_compiled_is_for_lambda_s_processor_and_python(layers: dict[str, Path]) -> None:
    compiled = [
        (name, content)
        for path in layers.values()
        for name, content in contents(path).items()
        if content.startswith(b"\x7fELF")
    ]
    assert len(compiled) > 50
    assert {int.from_bytes(content[18:20], "little") for _, content in compiled} == {AARCH64}
    tags = {name.split(".")[-2] for name, _ in compiled if ".cpython-" in name}
    assert tags == {"cpython-313-aarch64-linux-gnu"}


def test_nothing_is_packed_that_is_never_imported(layers: dict[str, Path]) -> None:
    everything = [entry for path in layers.values() for entry in names(path)]
    assert all(entry.startswith("python/") for entry in everything)
    assert [
        entry for entry in everything if entry.endswith("RECORD") or {"bin", "tests"} & {*entry.split("/")}
    ] == []


@pytest.mark.skipif(package.lambdas_python() is None, reason=f"no Python {package.PYTHON}")
def test_every_module_has_bytecode_that_is_taken_without_a_look_at_its_source(
    layers: dict[str, Path],
) -> None:
    for path in layers.values():
        files = contents(path)
        compiled = {name: content for name, content in files.items() if name.endswith(".pyc")}
        modules = [name for name in files if name.endswith(".py")]
        wanted = {
            f"{folder}/__pycache__/{module.removesuffix('.py')}.cpython-313.pyc"
            for folder, _, module in (name.rpartition("/") for name in modules)
        }
        assert compiled.keys() == wanted
        assert {content[4:8] for content in compiled.values()} == {b"\x01\0\0\0"}  # PEP 552: unchecked hash
        assert not any(b"daybook-layer-" in content for content in compiled.values())
        assert any(b"/opt/python/" in content for content in compiled.values())


# What the program makes of them


def test_the_fetcher_alone_has_the_layer_with_pandas() -> None:
    stack = run()
    layers = stack.all("lambda/layerVersion:LayerVersion")
    assert {name: layer["layerName"] for name, layer in layers.items()} == {
        "functions": "daybook-test-functions",
        "fetcher": "daybook-test-fetcher",
    }
    for name, layer in layers.items():
        assert layer["code"].path == str(package.layer(name))
        assert layer["compatibleRuntimes"] == ["python3.13"]
        assert layer["compatibleArchitectures"] == ["arm64"]
    arns = {name: stack.arn("lambda/layerVersion:LayerVersion", name) for name in layers}
    assert {part: stack.one("lambda/function:Function", part)["layers"] for part in PARTS} == {
        "fetcher": [arns["functions"], arns["fetcher"]],
        "consumer": [arns["functions"]],
        "reporter": [arns["functions"]],
    }


def test_a_deployment_without_them_is_refused_before_anything_is_declared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package, "FOLDER", tmp_path)
    monkeypatch.setattr(package, "missing", lambda: ["layer-functions-1.zip", "dashboard-2.zip"])
    recorder = Recorder()
    with pytest.raises(ConfigurationError) as refused:
        run_program(recorder, "test", {"check_packages": default("check_packages")})
    assert f"layer-functions-1.zip isn't in {tmp_path}: run make package" in str(refused.value)
    assert f"dashboard-2.zip isn't in {tmp_path}: run make package" in str(refused.value)
    assert recorder.resources == []


def test_what_make_package_makes_is_what_the_program_looks_for(tmp_path: Path) -> None:
    lost = [package.layer(name, tmp_path).name for name in package.LAYERS]
    assert package.missing(tmp_path) == [*lost, package.dashboard(tmp_path).name]
    package.make_dashboard(tmp_path)
    assert package.missing(tmp_path) == lost
    for name in package.LAYERS:
        made(name, tmp_path)
    assert package.missing(tmp_path) == []


# The same again


def test_a_second_build_from_another_place_with_caches_about_gives_the_same_bytes(
    layers: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_COMPILE_BYTECODE", "1")  # which layers leave out
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name, path in layers.items():
        again = made(name, tmp_path / "elsewhere")
        assert again.name == path.name
        assert again.read_bytes() == path.read_bytes()


def test_a_copy_of_the_project_elsewhere_with_caches_about_says_the_same_hashes(tmp_path: Path) -> None:
    elsewhere = tmp_path / "a copy"
    kept = ("infra", *PACKAGES, "dashboard", "requirements")
    for part in kept:
        shutil.copytree(ROOT / part, elsewhere / part, ignore=shutil.ignore_patterns("__pycache__"))
        (elsewhere / part / "__pycache__").mkdir()
        (elsewhere / part / "__pycache__" / "stale.cpython-311.pyc").write_bytes(b"old")
        for path in (elsewhere / part).rglob("*.py"):
            os.utime(path, (0, 0))
            path.chmod(0o600)
    assert hashes(elsewhere) == hashes(ROOT)


def hashes(root: Path) -> dict[str, str]:
    """Of the code, as the functions and Pulumi know it; the names of the layers; the bundle's."""
    program = """
import hashlib, json
from dashboard import bundle
from infra import package
from infra.code import read_code
code = read_code()
files = {name: hashlib.sha256(open(asset.path, "rb").read()).hexdigest()
         for name, asset in code.archive.assets.items()}
print(json.dumps({"code": code.hash, **files, **{name: package.layer(name).name for name in package.LAYERS},
                  "bundle": bundle.digest(), "packed": hashlib.sha256(bundle.packed()).hexdigest()}))
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_layer_s_name_follows_its_lock_file_and_its_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = package.layer("functions")
    assert package.layer("functions", platform=HERE.replace("aarch64", "x86_64")) != before
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    monkeypatch.setattr(package, "ROOT", tmp_path)
    assert package.layer("functions") == before
    with (tmp_path / "requirements" / "functions.txt").open("a") as lock:
        lock.write("# another\n")
    assert package.layer("functions") != before


def test_what_has_been_made_is_kept(tmp_path: Path) -> None:
    first = made("functions", tmp_path)
    first.write_bytes(b"kept")
    assert package.make("functions", tmp_path).read_bytes() == b"kept"
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_a_lock_file_that_nobody_can_serve_is_said_plainly_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "requirements").mkdir()
    wrong = f"marshmallow==4.4.0 --hash=sha256:{'0' * 64}\n"
    (tmp_path / "requirements" / "functions.txt").write_text(wrong)
    monkeypatch.setattr(package, "ROOT", tmp_path)
    with pytest.raises(PackageFailed, match=r"functions\.txt can't be installed for aarch64"):
        package.make("functions", tmp_path / "made")
    assert not (tmp_path / "made").exists()


# Run from nothing else


@pytest.fixture(scope="module")
def python() -> Path:
    found = package.lambdas_python()
    if found is None:
        pytest.skip(f"there is no Python {package.PYTHON} on this machine")
    return found


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands in for /var/runtime: awslambdaric, and an older boto3 than Lambda's."""
    folder = tmp_path_factory.mktemp("runtime")
    try:
        package.install("lambda", folder, HERE)
    except PackageFailed as failed:
        if index_reachable():
            raise
        pytest.skip(f"no wheel index can be reached: {failed}")
    return folder


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each function's /opt, by the layers that the Pulumi program gives it."""
    zips = tmp_path_factory.mktemp("zips")
    has = {"fetcher": ("functions", "fetcher"), "consumer": ("functions",), "reporter": ("functions",)}
    folders = {part: tmp_path_factory.mktemp(part) for part in PARTS}
    for part, folder in folders.items():
        for name in has[part]:
            with zipfile.ZipFile(made(name, zips, HERE)) as layer:
                layer.extractall(folder)
    return folders


@pytest.fixture
def packaged(
    python: Path, runtime: Path, unpacked: dict[str, Path], tmp_path: Path
) -> Iterator[tuple[System, Path]]:
    """The system, its functions deployed again: Lambda's Python, their package, and nothing else."""
    probe = tmp_path / "probe"
    probe.mkdir()
    (probe / "probe.py").write_text(PROBE)

    def deployed(function: LocalFunction) -> LocalFunction:
        part = function.name.rpartition("-")[2]
        found = (function.code, unpacked[part] / "python", runtime, probe)
        environment = {
            **function.environment,
            "PYTHONPATH": os.pathsep.join(map(str, found)),
            "PROBED": function.handler.rpartition(".")[0],
            "PROBE": str(tmp_path / f"{part}.json"),
        }
        return replace(function, handler="probe.handler", environment=environment, python=str(python))

    with system() as daybook:
        for function in daybook.cloud.stack.functions:
            daybook.cloud.runtime.deploy(deployed(function))
        yield daybook, tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="awslambdaric is for Linux")
def test_the_handlers_run_from_their_packages_alone_and_only_the_fetcher_loads_pandas(
    packaged: tuple[System, Path], runtime: Path, unpacked: dict[str, Path]
) -> None:
    daybook, folder = packaged
    daybook.publish({"2020-03-01": 10, "2020-03-02": 20})
    run = daybook.run()
    assert (run.state, len(run.inserted)) == (COMPLETED, 2)
    daybook.publisher.files.clear()
    assert daybook.run().state == FAILED
    assert len(daybook.told("alerts")) == 1
    assert daybook.daily() == {"2020-03-01": 10, "2020-03-02": 20}
    daybook.agrees()
    probes = {part: json.loads((folder / f"{part}.json").read_text()) for part in PARTS}
    for part, function in zip(
        ("reporter", "consumer", "fetcher"), daybook.cloud.stack.functions, strict=True
    ):
        allowed = [function.code, unpacked[part], runtime, folder, stdlib(probes[part])]
        assert probes[part]["version"].startswith(f"{package.PYTHON}.")
        assert [name for name in strangers(probes[part], allowed) if not name.startswith("__")] == []
    loaded = {part: {name.partition(".")[0] for name in probe["loaded"]} for part, probe in probes.items()}
    assert {part for part in PARTS if loaded[part] & {"pandas", "numpy"}} == {"fetcher"}
    assert all({"awslambdaric", "boto3", "marshmallow"} <= loaded[part] for part in PARTS)


def stdlib(probe: dict[str, Any]) -> Path:
    return Path(probe["prefix"]) / "lib" / f"python{package.PYTHON}"


def strangers(probe: dict[str, Any], allowed: list[Path]) -> list[str]:
    """Modules that came from anywhere but there; a site-packages of the machine's is no part of Python."""
    return [
        name
        for name, file in probe["loaded"].items()
        if file
        and ("site-packages" in file or not any(Path(file).is_relative_to(place) for place in allowed))
    ]


def names(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as layer:
        return layer.namelist()


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as layer:
        return {name: layer.read(name) for name in layer.namelist()}

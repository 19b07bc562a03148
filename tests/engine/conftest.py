"""Pulumi's own engine, left out unless it is asked for: make test-engine."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pulumi_cli
import pytest
import yaml
from deployment import Deployment
from system import START

from infra import package
from local.aws.emulator import Emulator
from local.clock import Clock
from local.sources.publisher import Publisher


@pytest.fixture(scope="session", autouse=True)
def _cli() -> Iterator[None]:
    """The CLI, on the PATH of all that is started here."""
    executable = pulumi_cli.executable()
    if executable is None:
        pytest.skip("no pulumi: install it, or Go, and run make test-engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(executable.parent), prepend=os.pathsep)
        yield


@pytest.fixture(autouse=True)
def _packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of layers and bundle, which the engine hashes and the local cloud never opens, a file."""
    zipped = tmp_path / "package.zip"
    zipped.write_bytes(EMPTY_ZIP)
    monkeypatch.setattr(package, "layer", lambda _name: zipped)
    monkeypatch.setattr(package, "dashboard", lambda: zipped)


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with Publisher() as publisher:
        yield publisher


@pytest.fixture
def deployment(tmp_path: Path, publisher: Publisher) -> Iterator[Callable[..., Deployment]]:
    """Makes a stack that isn't deployed yet, in an account without anything."""
    with ExitStack() as opened:

        def make(name: str, **settings: object) -> Deployment:
            emulator = opened.enter_context(Emulator(Clock.virtual(START)))
            folder = tmp_path / name
            folder.mkdir()
            made = Deployment(name, folder, emulator)
            opened.callback(made.close)
            sources = {key: yaml.safe_load(text) for key, text in publisher.config().items()}
            made.set(**sources, **settings)
            return made

        yield make


EMPTY_ZIP = b"PK\x05\x06" + bytes(18)

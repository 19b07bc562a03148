"""A stack as `pulumi up` deploys it: Pulumi's own engine, the program as it is, the local cloud."""

import os
import runpy
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from provider import Provider
from pulumi import automation
from system import DAY, System

import local.cloud
from local.aws.emulator import Emulator
from local.cloud import LocalCloud
from local.sources.publisher import Publisher
from local.stack.program import ROOT, Provisioned
from local.stack.resources import Cloud

ENVIRONMENT = {
    "PULUMI_CONFIG_PASSPHRASE": "",
    "PULUMI_SKIP_UPDATE_CHECK": "true",
    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    "NO_COLOR": "1",
}
MARKS = [
    pytest.mark.engine,
    # Pulumi's SDK leaves an event loop open in a thread of its own.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
Program = Callable[[], None]


def program() -> None:
    """The program that the project deploys."""
    with warnings.catch_warnings():
        # Importing pulumi_aws.s3 warns of classes that nobody here uses.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="pulumi_aws")
        runpy.run_path(str(ROOT / "__main__.py"), run_name="daybook")


class Deployment:
    """One stack, its state and its settings' file in a folder of its own."""

    def __init__(self, name: str, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.emulator = emulator
        self.settings_file = folder / f"Pulumi.{name}.yaml"
        self.provider = Provider(Cloud(emulator.endpoint, folder / "code"))
        shutil.copyfile(ROOT / "Pulumi.yaml", folder / "Pulumi.yaml")
        shutil.copyfile(ROOT / f"Pulumi.{name}.example.yaml", self.settings_file)
        (folder / "state").mkdir()
        self.environment = ENVIRONMENT | {
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_DEBUG_PROVIDERS": f"aws:{self.provider.port}",
        }
        workspace = automation.LocalWorkspace(
            work_dir=str(folder), program=program, env_vars=self.environment
        )
        self.stack = automation.Stack.create(name, workspace)
        self.set(check_packages=False)

    def set(self, **settings: Any) -> None:
        """Write into the stack's file, each value with its type."""
        written = yaml.safe_load(self.settings_file.read_text())
        written["config"] |= {f"daybook:{key}": value for key, value in settings.items()}
        self.settings_file.write_text(yaml.safe_dump(written))

    def preview(self, program: Program | None = None) -> dict[str, int]:
        """How many resources would be created, updated, deleted, replaced. Raises CommandError."""
        self.provider.calls.clear()
        changes = self.stack.preview(program=program).change_summary
        assert self.provider.calls == []  # a preview touches nothing
        return counted(changes)

    def up(self, program: Program | None = None) -> dict[str, int]:
        """How many resources were. Without the preview that `pulumi up` begins with. Raises CommandError."""
        self.provider.calls.clear()
        return counted(self.stack.up(program=program).summary.resource_changes)

    def destroy(self) -> None:
        """Raises CommandError."""
        self.provider.calls.clear()
        self.stack.destroy(preview_only=True)
        self.stack.destroy()

    def cli(self, *arguments: str) -> str:
        """What a command prints, given by hand. Raises CalledProcessError."""
        environment = os.environ | self.environment
        command = ["pulumi", *arguments, "--non-interactive"]
        return subprocess.run(
            command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True
        ).stdout

    def resources(self) -> dict[str, dict[str, Any]]:
        """By URN, what the engine's state says of the program's resources."""
        deployment: Any = self.stack.export_stack().deployment
        return {
            item["urn"]: item for item in deployment.get("resources", []) if item["type"].startswith("aws:")
        }

    def provisioned(self) -> Provisioned:
        """What was deployed, for the local cloud to run."""
        made = self.provider.cloud
        return Provisioned(
            exports={name: output.value for name, output in self.stack.outputs().items()},
            functions=tuple(made.functions),
            mappings=tuple(made.mappings),
            invoke_configs=tuple(made.invoke_configs),
            schedules=tuple(made.schedules),
            subscriptions=tuple(made.subscriptions),
            policies=made.policies,
        )

    @contextmanager
    def running(self, publisher: Publisher) -> Iterator[System]:
        """The local cloud over what is deployed now; the emulator goes on when it ends."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(local.cloud, "Emulator", lambda _clock: self.emulator)
            patch.setattr(local.cloud, "provision", lambda *_arguments: self.provisioned())
            patch.setattr(self.emulator, "stop", lambda: None)
            with LocalCloud(self.emulator.clock, {}) as cloud:
                system = System(cloud, publisher)
                system.moment = self.emulator.clock.now() + DAY
                yield system

    def close(self) -> None:
        self.provider.close()


def counted(changes: Mapping[Any, int] | None) -> dict[str, int]:
    """Changes by their name in the engine, what stays as it is left out."""
    names = {str(getattr(kind, "value", kind)): count for kind, count in (changes or {}).items()}
    return {name: count for name, count in names.items() if name != "same"}

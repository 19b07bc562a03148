"""Local clouds: the one that runs, told by the ``running.json`` in its folder, and those that are kept."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local import state
from local.aws.clients import client
from local.clock import Clock
from local.cloud import LocalCloud
from ops.errors import BROKEN, CONFIGURATION, Problem
from ops.target import PARAMETERS, Target

RUNNING = "running.json"


def found(folder: Path) -> Path | None:
    """This folder or one in it: first one whose cloud runs, then the one kept last; None for neither."""
    candidates = [folder, *sorted(path for path in folder.glob("*") if path.is_dir())]
    for candidate in candidates:
        if running(candidate):
            return candidate
    kept = [candidate for candidate in candidates if (candidate / state.LEDGER).exists()]
    return max(kept, key=lambda one: (one / state.LEDGER).stat().st_mtime, default=None)


def running(folder: Path) -> dict[str, Any] | None:
    """What the cloud of this folder says of itself; None where its process has ended."""
    try:
        said = json.loads((folder / RUNNING).read_bytes())
        os.kill(said["pid"], 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return said


@contextmanager
def opened(folder: Path) -> Iterator[Target]:
    """The cloud that runs on this folder; otherwise one in this process, restored from what is kept."""
    if said := running(folder):
        facts = _facts(said["endpoint"], said["stack"])
        description = f"local cloud running on {said['endpoint']} (process {said['pid']}), {folder}"
        yield Target(description, facts, lambda service: client(service, said["endpoint"]), None)
        return
    with state.alone(folder), _kept(folder) as target:
        yield target


@contextmanager
def _kept(folder: Path) -> Iterator[Target]:
    last = state.last_run(folder)
    with LocalCloud(Clock.virtual(last) if last else Clock.real(), state.config(folder)) as cloud:
        try:
            count = state.restore(cloud, folder)
        except state.UnusableState:
            raise
        except Exception as error:
            raise Problem(
                f"What is kept in {folder} can't be opened: {error}",
                "Nothing in the folder was changed.",
                "Bring the damaged file back from a copy, or start anew: python -m local up --fresh",
                BROKEN,
            ) from error
        facts = _facts(cloud.emulator.endpoint, cloud.stack.exports["stack"])
        ending = f", last run {last:%Y-%m-%d %H:%M} UTC" if last else ""
        description = f"state kept in {folder}, {count:,} events{ending}"
        yield Target(description, facts, cloud.client, cloud.clock.now, cloud=cloud, folder=folder)


def _facts(endpoint: str, stack: str) -> dict[str, str]:
    try:
        found = client("ssm", endpoint).get_parameter(Name=PARAMETERS + stack)["Parameter"]
    except Exception as error:
        raise Problem(
            f"The local cloud on {endpoint} doesn't answer: {error}",
            "What it kept is in its folder.",
            f"If it has ended, remove its {RUNNING} and try again.",
            CONFIGURATION,
        ) from error
    return json.loads(found["Value"])

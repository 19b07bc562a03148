"""Pulumi's CLI for the tests: the one that is installed, or one built from its Go module, once a machine.

``python tests/engine/pulumi_cli.py`` builds it where it is missing.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

MODULE = Path(__file__).with_name("cli")  # go.mod and go.sum, which name every dependency by its hash
PACKAGE = "github.com/pulumi/pulumi/pkg/v3"
VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
GO = "/usr/local/go/bin/go"  # where Go's own archive puts it, on no PATH yet


def executable() -> Path | None:
    """The CLI, or None where it is still to be built."""
    if installed := shutil.which("pulumi"):
        return Path(installed)
    return _built() if _built().exists() else None


def go() -> str | None:
    """The go command."""
    return shutil.which("go") or shutil.which(GO)


def build(go_command: str) -> None:
    """Takes minutes, and gigabytes of Go's own caches."""
    unfinished = _built().with_name(f"pulumi.{os.getpid()}")
    # Without its version the CLI refuses the Automation API.
    options = ["-o", str(unfinished), "-ldflags", f"-s -w -X {VARIABLE}={_version()}"]
    subprocess.run([go_command, "build", *options, f"{PACKAGE}/cmd/pulumi"], cwd=MODULE, check=True)
    unfinished.replace(_built())


def _version() -> str:
    words = (MODULE / "go.mod").read_text().split()
    return words[words.index(PACKAGE) + 1]


def _built() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "daybook" / f"pulumi-{_version()}" / "pulumi"


if __name__ == "__main__":
    command = go()
    if executable() is None and command is None:
        print("Neither pulumi nor go is here: the engine's tests are skipped.", file=sys.stderr)
    elif executable() is None and command is not None:
        print(f"Building Pulumi's CLI {_version()} from its Go module, once …", file=sys.stderr, flush=True)
        build(command)

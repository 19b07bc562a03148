"""A stack of one's own, by the commands that docs/deploying.md gives and the real CLI."""

import os
import shlex
import shutil
import subprocess

import yaml
from deployment import ENVIRONMENT, MARKS
from documented import commands

from local.stack.program import ROOT

pytestmark = MARKS
GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


def test_the_documented_commands_make_a_stack_and_leave_the_checkout_clean(tmp_path):
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (tmp_path / "state").mkdir()
    for name in (".gitignore", "Pulumi.yaml", "Pulumi.dev.example.yaml", "Pulumi.prod.example.yaml"):
        shutil.copyfile(ROOT / name, checkout / name)
    environment = os.environ | ENVIRONMENT
    environment |= {
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
    }

    def run(*command: str) -> str:
        return subprocess.run(
            command, cwd=checkout, env=environment, check=True, capture_output=True, text=True
        ).stdout

    run("git", "init", "--quiet")
    run(*GIT, "add", ".")
    run(*GIT, "commit", "--quiet", "--message", "Released")
    typed = [line for line in commands("deploying.md", "## A stack") if not line.startswith("make ")]
    assert [line.split()[0] for line in typed] == ["cp", "pulumi", "pulumi"]
    for line in typed:
        run(*shlex.split(line))
    assert run("git", "status", "--porcelain") == ""
    config = yaml.safe_load((checkout / "Pulumi.dev.yaml").read_text())["config"]
    assert config["daybook:emails"] == ["you@example.com"]
    assert config["daybook:label"] == "dev"
    assert "encryptionsalt" in yaml.safe_load((checkout / "Pulumi.dev.yaml").read_text())

"""GitHub's workflows: who may do what, when, and by which commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.stack.program import ROOT

FOLDER = ROOT / ".github" / "workflows"
TEXTS = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.yml"))}
MAKEFILE = (ROOT / "Makefile").read_text()
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
ON: Any = True  # YAML's word for "on"
Job = dict[str, Any]


@pytest.fixture(scope="module")
def workflows() -> dict[str, dict[Any, Any]]:
    return {name: yaml.safe_load(text) for name, text in TEXTS.items()}


@pytest.fixture(scope="module")
def jobs(workflows) -> dict[str, Job]:
    """All of them; a name is a job's of one workflow only."""
    found = [item for workflow in workflows.values() for item in workflow["jobs"].items()]
    assert len(dict(found)) == len(found)
    return dict(found)


def commands(job: Job) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def test_every_change_is_tested_by_the_command_that_runs_here_on_the_oldest_python_and_on_lambda_s(
    workflows, jobs
):
    assert workflows["delivery"][ON] == {"push": {"branches": ["main"]}, "pull_request": None}
    assert commands(jobs["test"]) == [".ci/run"]
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert jobs["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    assert "if" not in jobs["test"]


def test_a_pull_request_of_ours_is_previewed_and_main_is_deployed_once_its_tests_have_passed(jobs):
    assert jobs.keys() == {"test", "preview", "deploy", "publish"}
    assert "head.repo.full_name == github.repository" in jobs["preview"]["if"]
    assert jobs["preview"]["if"].startswith("github.event_name == 'pull_request' && ")
    assert jobs["deploy"]["if"] == "github.event_name == 'push' && github.ref == 'refs/heads/main'"
    assert jobs["deploy"]["needs"] == "test"
    assert jobs["deploy"]["concurrency"]["cancel-in-progress"] is False
    assert commands(jobs["preview"]) == ['make preview STACK="$STACK" ARGS="--diff --non-interactive"']
    assert commands(jobs["deploy"]) == ['make deploy STACK="$STACK" ARGS="--yes --non-interactive"']


def test_a_deployment_ends_with_a_run_that_waits_for_its_report():
    recipe = re.findall(r"^deploy: package .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)[0].splitlines()
    assert recipe == [
        "\t@$(PULUMI) up --stack $(STACK) $(ARGS)",
        "\t@$(if $(filter 1,$(HISTORY)),$(OPS) backfill)",
        "\t@$(OPS) run --wait",
    ]
    assert "OPS = AWS_REGION=$$(pulumi config get aws:region --stack $(STACK)" in MAKEFILE


RECORDER = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$*" in *"config get aws:region"*) echo eu-central-1 ;; *backfill*) exit "${BACKFILL:-0}" ;; esac
"""


def deployed(folder: Path, *more: str, **variables: str) -> tuple[int, list[str]]:
    """The exit code of `make deploy`, and what it called of Pulumi's CLI and of this project's commands."""
    for name in ("pulumi", "python"):
        (folder / name).write_text(RECORDER)
        (folder / name).chmod(0o755)
    calls = folder / "calls"
    calls.write_text("")
    path = {"PATH": f"{folder}:{os.environ['PATH']}", "CALLS": str(calls)}
    command = ["make", "deploy", "STACK=fresh", f"BIN={folder}", *more]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | path | variables, capture_output=True, text=True, check=False
    )
    known = [line for line in calls.read_text().splitlines() if not line.startswith("python -c")]
    return done.returncode, [line for line in known if "config get" not in line]


@pytest.mark.parametrize("more", [(), ("HISTORY=",), ("HISTORY=0",)])
def test_a_deployment_is_packages_then_the_stack_then_a_run(tmp_path, more):
    assert deployed(tmp_path, *more) == (
        0,
        [
            "python -m infra.package",
            "pulumi up --stack fresh",
            "python -m ops --stack fresh run --wait",
        ],
    )


def test_with_history_a_fresh_stack_gets_it_before_its_first_run(tmp_path):
    code, calls = deployed(tmp_path, "HISTORY=1", "ARGS=--yes")
    assert (code, calls[1:]) == (
        0,
        [
            "pulumi up --stack fresh --yes",
            "python -m ops --stack fresh backfill",
            "python -m ops --stack fresh run --wait",
        ],
    )


def test_a_history_that_could_not_be_entered_ends_the_deployment_before_any_run(tmp_path):
    code, calls = deployed(tmp_path, "HISTORY=1", BACKFILL="4")
    assert (code != 0, calls[-1]) == (True, "python -m ops --stack fresh backfill")


def test_the_page_is_published_once_a_day_after_the_run_by_the_operator_s_own_command(workflows, jobs):
    assert workflows["page"][ON] == {"schedule": [{"cron": "30 13 * * *"}], "workflow_dispatch": None}
    settings = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    assert settings["schedule"]["default"] == "cron(0 12 * * ? *)"
    assert jobs["publish"]["if"] == "github.ref == 'refs/heads/main'"
    made = [
        "make setup",
        '.venv/bin/python -m ops --stack "$STACK" export-site public',
    ]
    assert commands(jobs["publish"]) == made
    assert [step["with"] for step in jobs["publish"]["steps"] if "upload-pages" in step.get("uses", "")] == [
        {"path": "public"}
    ]


def test_roles_are_taken_by_a_token_of_github_s_and_no_key_is_stored_anywhere(workflows, jobs):
    for text in TEXTS.values():
        assert "secrets." not in text
        assert "aws-access-key-id" not in text
    assert [workflow["permissions"] for workflow in workflows.values()] == [{"contents": "read"}] * 2
    by_token = {"contents": "read", "id-token": "write"}
    assert {name: job.get("permissions") for name, job in jobs.items()} == {
        "test": None,
        "preview": by_token,
        "deploy": by_token,
        "publish": by_token | {"pages": "write"},
    }
    roles = {
        name: [step["with"]["role-to-assume"] for step in job["steps"] if "role-to" in str(step.get("with"))]
        for name, job in jobs.items()
    }
    assert roles == {
        "test": [],
        "preview": ["${{ vars.AWS_PREVIEW_ROLE }}"],
        "deploy": ["${{ vars.AWS_DEPLOY_ROLE }}"],
        "publish": ["${{ vars.AWS_PAGE_ROLE }}"],
    }


def test_nothing_that_a_stranger_writes_gets_into_a_shell_or_finds_a_token(jobs):
    assert not any("pull_request_target" in text for text in TEXTS.values())
    for job in jobs.values():
        assert [command for command in commands(job) if "${{" in command] == []
        checkout = [step for step in job["steps"] if step.get("uses", "").startswith("actions/checkout@")]
        assert [step["with"] for step in checkout] == [{"persist-credentials": False}]


def test_every_job_ends_some_time_and_every_action_is_one_commit_with_its_version_beside_it(jobs):
    assert all(0 < job["timeout-minutes"] <= 60 for job in jobs.values())
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", name)] == []
    lines = [line for text in TEXTS.values() for line in text.splitlines() if "uses:" in line]
    assert [line for line in lines if not re.search(r"  # v\d+\.\d+\.\d+$", line)] == []
    assert len({line.split("uses: ")[1] for line in lines}) == len({name.split("@")[0] for name in used})


def test_zizmor_finds_no_weakness(unpinned):
    assert (zizmor(FOLDER).returncode, zizmor(unpinned).returncode != 0) == (0, True), zizmor(FOLDER).stdout


def zizmor(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("zizmor"), "--offline", "--no-config", "--quiet", folder]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.cloud  # compiled the first time
def test_actionlint_finds_no_mistake(actionlint, unpinned):
    assert lint(actionlint, FOLDER).stdout == ""
    assert "label" in lint(actionlint, unpinned).stdout


def lint(actionlint: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    # Without the tools that it would take from the machine, so that it says the same everywhere.
    command = [*actionlint, "-shellcheck=", "-pyflakes=", *map(str, folder.glob("*.yml"))]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture(scope="module")
def actionlint() -> list[str]:
    go = shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")
    if go is None:
        pytest.skip("no Go: actionlint is a Go module (https://go.dev/dl)")
    command = [go, "run", ACTIONLINT]
    if subprocess.run([*command, "-version"], capture_output=True, check=False).returncode:
        pytest.skip(f"no Go module {ACTIONLINT}: the module proxy isn't reached")
    return command


@pytest.fixture
def unpinned(tmp_path: Path) -> Path:
    """A folder with a workflow that has an action by its tag, and a machine that there isn't."""
    (tmp_path / "planted.yml").write_text(
        "on: push\npermissions: {}\njobs:\n  test:\n    runs-on: no-such-machine\n"
        "    steps:\n      - uses: actions/checkout@v4\n        with: {persist-credentials: false}\n"
    )
    return tmp_path

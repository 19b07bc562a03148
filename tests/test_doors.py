"""The doors: who may do what, what must not be told, and what must not be taken for more than a value."""

import importlib.metadata
import json
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cloudsplaining.command.scan_policy_file import scan_policy
from policy_sentry.querying.actions import get_action_data
from reliability import counted
from test_sources import Server, answer
from test_stack import CONFIG, Recorder, run

from functions.errors import SourceUnavailable
from functions.sources import Sources
from infra.settings import ConfigurationError
from local.stack.program import ROOT, run_program

STORES = ("timestream", "dynamodb")
SECRET = "planted-5f3a9cd0e1b7"
NO_SOURCE = {".venv", ".daybook", ".git", ".ruff_cache", ".pytest_cache", "__pycache__", ".hypothesis"}
KEYS = {
    "an access key of AWS": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    "a secret key of AWS": r"(?i)secret[a-z_ ]*['\"]?\s*[=:]\s*['\"]?[A-Za-z0-9/+]{40}\b",
    "a token of GitHub": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})",
    "a token of Pulumi": r"\bpul-[0-9a-f]{40}\b",
    "a token of Slack": r"\bxox[abprs]-[A-Za-z0-9-]{10,}|hooks\.slack\.com/services/T[A-Z0-9]+/",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "a signed token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
}
# Each made here of parts, or it would be found.
PLANTED = {
    "an access key of AWS": "AKIA" + "IOSFODNN7EXAMPL3",
    "a secret key of AWS": "aws_secret_access_key = " + "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "a token of GitHub": "ghp_" + "a1B2" * 9,
    "a token of Pulumi": "pul-" + "0123456789" * 4,
    "a token of Slack": "https://hooks.slack." + "com/services/T0000/B0000/abc",
    "a private key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "a signed token": "eyJ"
    + "hbGciOiJIUzI1NiJ9.eyJ"
    + "zdWIiOiIxMjM0NTY3ODkwIn0."
    + "dozjgNryP4J3jVmNHl0w5N",
}


# Rights


@pytest.fixture(scope="module")
def policies() -> dict[str, dict[str, Any]]:
    """Every policy of a role that the program renders, by its store and role."""
    return {
        f"{store}, {name}": json.loads(found["policy"])
        for store in STORES
        for name, found in run(**CONFIG, store=store).all("iam/rolePolicy:RolePolicy").items()
    }


def risks(policy: dict[str, Any]) -> dict[str, Any]:
    """What cloudsplaining finds, by its words for it."""
    found = {kind: risk["findings"] for kind, risk in scan_policy(policy).items() if isinstance(risk, dict)}
    return {kind: findings for kind, findings in found.items() if findings}


def test_cloudsplaining_finds_no_risk_in_any_policy(policies):
    assert len(policies) == 2 * len(("fetcher", "consumer", "reporter", "schedule", "dashboard"))
    assert {name: risks(policy) for name, policy in policies.items() if risks(policy)} == {}


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("s3:GetObject", "DataExfiltration"),
        ("s3:PutBucketPolicy", "ResourceExposure"),
        ("dynamodb:DeleteTable", "InfrastructureModification"),
        ("dynamodb:*", "ServiceWildcard"),
        ("sts:AssumeRole", "CredentialsExposure"),
        ("iam:AttachRolePolicy", "PrivilegeEscalation"),
    ],
)
def test_a_right_that_is_too_much_would_be_found(policies, action, kind):
    policy = policies["timestream, consumer"]
    more = {"Effect": "Allow", "Action": [action], "Resource": ["*"]}
    with counted("doors"):
        assert kind in risks(policy | {"Statement": [*policy["Statement"], more]})


def test_every_right_is_one_that_aws_has_and_everything_only_where_aws_takes_nothing_less(policies):
    rights = {
        (action, resource)
        for policy in policies.values()
        for statement in policy["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    }
    assert len(rights) > 30
    for action, resource in rights:
        (known,) = get_action_data(*action.split(":")).values()
        takes = {one["resource_arn_format"] for one in known}
        assert (resource == "*") == (takes == {"*"}), (action, resource, takes)
    assert get_action_data("dynamodb", "TransactWriteItems") == {}  # what isn't there would be noticed


# Secrets


def sources_of(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.is_dir() and path.name not in NO_SOURCE:
            yield from sources_of(path)
        elif path.is_file():
            yield path


def keys_in(root: Path) -> set[tuple[str, str]]:
    """What looks like a key, and in which file."""
    return {
        (path.relative_to(root).as_posix(), kind)
        for path in sources_of(root)
        for kind, pattern in KEYS.items()
        if re.search(pattern, path.read_bytes().decode("utf-8", "replace"))
    }


def test_no_file_holds_anything_like_a_key():
    assert len([*sources_of(ROOT)]) > 200
    assert keys_in(ROOT) == set()


@pytest.mark.parametrize("kind", KEYS)
def test_a_planted_key_would_be_found(tmp_path, kind):
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "settings.py").write_text(f"KEY = '{PLANTED[kind]}'\n")
    with counted("doors"):
        assert keys_in(tmp_path) == {("infra/settings.py", kind)}


def closed_port() -> int:
    with Server() as server:
        return server.server_address[1]


@pytest.mark.parametrize(
    "planted",
    [
        answer(status=404),
        answer(status=503),
        answer(b"x" * 100_000),
        lambda connection: connection.stall(b""),
        lambda connection: connection.reset(),
        answer(status=302, Location=f"https://elsewhere.example/a.csv?X-Amz-Signature={SECRET}"),
        answer(status=302, Location=f"http://user:{SECRET}@elsewhere.example/a.csv"),
        answer(status=302, Location=f"http://user:{SECRET}@[bad/a.csv?token={SECRET}"),
        answer(status=302, Location=f"//user:{SECRET}@127.0.0.1:99999/?{SECRET}#{SECRET}"),
        answer(status=302, Location=f"?token={SECRET}"),
        None,
    ],
    ids=[
        "404",
        "503",
        "too long",
        "stalled",
        "reset",
        "signed",
        "user",
        "no address",
        "port",
        "loop",
        "closed",
    ],
)
def test_what_goes_wrong_with_a_source_doesn_t_tell_the_password_or_the_token_in_its_address(planted):
    with Server() as server:
        host = f"127.0.0.1:{server.server_address[1] if planted else closed_port()}"
        server.answers["us.csv"] = [planted or b""]
        settings: Any = SimpleNamespace(
            nyt_url=f"http://ada:{SECRET}@{host}/us.csv",
            jhu_url=f"http://{host}/us.csv?token={SECRET}#{SECRET}",
            allowed_hosts="127.0.0.1",
            insecure_hosts="127.0.0.1",
            max_source_bytes=1_000,
            source_deadline_seconds=0.5,
        )
        server.answers[f"us.csv?token={SECRET}"] = server.answers["us.csv"]
        asked = Sources(settings)
        for source in ("nyt", "jhu"):
            with counted("doors"), pytest.raises(SourceUnavailable) as raised:
                asked._get(source, time.monotonic() + 0.5, None)
            assert SECRET not in str(raised.value)
            assert f"{source} at http://{host}/us.csv: " in str(raised.value)


@pytest.mark.parametrize(
    "config",
    [
        {"nyt_url": f"https://ada:{SECRET}@raw.githubusercontent.com/us.csv"},
        {"jhu_url": f"https://raw.githubusercontent.com/a.csv?token={SECRET}"},
        {"webhooks": json.dumps([f"http://example.org/hook?token={SECRET}"])},
        {"webhooks": json.dumps(f"https://example.org/{SECRET}")},
    ],
)
def test_a_configuration_that_is_refused_is_not_told_with_its_secret(config):
    with counted("doors"), pytest.raises(ConfigurationError) as refused:
        run_program(Recorder(), "test", config)
    assert SECRET not in str(refused.value)


def test_the_address_of_a_hook_is_a_secret_of_the_deployment_and_in_no_name_nor_output():
    stack = run(webhooks=json.dumps([f"https://example.org/{SECRET}"]), emails='["ada@example.org"]')
    names = [name for _, name, _ in stack.resources]
    assert [name for name in names if SECRET in name or "@" in name] == []
    assert SECRET not in json.dumps(stack.outputs)
    assert {one["protocol"] for one in stack.all("sns/topicSubscription:TopicSubscription").values()} == {
        "email",
        "https",
        "lambda",
    }


# Tools


def test_ruff_looks_for_what_is_unsafe_and_may_only_leave_this_out():
    ruff = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]
    assert "S" in ruff["select"]
    assert [code for code in ruff["ignore"] if fnmatchcase(code, "S[0-9]*")] == []
    left_out = {
        files: [code for code in codes if fnmatchcase(code, "S[0-9]*")]
        for files, codes in ruff["per-file-ignores"].items()
        if not files.startswith("tests/")
    }
    assert {files: codes for files, codes in left_out.items() if codes} == {"storage/timestream.py": ["S608"]}


@pytest.mark.parametrize(
    ("unsafe", "code"),
    [
        ('import subprocess\n\nsubprocess.run("ls", shell=True, check=True)\n', "S602"),
        ("import pickle\n\n\ndef read(x: bytes) -> object:\n    return pickle.loads(x)\n", "S301"),
        ('PASSWORD = "hunter2hunter2"\n', "S105"),
        ('import os\n\nprint(os.environ["HOME"])\n', "TID251"),
    ],
)
def test_ruff_would_find_what_is_unsafe(unsafe, code):
    ruff = Path(sys.executable).with_name("ruff")
    command = [ruff, "check", "--no-cache", "--output-format", "concise"]
    done = subprocess.run(
        [*command, "--stdin-filename", ROOT / "functions" / "planted.py", "-"],
        input=unsafe,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    with counted("doors"):
        assert f" {code} " in done.stdout


def test_urllib3_unpacks_no_bombs_wherever_we_are():
    locks = ("requirements.txt", "requirements/fetcher.txt", "dashboard/requirements.txt")
    for lock in locks:
        (version,) = re.findall(r"^urllib3==(\S+)", (ROOT / lock).read_text(), re.MULTILINE)
        assert release(version) >= (2, 7), (lock, version)
    assert release(importlib.metadata.version("urllib3")) >= (2, 7)
    # Neither of the others asks anybody but AWS: the layer of all functions has none of its own.
    assert "urllib3" not in (ROOT / "requirements" / "functions.txt").read_text()


def release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])

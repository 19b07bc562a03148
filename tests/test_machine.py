"""What a user's machine may have, and the local cloud must not mind: profiles, proxies, name servers."""

import os
import socket
import sys

import pytest
from system import system

from local.aws import clients
from local.aws.emulator import Emulator
from local.aws.loopback import held
from local.dashboard import Dashboard
from local.lambdas.runtime_api import RuntimeApi
from local.sources.publisher import Publisher
from local.up import reachable
from ops.__main__ import run

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("machine")]

TWICE = "[default]\nregion = eu-west-1\n[default]\nregion = eu-west-2\n"
NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def settings_twice(tmp_path, monkeypatch):
    """A section twice in the user's file: no session that reads it can be made."""
    file = tmp_path / "config"
    file.write_text(TWICE, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))


@pytest.fixture
def proxied(monkeypatch):
    """A proxy that doesn't answer, and that NO_PROXY exempts only by another spelling of this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, NOBODY)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost")


@pytest.mark.parametrize("profile", ["adfs", ""])
def test_the_user_s_profile_is_not_read(settings_twice, monkeypatch, profile):
    monkeypatch.setenv("AWS_PROFILE", profile)
    with Emulator() as emulator:
        clients.client("ssm", emulator.endpoint).put_parameter(Name="/a", Value="b", Type="String")
        assert emulator.client("ssm").get_parameter(Name="/a")["Parameter"]["Value"] == "b"


def test_the_user_s_profile_is_as_it_was_once_the_cloud_has_ended(monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "adfs")
    before = dict(os.environ)
    with Emulator():
        pass
    assert dict(os.environ) == before


def test_a_run_its_dashboard_and_an_operator_mind_neither_profile_nor_proxy(
    settings_twice, proxied, monkeypatch, tmp_path, capsys
):
    monkeypatch.setenv("AWS_PROFILE", "adfs")
    with system() as daybook, reachable(daybook.cloud, tmp_path):
        daybook.publish({"2020-03-01": 10})
        daybook.run()
        assert daybook.daily() == {"2020-03-01": 10}
        stack = daybook.cloud.stack.exports["dashboard_environment"]
        with Dashboard(stack, daybook.cloud.emulator.environment(), python=sys.executable) as served:
            assert served.address.startswith("http://127.0.0.1:")
        monkeypatch.setenv("AWS_PROFILE", "adfs")  # as another process would have it
        assert run(["days", "--state", str(tmp_path), "--json"]) == 0
    assert '"2020-03-01"' in capsys.readouterr().out


def test_no_name_server_is_asked_for_this_machine_s_name(monkeypatch):
    def asked(name=""):
        raise AssertionError(f"a name server was asked for {name}")

    monkeypatch.setattr(socket, "getfqdn", asked)
    with Publisher() as publisher, Emulator() as emulator, RuntimeApi(NoRequests()) as api:
        addresses = publisher.address(""), emulator.endpoint, f"http://{api.address}"
    assert all(address.startswith("http://127.0.0.1:") for address in addresses)


class NoRequests:
    """What a process of no invocations asks for."""

    def next(self):
        return None

    def answer(self, path, body):
        return False


def test_a_port_that_is_taken_is_passed_over_and_one_that_is_held_is_nobody_else_s():
    with held(0) as other:
        taken = other.getsockname()[1]
        with held(taken) as first, held(taken) as second:
            ports = [first.getsockname()[1], second.getsockname()[1]]
    assert taken < ports[0] < ports[1]

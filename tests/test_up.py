"""`python -m local up` as a stranger meets it."""

import errno
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from builders import jhu, nyt
from system import START

from functions import history
from local import cloud, state
from local.__main__ import run
from local.aws import emulator
from local.clock import Clock
from local.lambdas import runtime
from local.lambdas.process import LambdaProcess
from local.sources import download, sample
from local.sources.publisher import Publisher

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parent.parent


def up(state, *arguments):
    """What `python -m local up --once` says, and its exit code."""
    command = [sys.executable, "-m", "local", "up", "--once", "--state", str(state), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_sample_is_played_summed_up_and_found_settled_by_the_second_start(tmp_path):
    code, told, _ = up(tmp_path)
    assert code == 0
    assert "sample (synthetic sample: no figure of it is real)" in told
    assert (
        '2020-11-18 12:00  failed: nyt, row 290, date: "2020-15-11" is not a date written YYYY-MM-DD' in told
    )
    assert re.search(r"Days in the record +299\n", told)
    assert re.search(r"Restatements entered +83\n", told)
    assert re.search(r"Sent to you@example.com +13 messages\n", told)
    messages = sorted((tmp_path / "sample" / "outbox").iterdir())
    assert len(messages) == 26
    assert all("(synthetic sample) " in message.read_text() for message in messages)
    code, told, _ = up(tmp_path)
    assert code == 0
    assert "382 events replayed from the archive" in told
    assert "2020-11-28 12:00  nothing pending, through 2020-11-25" in told
    assert re.search(r"Days in the record +299\n", told)


def test_the_sample_is_the_same_on_any_machine():
    assert sample.histories() == sample.histories()


def test_files_of_one_s_own_are_taken_and_a_change_is_found_by_the_next_start(tmp_path):
    cases, recoveries = tmp_path / "cases.csv", tmp_path / "recoveries.csv"
    cases.write_bytes(nyt("2020-03-01,10,0", "2020-03-02,20,0"))
    recoveries.write_bytes(jhu("2020-03-01,0", "2020-03-02,1"))
    pair = f"{cases},{recoveries}"
    code, told, problem = up(tmp_path / "state", "--sources", pair)
    assert (code, problem) == (0, "")
    assert "  2 inserted,   0 updated, through 2020-03-02" in told
    cases.write_bytes(nyt("2020-03-01,11,0", "2020-03-02,20,0"))
    _, told, _ = up(tmp_path / "state", "--sources", pair)
    assert "  0 inserted,   1 updated, through 2020-03-02" in told


def test_a_last_run_that_failed_is_exit_code_1(tmp_path):
    cases, recoveries = tmp_path / "cases.csv", tmp_path / "recoveries.csv"
    cases.write_bytes(nyt("2020-15-01,10,0"))
    recoveries.write_bytes(jhu("2020-03-01,0"))
    code, told, problem = up(tmp_path / "state", "--sources", f"{cases},{recoveries}")
    assert (code, problem) == (1, "")
    assert 'failed: nyt, row 2, date: "2020-15-01"' in told


def test_a_state_that_another_holds_is_left_alone_whoever_comes_second(tmp_path):
    folder = tmp_path / "sample"
    with state.alone(folder):
        (folder / "ledger.jsonl").write_bytes(b"{}")
        for command in (
            ["local", "up", "--once", "--fresh", "--state", str(tmp_path)],
            ["local", *played(tmp_path), "--state", str(folder)],
            ["ops", "status", "--state", str(folder)],
        ):
            done = subprocess.run(
                [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, check=False
            )
            assert done.returncode == 3
            assert f"Another process uses {folder}" in done.stderr.decode()
            assert b"Traceback" not in done.stderr
        assert sorted(path.name for path in folder.iterdir()) == ["in-use", "ledger.jsonl"]


def played(folder):
    """The command that plays a history of one version."""
    archive = folder / "history.tar"
    with tarfile.open(archive, "w") as tar:
        member = tarfile.TarInfo("2020-09-02T000000Z.csv")
        tar.addfile(member, io.BytesIO())
    span = ["--start", "2020-09-02", "--end", "2020-09-02", "--out", str(folder / "out")]
    return ["play", "--nyt", str(archive), "--jhu", str(archive), *span]


@pytest.mark.parametrize(
    ("name", "content"),
    [("stack.json", b"{"), ("ledger.jsonl", b'{"entry": 1}\n'), ("ledger.jsonl", b"\xff\n")],
)
def test_a_damaged_file_of_the_state_is_named_with_what_to_do(tmp_path, name, content):
    (tmp_path / "sample").mkdir()
    (tmp_path / "sample" / name).write_bytes(content)
    code, _, problem = up(tmp_path)
    assert code == 7
    assert f"{tmp_path / 'sample' / name} is damaged" in problem
    assert "python -m local up --fresh" in problem
    assert "Traceback" not in problem


def test_a_folder_that_can_t_be_made_is_said_in_a_line(tmp_path):
    (tmp_path / "file").touch()
    code, _, problem = up(tmp_path / "file" / "below")
    assert (code, problem.count("\n")) == (2, 1)
    assert str(tmp_path / "file" / "below") in problem


def test_a_disk_that_is_full_is_said_in_a_line(tmp_path, monkeypatch, capsys):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    cases, recoveries = tmp_path / "cases.csv", tmp_path / "recoveries.csv"
    cases.write_bytes(nyt("2020-03-01,10,0"))
    recoveries.write_bytes(jhu("2020-03-01,0"))
    monkeypatch.setattr(state, "_write", full)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    code = run(["up", "--once", "--state", str(tmp_path / "state"), "--sources", f"{cases},{recoveries}"])
    for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
        signal.signal(number, handler)
    assert code == 3
    assert re.fullmatch(r".*: No space left on device\. Free some space, .*\n", capsys.readouterr().err)


def test_a_page_instead_of_the_data_is_refused_and_not_kept(tmp_path):
    with Publisher() as publisher:
        publisher.files["us.csv"] = b"\n<!DOCTYPE html><title>Sign in</title>"
        with pytest.raises(download.Unreachable, match="a page came instead of the data"):
            download.fetch(publisher.address("us.csv"), tmp_path / "cache")
        assert not (tmp_path / "cache").exists()
        publisher.files["us.csv"] = nyt("2020-03-01,10,0")
        assert download.fetch(publisher.address("us.csv"), tmp_path / "cache") == nyt("2020-03-01,10,0")


def test_a_page_that_an_earlier_version_kept_is_fetched_anew(tmp_path):
    with Publisher() as publisher:
        publisher.files["us.csv"] = nyt("2020-03-01,10,0")
        download.fetch(publisher.address("us.csv"), tmp_path)
        (kept,) = tmp_path.iterdir()
        kept.write_bytes(b"<html>")
        assert download.fetch(publisher.address("us.csv"), tmp_path) == nyt("2020-03-01,10,0")


@pytest.mark.parametrize(
    ("step", "started"),
    [
        (("emulator", "reset_model_data"), 0),
        (("cloud", "provision"), 0),
        (("cloud", "Mapping"), 2),
        (("cloud", "open_tables"), 2),
    ],
)
def test_a_cloud_that_is_interrupted_while_it_is_made_leaves_nothing_running(step, started, monkeypatch):
    def interrupt(*_arguments, **_settings):
        raise KeyboardInterrupt

    processes = []

    def start(*arguments):
        processes.append(LambdaProcess(*arguments))
        return processes[-1]

    monkeypatch.setattr(runtime, "LambdaProcess", start)
    monkeypatch.setattr({"cloud": cloud, "emulator": emulator}[step[0]], step[1], interrupt)
    with Publisher() as publisher, pytest.raises(KeyboardInterrupt):
        cloud.LocalCloud(Clock.virtual(START), publisher.config())
    assert [process.alive for process in processes] == [False] * started
    monkeypatch.undo()
    with emulator.Emulator():  # one at a time in a process: the other was stopped
        pass


@pytest.mark.parametrize("seconds", [0.0, 0.2, 0.5, 1, 2, 4, 8])
def test_ctrl_c_ends_make_run_quietly_at_any_moment(tmp_path, seconds):
    with subprocess.Popen(
        ["make", "run", f"ARGS=--state {tmp_path}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        # A test that runs in the background of a script has it ignored, which a child inherits.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 nothing else runs
    ) as process:
        threading.Event().wait(seconds)
        os.killpg(process.pid, signal.SIGINT)
        try:
            out, problem = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert (problem.decode().strip(), b"Traceback" in out) == ("", False)


def test_the_real_history_is_fetched_by_its_public_commits(tmp_path):
    asked = []

    class Commits(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = nyt("2020-03-01,10,0") if "/nytimes/covid-19-data/" in self.path else jhu("2020-03-01,0")
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Commits) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        window = ("--from", "2020-09-02", "--to", "2020-09-04", "--base", base)
        code, told, problem = up(tmp_path, "--sources", "history", *window)
        server.shutdown()
    assert (code, problem) == (0, "")
    assert "The New York Times (non-commercial use)" in told
    assert "2020-09-02 12:00    1 inserted,   0 updated, through 2020-03-01" in told
    assert "2020-09-04 12:00  nothing pending" in told
    listed = [line.split(",") for line in history.LIST.read_text().splitlines()[1:]]
    published = [
        f"/{repository}/{commit}/{path}"
        for when, _, repository, commit, path in listed
        if when < "2020-09-04T12"
    ]
    assert sorted(asked) == sorted(set(published))


@pytest.mark.parametrize("sources", ["http://127.0.0.1:9/a,http://127.0.0.1:9/b"])
def test_sources_out_of_reach_give_a_clear_message_and_exit_code_4(tmp_path, sources):
    code, _, problem = up(tmp_path, "--sources", sources)
    assert code == 4
    assert "127.0.0.1 can't be reached" in problem
    assert "--sources sample" in problem
    assert "Traceback" not in problem


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--sources", "nothing"], "neither sample, live nor history"),
        (["--sources", "none.csv,nowhere.csv"], "no such file: none.csv, nowhere.csv"),
        (["--from", "2020-09-02"], "--from and --to go with --sources history"),
        (
            ["--sources", "history", "--from", "2020-09-04", "--to", "2020-09-02"],
            "--to 2020-09-02 lies before --from 2020-09-04",
        ),
        (["--sources", "history", "--to", "2020-09-01"], "--to 2020-09-01 lies before --from 2020-09-02"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(tmp_path, arguments, problem):
    code, _, told = up(tmp_path, *arguments)
    assert code == 2
    assert problem in told

"""The Lambda service of the local cloud, with real processes."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from functions import outward
from local.clock import Clock
from local.lambdas.process import CLIENT
from local.lambdas.runtime import FunctionNotFound, LambdaRuntime
from local.stack.definitions import LocalFunction, LocalInvokeConfig

NOON = datetime(2020, 9, 2, 12, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent
TOPIC = "arn:aws:sns:us-east-1:123456789012:failures"
CLIENTS = sorted({CLIENT, "plain"})
HANDLERS = '''
import os, subprocess, sys, time
from pathlib import Path

def echo(event, context):
    return event

def tell(event, context):
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "remaining": context.get_remaining_time_in_millis(),
        "input": sys.stdin.read(),
        "process": os.getpid(),
    }

def fail(event, context):
    print("about to fail: ü")
    raise ValueError("not today")

def fail_until(event, context):
    """Fails as often as the event says; a line in its file for each time."""
    path = Path(event["file"])
    with path.open("a") as lines:
        lines.write(f"{context.aws_request_id} {os.environ['_X_AMZN_TRACE_ID']}\\n")
    if len(path.read_text().splitlines()) <= event["times"]:
        raise RuntimeError("again")
    return "at last"

def leave(event, context):
    os._exit(event)

def hang(event, context):
    Path(event).write_text(f"{os.getpid()}")
    time.sleep(600)

def hang_with_child(event, context):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(event + ".part").write_text(f"{os.getpid()} {child.pid}")
    Path(event + ".part").rename(event)
    time.sleep(600)

def meet(event, context):
    """Waits until another process is here too."""
    folder = Path(event)
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
    return os.getpid()

missing_import = None
'''


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("code")
    (folder / "handlers.py").write_text(HANDLERS)
    (folder / "broken.py").write_text("import nothing_of_this_name\n")
    return folder


@pytest.fixture(scope="module", params=CLIENTS)
def runtime(code: Path, request: pytest.FixtureRequest) -> Iterator[LambdaRuntime]:
    """One for many tests: each handler's process stays warm, as it would in Lambda."""
    names = ["echo", "tell", "fail", "leave"]
    functions = [function(code, name) for name in names]
    functions += [
        function(code, "hang", timeout=1),
        function(code, "nowhere"),
        function(code, "broken", handler="broken.handler"),
    ]
    with LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), functions, client=request.param) as started:
        yield started


# What a handler gets and gives


def test_a_handler_gets_the_event_and_its_answer_comes_back(runtime: LambdaRuntime) -> None:
    answer = runtime.invoke("echo", '{"word": "Zürich", "numbers": [1, 2.5, null]}'.encode())
    assert json.loads(answer.response) == {"word": "Zürich", "numbers": [1, 2.5, None]}
    assert (answer.error, answer.started) == (None, NOON)


def test_a_payload_of_six_megabytes_goes_through(runtime: LambdaRuntime) -> None:
    payload = json.dumps("x" * 6_000_000).encode()
    assert runtime.invoke("echo", payload).response == payload


def test_a_handler_knows_its_invocation(runtime: LambdaRuntime) -> None:
    answer = runtime.invoke("tell", b"{}", request_id="11112222-3333-4444-5555-666677778888")
    told = json.loads(answer.response)
    assert answer.request_id == told["request_id"] == "11112222-3333-4444-5555-666677778888"
    assert told["name"] == "tell"
    assert told["arn"] == answer.function_arn == "arn:aws:lambda:us-east-1:123456789012:function:tell"
    assert 0 < told["remaining"] <= 20_000
    assert told["input"] == ""


def test_the_trace_id_begins_with_the_moment_on_the_clock(runtime: LambdaRuntime) -> None:
    request_id = "11112222-3333-4444-5555-666677778888"
    told = json.loads(runtime.invoke("tell", b"{}", request_id).response)
    root = "Root=1-5f4f8940-111122223333444455556666"  # 0x5f4f8940 is noon of 2020-09-02
    assert told["environment"]["_X_AMZN_TRACE_ID"] == f"{root};Parent=5555666677778888;Sampled=0"


def test_a_handler_sees_only_the_way_out_of_the_users_environment(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in outward.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", "intranet.example")
    with LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), [function(code, "tell")]) as runtime:
        told = json.loads(runtime.invoke("tell", b"{}").response)
    environment = told["environment"]
    environment.pop("LC_CTYPE", None)  # Python's own, where the machine hasn't Lambda's locale
    assert environment.pop("AWS_LAMBDA_RUNTIME_API").startswith("127.0.0.1:")
    assert environment.pop("_X_AMZN_TRACE_ID").startswith("Root=1-")
    assert environment == {
        "AWS_ACCESS_KEY_ID": "tell",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "tell",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tell",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "HOME": "/home/sbx_user1051",
        "HTTPS_PROXY": "http://proxy.example",
        "LAMBDA_TASK_ROOT": str(code),
        "LANG": "en_US.UTF-8",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "PYTHONPATH": str(code),
        "STACK": "test",
        "TZ": "UTC",
        "_HANDLER": "handlers.tell",
        "no_proxy": "127.0.0.1,localhost,intranet.example",
    }
    assert told["folder"] == str(code)


def test_a_process_is_used_again_while_it_is_warm(runtime: LambdaRuntime) -> None:
    first = runtime.invoke("tell", b"{}")
    second = runtime.invoke("tell", b"{}")
    assert json.loads(first.response)["process"] == json.loads(second.response)["process"]
    assert not second.cold


def test_a_process_that_was_warmed_takes_the_first_invocation(code: Path) -> None:
    with LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), [function(code, "tell")]) as runtime:
        runtime.warm("tell")
        (waiting,) = runtime.processes("tell")
        answer = runtime.invoke("tell", b"{}")
    assert (json.loads(answer.response)["process"], answer.cold) == (waiting, False)


def test_invocations_at_the_same_time_have_a_process_each(code: Path, tmp_path: Path) -> None:
    payload = json.dumps(str(tmp_path)).encode()
    with (
        LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), [function(code, "meet")]) as runtime,
        ThreadPoolExecutor(2) as threads,
    ):
        answers = [threads.submit(runtime.invoke, "meet", payload) for _ in range(2)]
        processes = {int(answer.result().response) for answer in answers}
        assert processes == set(runtime.processes("meet"))
    assert len(processes) == 2


def test_a_function_that_was_not_deployed_is_not_found(runtime: LambdaRuntime) -> None:
    with pytest.raises(FunctionNotFound, match="elsewhere"):
        runtime.invoke("elsewhere", b"{}")
    with pytest.raises(FunctionNotFound, match="elsewhere"):
        runtime.invoke_async("elsewhere", b"{}")


def test_a_function_deployed_again_has_the_new_code(code: Path) -> None:
    with LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), [function(code, "echo")]) as runtime:
        runtime.invoke("echo", b"1")
        runtime.deploy(function(code, "echo", handler="handlers.fail"))
        assert runtime.invoke("echo", b"1").error == "Unhandled"
        assert len(runtime.processes("echo")) == 1


# What goes wrong in a handler


def test_an_exception_is_a_function_error_with_its_type_and_message(runtime: LambdaRuntime) -> None:
    answer = runtime.invoke("fail", b"{}")
    told = json.loads(answer.response)
    assert (answer.error, told["errorType"], told["errorMessage"]) == ("Unhandled", "ValueError", "not today")
    assert "in fail" in told["stackTrace"][-1]


def test_what_a_handler_prints_is_kept(runtime: LambdaRuntime) -> None:
    runtime.invoke("fail", b"{}")
    eventually(lambda: '    raise ValueError("not today")' in runtime.tail("fail"))
    assert "about to fail: ü" in runtime.tail("fail")
    assert "[ERROR] ValueError: not today" in runtime.tail("fail")


def test_a_line_goes_to_the_log_with_its_function_and_request(code: Path) -> None:
    lines: list[tuple[str, str, str]] = []
    with LambdaRuntime(
        "http://127.0.0.1:9",
        Clock.virtual(NOON),
        [function(code, "fail")],
        log=lambda *line: lines.append(line),
    ) as runtime:
        request_id = runtime.invoke("fail", b"{}").request_id
        eventually(lambda: bool(lines))
    assert lines[0] == ("fail", request_id, "about to fail: ü")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (3, "Runtime exited with error: exit status 3"),
        (0, "Runtime exited without providing a reason"),
    ],
)
def test_a_process_that_leaves_is_a_function_error_and_the_next_invocation_gets_a_fresh_one(
    runtime: LambdaRuntime, status: int, reason: str
) -> None:
    for _ in range(2):
        answer = runtime.invoke("leave", str(status).encode())
        assert answer.error == "Unhandled"
        assert json.loads(answer.response) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {answer.request_id} Error: {reason}",
        }
        assert answer.cold
    assert runtime.processes("leave") == []


def test_a_process_killed_in_the_middle_is_a_function_error(code: Path, tmp_path: Path) -> None:
    file = tmp_path / "process"
    with (
        LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), [function(code, "hang")]) as runtime,
        ThreadPoolExecutor(1) as threads,
    ):
        running = threads.submit(runtime.invoke, "hang", json.dumps(str(file)).encode())
        eventually(lambda: file.exists() and file.read_text() != "")
        os.kill(int(file.read_text()), signal.SIGKILL)
        answer = running.result()
    assert answer.error == "Unhandled"
    assert json.loads(answer.response)["errorMessage"].endswith("Runtime exited with error: signal: killed")


def test_a_process_killed_while_it_is_idle_costs_no_invocation(runtime: LambdaRuntime) -> None:
    runtime.invoke("echo", b"1")
    (idle,) = runtime.processes("echo")
    os.kill(idle, signal.SIGKILL)
    eventually(lambda: runtime.processes("echo") == [])
    answer = runtime.invoke("echo", b"2")
    assert (answer.error, answer.response, answer.cold) == (None, b"2", True)


@pytest.mark.cloud
def test_a_handler_that_takes_too_long_is_ended(runtime: LambdaRuntime, tmp_path: Path) -> None:
    file = tmp_path / "process"
    answer = runtime.invoke("hang", json.dumps(str(file)).encode())
    assert answer.error == "Unhandled"
    assert json.loads(answer.response) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": f"RequestId: {answer.request_id} Error: Task timed out after 1.00 seconds",
    }
    assert not running(int(file.read_text()))
    assert runtime.processes("hang") == []


@pytest.mark.parametrize(("name", "word"), [("nowhere", "nowhere"), ("broken", "nothing_of_this_name")])
def test_a_handler_that_cannot_be_imported_says_so_each_time(
    runtime: LambdaRuntime, name: str, word: str
) -> None:
    for _ in range(2):
        answer = runtime.invoke(name, b"{}")
        assert answer.error == "Unhandled"
        assert word in json.loads(answer.response)["errorMessage"]


# The end


def test_closing_ends_a_busy_process_and_what_it_started(code: Path, tmp_path: Path) -> None:
    file = tmp_path / "processes"
    runtime = LambdaRuntime("http://127.0.0.1:9", Clock.virtual(NOON), [function(code, "hang_with_child")])
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(runtime.invoke, "hang_with_child", json.dumps(str(file)).encode())
        eventually(file.exists)
        runtime.close()
        assert answer.result().error == "Unhandled"
    for process in file.read_text().split():
        eventually(lambda process=process: not running(int(process)))
    with pytest.raises(RuntimeError, match="closed"):
        runtime.invoke("hang_with_child", b"{}")
    runtime.close()


@pytest.mark.cloud
@pytest.mark.parametrize("client", CLIENTS)
def test_processes_end_when_the_one_that_started_them_is_killed(
    code: Path, tmp_path: Path, client: str
) -> None:
    """One is idle, one is in the middle of an invocation, and that one has a child."""
    file = tmp_path / "processes"
    program = f"""
import json
from pathlib import Path
from functions import outward
from local.clock import Clock
from local.stack.definitions import LocalFunction
from local.lambdas.runtime import LambdaRuntime

def function(name):
    return LocalFunction(name, f"arn:aws:lambda:us-east-1:1:function:{{name}}", f"handlers.{{name}}", {{}}, 20, Path({str(code)!r}))

runtime = LambdaRuntime("http://127.0.0.1:9", Clock.real(), [function("echo"), function("hang_with_child")], client={client!r})
runtime.invoke("echo", b"1")
print(*runtime.processes("echo"), flush=True)
runtime.invoke("hang_with_child", json.dumps({str(file)!r}).encode())
"""  # noqa: E501
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        idle = int(parent.stdout.readline())
        eventually(file.exists)
        busy, child = map(int, file.read_text().split())
        assert running(idle) and running(busy) and running(child)
        parent.kill()
    eventually(lambda: not (running(idle) or running(busy) or running(child)))


# Asynchronous invocations


def test_an_asynchronous_invocation_waits_for_the_drain(queue: "Queue") -> None:
    queue.put(times=0)
    assert queue.attempts == []
    assert queue.runtime.next_moment == NOON
    assert queue.runtime.drain() == 1
    assert len(queue.attempts) == 1
    assert queue.clock.now() == NOON
    assert queue.runtime.next_moment is None


def test_a_failed_one_is_tried_twice_more_after_one_minute_and_two(queue: "Queue") -> None:
    queue.put(times=2)
    assert queue.runtime.drain(until=NOON) == 1
    assert queue.runtime.next_moment == NOON + timedelta(minutes=1)
    assert queue.runtime.drain(until=NOON + timedelta(minutes=1)) == 1
    assert queue.runtime.next_moment == NOON + timedelta(minutes=3)
    assert queue.runtime.drain() == 1
    assert queue.clock.now() == NOON + timedelta(minutes=3)
    assert queue.messages == []


def test_all_attempts_have_one_request_id_and_one_moment_of_arrival(queue: "Queue") -> None:
    request_id = queue.put(times=2)
    queue.runtime.drain()
    assert len(queue.attempts) == 3
    (attempt,) = set(queue.attempts)
    assert attempt.startswith(f"{request_id} Root=1-5f4f8940-")


def test_after_the_last_retry_the_destination_hears_of_it(queue: "Queue") -> None:
    request_id = queue.put(times=9)
    assert queue.runtime.drain() == 3
    ((topic, message),) = queue.messages
    assert topic == TOPIC
    trace = message["responsePayload"].pop("stackTrace")
    assert "in fail_until" in trace[-1]
    assert message == {
        "version": "1.0",
        "timestamp": "2020-09-02T12:03:00.000Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:fail_until:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"file": str(queue.file), "times": 9},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "again", "errorType": "RuntimeError", "requestId": request_id},
    }


def test_a_function_without_retries_is_tried_once(make_queue: "MakeQueue") -> None:
    queue = make_queue(max_retries=0)
    queue.put(times=9)
    assert queue.runtime.drain() == 1
    assert queue.conditions == ["RetriesExhausted"]


def test_an_event_that_grows_too_old_is_not_tried_again(make_queue: "MakeQueue") -> None:
    queue = make_queue(max_event_age_seconds=90)
    queue.put(times=9)
    assert queue.runtime.drain() == 2
    assert queue.conditions == ["EventAgeExceeded"]
    assert queue.clock.now() == NOON + timedelta(seconds=90)


def test_without_a_destination_nobody_hears_of_a_failure(make_queue: "MakeQueue") -> None:
    queue = make_queue(on_failure_topic=None)
    queue.put(times=9)
    assert queue.runtime.drain() == 3
    assert queue.messages == []


def test_what_is_queued_first_is_run_first_and_before_later_retries(queue: "Queue") -> None:
    first, second = queue.put(times=1), queue.put(times=1)
    queue.runtime.drain()
    assert [attempt.split()[0] for attempt in queue.attempts] == [first, second, first]


def test_in_real_time_a_thread_runs_what_is_queued(code: Path, tmp_path: Path) -> None:
    file = tmp_path / "attempts"
    messages: list[dict[str, Any]] = []
    with LambdaRuntime(
        "http://127.0.0.1:9",
        Clock.real(),
        [function(code, "fail_until")],
        [LocalInvokeConfig("fail_until", 0, 3600, TOPIC)],
        on_failure=lambda _topic, message: messages.append(message),
    ) as runtime:
        runtime.invoke_async("fail_until", json.dumps({"file": str(file), "times": 1}).encode())
        runtime.drain()
        runtime.invoke_async("fail_until", json.dumps({"file": str(file), "times": 1}).encode())
        runtime.drain()
    assert len(file.read_text().splitlines()) == 2
    assert [message["requestContext"]["condition"] for message in messages] == ["RetriesExhausted"]


def test_closing_in_real_time_drops_what_waits_for_a_retry_and_ends_what_runs(
    code: Path, tmp_path: Path
) -> None:
    failed, hanging = tmp_path / "failed", tmp_path / "hanging"
    messages: list[object] = []
    with LambdaRuntime(
        "http://127.0.0.1:9",
        Clock.real(),
        [function(code, "fail_until"), function(code, "hang")],
        [LocalInvokeConfig("hang", 0, 3600, TOPIC)],
        on_failure=lambda *message: messages.append(message),
    ) as runtime:
        runtime.invoke_async("fail_until", json.dumps({"file": str(failed), "times": 9}).encode())
        runtime.invoke_async("hang", json.dumps(str(hanging)).encode())
        eventually(lambda: failed.exists() and hanging.exists())
    assert messages == []
    with pytest.raises(RuntimeError, match="closed"):
        runtime.invoke_async("hang", b"{}")


# Builders


class Queue:
    """A runtime whose one function fails as often as it is told."""

    def __init__(self, code: Path, file: Path, **settings: Any) -> None:
        self.file = file
        self.clock = Clock.virtual(NOON)
        self.messages: list[tuple[str, dict[str, Any]]] = []
        known = {"max_retries": 2, "max_event_age_seconds": 3600, "on_failure_topic": TOPIC}
        self.runtime = LambdaRuntime(
            "http://127.0.0.1:9",
            self.clock,
            [function(code, "fail_until")],
            [LocalInvokeConfig("fail_until", **(known | settings))],
            on_failure=lambda topic, message: self.messages.append((topic, message)),
            client="plain",
        )

    def put(self, times: int) -> str:
        payload = json.dumps({"file": str(self.file), "times": times}).encode()
        return self.runtime.invoke_async("fail_until", payload)

    @property
    def attempts(self) -> list[str]:
        return self.file.read_text().splitlines() if self.file.exists() else []

    @property
    def conditions(self) -> list[str]:
        return [message["requestContext"]["condition"] for _, message in self.messages]


MakeQueue = Callable[..., Queue]


@pytest.fixture
def make_queue(code: Path, tmp_path: Path) -> Iterator[MakeQueue]:
    made: list[Queue] = []

    def make(**settings: Any) -> Queue:
        made.append(Queue(code, tmp_path / "attempts", **settings))
        return made[-1]

    yield make
    for queue in made:
        queue.runtime.close()


@pytest.fixture
def queue(make_queue: MakeQueue) -> Queue:
    return make_queue()


def function(code: Path, name: str, handler: str | None = None, timeout: int = 20) -> LocalFunction:
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    return LocalFunction(name, arn, handler or f"handlers.{name}", {"STACK": "test"}, timeout, code)


def running(process: int) -> bool:
    """Not one that has ended and that nobody took note of: in a container that may stay so."""
    command = ["ps", "-o", "stat=", "-p", str(process)]
    state = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    return state != "" and not state.startswith("Z")


def eventually(true: Callable[[], bool]) -> None:
    """What another process does is seen a moment later; how much later isn't tested."""
    waiting = threading.Event()
    for _ in range(2000):
        if true():
            return
        waiting.wait(0.01)
    pytest.fail("it never came true")

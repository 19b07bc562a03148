"""AWS's clients: what they wait for at worst fits into their function's time-out."""

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError
from services import refused
from test_stack import CONFIG, run

from storage.aws import CONFIG as DEFAULT
from storage.aws import CONFIGS, asking, client, code
from storage.errors import Unreachable

# Which services a function calls: its own Parts.
CALLED = {
    "fetcher": ("dynamodb", "s3", "kinesis", "sns"),
    "consumer": ("dynamodb", "s3", "timestream-write", "sns"),
    "reporter": ("dynamodb", "kinesis", "sns"),
}
TIMEOUTS = {"fetcher": 120, "consumer": 120, "reporter": 60}


def limits(service) -> Any:
    return CONFIGS.get(service, DEFAULT)


def attempts(service):
    return limits(service).retries["total_max_attempts"]


def worst(service):
    """Seconds that one call takes where no attempt is answered."""
    config = limits(service)
    return attempts(service) * (config.connect_timeout + config.read_timeout)


@pytest.mark.parametrize("function", CALLED)
def test_a_call_that_hangs_every_time_leaves_its_function_time_to_say_so(function):
    deployed = run(**CONFIG).all("lambda/function:Function")
    (timeout,) = [found["timeout"] for name, found in deployed.items() if function in name]
    assert timeout == TIMEOUTS[function]
    assert max(map(worst, CALLED[function])) < timeout


def test_what_tells_people_is_tried_once_because_the_next_run_sends_it_again():
    assert attempts("sns") == 1


@pytest.mark.parametrize("service", sorted({"timestream-query", *sum(CALLED.values(), ())}))
def test_a_client_is_made_with_the_limits_that_are_declared_for_it(service, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    config = client(service).meta.config
    assert config.retries["total_max_attempts"] == attempts(service)
    assert config.connect_timeout + config.read_timeout == worst(service) / attempts(service)


def test_a_query_of_timestream_may_take_its_minute():
    assert limits("timestream-query").read_timeout > 60


@pytest.mark.parametrize(
    "error", [refused("ThrottlingException"), ConnectTimeoutError(endpoint_url="x"), NoCredentialsError()]
)
def test_every_error_of_aws_or_of_the_way_there_is_out_of_reach_with_its_place(error):
    @asking("archive")
    def ask():
        raise error

    with pytest.raises(Unreachable) as raised:
        ask()
    assert (raised.value.place, raised.value.problem) == ("archive", str(error))


def test_an_error_of_our_own_is_raised_as_it_is():
    with pytest.raises(KeyError), asking("store"):
        raise KeyError("a defect")


def test_aws_s_word_for_an_error_is_its_code():
    assert code(refused("NoSuchKey")) == "NoSuchKey"

"""A System whose cloud is in this process: a case takes tenths of a second."""

from collections.abc import Iterator
from contextlib import contextmanager

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT
from system import START, System

from local import in_process as fast
from local.in_process import Died, InProcessCloud, Send, response

__all__ = ["ACCOUNT", "Died", "InProcessCloud", "Send", "in_process", "response"]


@contextmanager
def in_process(**config: str) -> Iterator[System]:
    with fast.in_process(START, **config) as cloud:
        yield System(cloud, cloud.publisher)

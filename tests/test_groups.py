"""Tests that share a cloud are a group, which xdist gives to one worker; else each makes the cloud anew."""

import os

import pytest


@pytest.mark.xdist_group("kept together")
@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="without workers there are no groups")
def test_groups_are_kept_by_this_pytest_and_this_xdist(request: pytest.FixtureRequest) -> None:
    assert request.node.nodeid.endswith("@kept together"), "see pytest in requirements/dev.in"

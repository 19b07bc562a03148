"""Where the dashboard is, as its reader has it."""

from flask import request

MACHINES = ".elasticbeanstalk.com"  # names that CloudFront reaches, and no reader


def root() -> str:
    """The address that every other one begins with; only a slash where the request doesn't tell it.

    CloudFront speaks HTTPS to readers, and plain HTTP to this process.
    """
    is_behind_front = "X-Amz-Cf-Id" in request.headers
    if is_behind_front and request.host.endswith(MACHINES):
        return "/"
    return f"{'https' if is_behind_front else request.scheme}://{request.host}/"

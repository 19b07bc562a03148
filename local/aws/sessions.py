"""boto3 sessions of the local cloud: they read no variable, no profile and no file of the user's."""

import os

import boto3
from botocore.session import Session

REGION = "us-east-1"
NO_PROXY = "127.0.0.1,localhost"  # as the value of no_proxy: libcurl doesn't read NO_PROXY everywhere
NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
PROFILES = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
FILES = {"config_file": os.devnull, "credentials_file": os.devnull}


def session() -> boto3.Session:
    """A session with made-up keys, since the emulator looks at no signature, and botocore's own defaults."""
    defaults = {
        name: (None, None, FILES.get(name, default), convert)
        for name, (_, _, default, convert) in Session.SESSION_VARIABLES.items()
    }
    return boto3.Session(
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 made up
        region_name=REGION,
        botocore_session=Session(session_vars=defaults),
    )

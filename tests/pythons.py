"""Whether packages can be had."""

import subprocess
import sys
from functools import cache
from pathlib import Path

UV = Path(sys.executable).with_name("uv")


@cache
def index_reachable() -> bool:
    """Whether there is an index of wheels, asked for something small."""
    ask = [UV, "pip", "compile", "--quiet", "--no-cache", "-"]
    return subprocess.run(ask, input=b"six", capture_output=True, check=False).returncode == 0

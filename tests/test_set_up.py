"""`make setup` in folders and environments that get in its way, with an installer that installs nothing."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = [pytest.mark.cloud, pytest.mark.xdist_group("set-up")]

ROOT = Path(__file__).resolve().parent.parent
UV = "uv-0-py3-none-any.whl"


def folder_at(path):
    """A folder with the Makefile, locks that name only the installer, and an `ops` that says its name."""
    (path / "requirements").mkdir(parents=True)
    for name in ("Makefile", "set_up.py"):
        shutil.copy(ROOT / name, path)
    with zipfile.ZipFile(path / UV, "w") as wheel:
        script = zipfile.ZipInfo("uv-0.data/scripts/uv")
        script.external_attr = 0o100755 << 16
        wheel.writestr(script, "#!/bin/sh\n")
        wheel.writestr("uv-0.dist-info/METADATA", "Metadata-Version: 2.1\nName: uv\nVersion: 0\n")
        wheel.writestr(
            "uv-0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("uv-0.dist-info/RECORD", "")
    digest = hashlib.sha256((path / UV).read_bytes()).hexdigest()
    (path / "requirements" / "uv.txt").write_text(f"./{UV} --hash=sha256:{digest}\n")
    for name in ("requirements.txt", "requirements/dev.txt"):
        (path / name).write_text("")
    (path / "ops").mkdir()
    (path / "ops" / "__main__.py").write_text("print('this is ops')\n")
    return path


def setup(folder, target="setup", **variables):
    return subprocess.Popen(
        ["make", "--silent", target, f"PYTHON={sys.executable}"],
        cwd=folder,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def made(folder, target="setup", **variables):
    """Exit code, stdout, stderr."""
    with setup(folder, target, **variables) as process:
        out, problem = process.communicate(timeout=120)
    return process.returncode, out, problem


def daybook(folder):
    command = [str(folder / ".venv" / "bin" / "daybook")]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd="/").stdout


def test_a_set_up_says_its_size_and_works_in_any_folder_that_is_moved_or_has_lost_its_python(tmp_path):
    folder = folder_at(tmp_path / 'a $HOME "b" c')
    code, out, problem = made(folder, PIP_USER="1", PYTHONSAFEPATH="1")
    assert (code, problem) == (0, "")
    assert "Setting up .venv, once: about " in out
    assert "3/3 the packages" in out
    assert daybook(folder) == "this is ops\n"
    assert "Setting up" not in made(folder)[1]
    assert "the tools" in made(folder, target="tools")[1]
    assert made(folder, target="tools")[1] == ""
    moved = folder.rename(tmp_path / "moved")
    assert daybook(moved) == "this is ops\n"
    python = moved / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3")
    assert "Setting up" in made(moved)[1]
    assert daybook(moved) == "this is ops\n"


def test_two_first_makes_at_once_set_up_once(tmp_path):
    folder = folder_at(tmp_path / "folder")
    with setup(folder) as first, setup(folder) as second:
        outs = [process.communicate(timeout=120)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0)
    assert sum("Setting up" in out for out in outs) == 1


def test_an_environment_that_was_left_half_made_is_made_anew(tmp_path):
    folder = folder_at(tmp_path / "folder")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").touch()
    assert made(folder)[0] == 0
    assert daybook(folder) == "this is ops\n"


def test_a_colon_in_the_path_is_refused_in_a_line(tmp_path):
    folder = folder_at(tmp_path / "a:b")
    code, _, problem = made(folder)
    assert code == 2
    assert "has a colon in it" in problem
    assert not (folder / ".venv").exists()


def test_a_linked_environment_is_left_alone(tmp_path):
    folder = folder_at(tmp_path / "folder")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    (folder / ".venv").symlink_to(tmp_path / "other")
    code, _, problem = made(folder)
    assert (code, ".venv is a link" in problem) == (2, True)
    assert (tmp_path / "other" / "file").exists()


@pytest.mark.parametrize("module", ["ops", "local"])
def test_a_python_without_the_packages_is_told_of_make_setup_in_a_line(module, tmp_path):
    command = [sys.executable, "-I", "-S", "-c", BARE.format(root=str(ROOT), module=module)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "make setup" in done.stderr


BARE = """
import runpy, sys
sys.path.insert(0, {root!r})
runpy.run_module({module!r}, run_name="__main__")
"""

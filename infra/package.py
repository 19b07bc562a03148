"""What is uploaded beside the functions' code: their layers, and the dashboard's bundle.

Layers carry bytecode where a Python 3.13 is at hand: Lambda's own file system takes none, so that each cold
start would compile all that it imports. It is checked by no date and no hash of the source, so that its
bytes depend on the source alone.

``python -m infra.package`` makes what is missing, each under a name that says what it was made from. The
Pulumi program only refers to the files; the local cloud never opens them.
"""

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dashboard import bundle

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".daybook" / "packages"
LAYERS = ("functions", "fetcher")  # each by its lock file, requirements/<name>.txt
PYTHON = "3.13"
LAMBDA = "aarch64-manylinux_2_28"  # Lambda's Amazon Linux 2023 has glibc 2.34
PLACE = "python/"  # where Lambda's Python looks for a layer's modules, under /opt
# Scripts name this machine's interpreter, and RECORD their hashes; packages' own tests are never imported.
LEFT_OUT = {"bin", ".lock", "RECORD", "tests"}
MAX_ZIP = 50_000_000  # Lambda's quota of what is uploaded directly, in bytes
MAX_UNZIPPED = 250_000_000  # and of a function's code with all of its layers


class PackageFailed(Exception):
    """A layer could not be made."""


def layer(name: str, folder: Path = FOLDER, platform: str = LAMBDA) -> Path:
    """Where a layer is, once it is made. Another lock file or recipe gives another name."""
    made_from = hashlib.sha256(platform.encode())
    for part in (_lock(name), Path(__file__)):
        made_from.update(hashlib.sha256(part.read_bytes()).digest())
    return folder / f"layer-{name}-{made_from.hexdigest()[:16]}.zip"


def dashboard(folder: Path = FOLDER) -> Path:
    """Where the dashboard's bundle is, once it is made."""
    return folder / f"dashboard-{bundle.digest()}.zip"


def missing(folder: Path = FOLDER) -> list[str]:
    """The names of the files that are to be made before a deployment."""
    wanted = [*(layer(name, folder) for name in LAYERS), dashboard(folder)]
    return [path.name for path in wanted if not path.exists()]


def make(name: str, folder: Path = FOLDER, platform: str = LAMBDA) -> Path:
    """The layer's zip, made unless it is there. Raises PackageFailed with uv's words."""
    path = layer(name, folder, platform)
    if not path.exists():
        with tempfile.TemporaryDirectory(prefix="daybook-layer-") as found:
            install(name, Path(found), platform)
            compile_all(Path(found))
            _keep(path, packed(Path(found)))
    return path


def make_dashboard(folder: Path = FOLDER) -> Path:
    """The bundle's zip, made unless it is there."""
    path = dashboard(folder)
    if not path.exists():
        _keep(path, bundle.packed())
    return path


def install(name: str, into: Path, platform: str = LAMBDA) -> None:
    """What a lock file names, as wheels of that platform. Raises PackageFailed with uv's words."""
    options = [
        *("--python", sys.executable, "--python-version", PYTHON, "--python-platform", platform),
        *("--only-binary", ":all:", "--require-hashes", "--link-mode", "copy"),
    ]
    done = _uv("pip", "install", "--quiet", "--target", str(into), *options, "-r", str(_lock(name)))
    if done.returncode != 0:
        raise PackageFailed(f"{_lock(name).name} can't be installed for {platform}:\n{done.stderr.strip()}")


def compile_all(folder: Path) -> None:
    """Write bytecode beside the modules that were installed there, as Lambda's Python would. Raises
    PackageFailed where a module can't be compiled."""
    for compiled in [*folder.rglob("__pycache__")]:  # by this machine's Python, where uv is told to
        shutil.rmtree(compiled)
    python = lambdas_python()
    if python is None:
        print(f"No Python {PYTHON} here, and uv could bring none: layers without bytecode, slower to start.")
        return
    options = ["--invalidation-mode", "unchecked-hash", "-q", "-x", r"[/\\](tests|bin)[/\\]"]
    options += ["-s", str(folder), "-p", f"/opt/{PLACE}"]  # a module's own path is in its bytecode
    command = [str(python), "-m", "compileall", *options, str(folder)]
    done = subprocess.run(  # noqa: S603 a Python of this machine, on files of the lock
        command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"}
    )
    if done.returncode != 0:
        raise PackageFailed(f"What was installed can't be compiled:\n{done.stdout.strip()}")


@cache
def lambdas_python() -> Path | None:
    """A Python of the functions' version, brought by uv if need be; None where there is none."""
    return next((path for path in _pythons() if _version(path) == PYTHON), None)


def _pythons() -> Iterator[Path]:
    yield Path(sys.executable)
    if path := shutil.which(f"python{PYTHON}"):
        yield Path(path)
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))  # noqa: TID251 pyenv has no file that says it
    yield from sorted(pyenv.glob(f"versions/{PYTHON}*/bin/python"))
    for arguments in (["find"], ["install", "--no-bin"], ["find"]):
        done = _uv("python", *arguments, PYTHON)
        if arguments == ["find"] and done.returncode == 0:
            yield Path(done.stdout.strip())


def _version(python: Path) -> str:
    """A shim of pyenv's may be there for a version that isn't."""
    tell = "import sys; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run(  # noqa: S603 a Python of this machine, asked for its version
        [python, "-c", tell], capture_output=True, text=True, check=False
    ).stdout.strip()


def _uv(*arguments: str) -> subprocess.CompletedProcess[str]:
    uv = Path(sys.executable).with_name("uv")
    return subprocess.run([str(uv), *arguments], capture_output=True, text=True, check=False)  # noqa: S603 our uv


def packed(folder: Path) -> bytes:
    """A layer of what was installed there: the same bytes from the same files, wherever they are."""
    files = {path.relative_to(folder): path for path in folder.rglob("*") if path.is_file()}
    kept = {PLACE + name.as_posix(): path for name, path in files.items() if not set(name.parts) & LEFT_OUT}
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as zipped_layer:
        for name, path in sorted(kept.items()):
            # Stored, a layer would be larger than Lambda takes.
            zipped_layer.writestr(bundle.entry(name, zipfile.ZIP_DEFLATED), path.read_bytes())
    return zipped.getvalue()


def digest(path: Path) -> str:
    """A short hash of a zip's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def unzipped(path: Path) -> int:
    """The bytes of a zip's files, unpacked."""
    with zipfile.ZipFile(path) as zipped_layer:
        return sum(entry.file_size for entry in zipped_layer.infolist())


def _lock(name: str) -> Path:
    return ROOT / "requirements" / f"{name}.txt"


def _keep(path: Path, content: bytes) -> None:
    """There whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def main() -> None:
    """Make everything that is missing, and say what there is."""
    try:
        made = [*(make(name) for name in LAYERS), make_dashboard()]
    except PackageFailed as failed:
        sys.exit(str(failed))
    for path in made:
        size, unpacked = path.stat().st_size / 1e6, unzipped(path) / 1e6
        print(f"{path.name:<40}{size:6.1f} MB{unpacked:8.1f} MB unpacked   sha256 {digest(path)}")


if __name__ == "__main__":
    main()

"""Virtual environments made without a download, and what this one must have."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from importlib.util import find_spec
from pathlib import Path

import pytest

from joulemark.suite.trial.discover import installed_frameworks
from joulemark.suite.trial.frameworks import FRAMEWORKS as TABLE


def require(*packages: str) -> None:
    """Skip the test, or the module, unless these are installed. They are not imported, which takes seconds."""
    for name in packages:
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed", allow_module_level=True)


def none_of(*frameworks: str) -> tuple[str, ...]:
    """Return options with which the `frameworks`, or all if none is named, are looked for where there is nothing."""
    return tuple(part for name in frameworks or TABLE for part in ("--python", f"{name}=/nowhere/python"))


def stand_in(directory: Path, **facts: object) -> str:
    """Return an interpreter that says of a framework that it has a CPU, or `facts`, and can do no more.

    Nothing is imported where a framework is asked for its devices alone.
    """
    python = directory / "python"
    says = {"version": "2.13", "python": "3.11", "build": "cpu", "devices": ["cpu"], **facts}
    python.write_text(f"#!/bin/sh\necho '{json.dumps(says)}'\n")
    python.chmod(0o755)
    return str(python)


@functools.cache
def known(*frameworks: str, python: str = sys.executable) -> tuple[str, ...]:
    """Return options with which a run need not import the `frameworks`, or any if none is named, to learn about them.

    Each import takes seconds. An interpreter that is `python` in all else answers with the metadata of this one.
    Those that are not installed are left out.
    """
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    folder.chmod(0o755)
    options: list[str] = []
    for name, info in installed_frameworks((), {}).items():  # by their metadata
        if name in (frameworks or TABLE):
            path = folder / name
            path.write_text(
                f"#!/bin/sh\ncase $* in *suite.trial.discover*) echo '{info.model_dump_json()}' ;;\n"
                f"*) exec '{python}' \"$@\" ;; esac\n"
            )
            path.chmod(0o755)
            options += ["--python", f"{name}={path}"]
    return tuple(options)


def empty_environment(directory: Path) -> str:
    """Return the interpreter of a new, empty environment in `directory`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, timeout=300)
    return str(directory / "bin" / "python")


def environment_like_this(directory: Path, **modules: str) -> str:
    """Return the interpreter of a new environment with all packages of this one, and `modules`: sources by name."""
    python = empty_environment(directory)
    (site,) = directory.glob("lib/python3*/site-packages")
    # addsitedir also reads the .pth files there, by which editable packages are found.
    folders = dict.fromkeys(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
    (site / "this.pth").write_text("".join(f"import site; site.addsitedir({folder!r})\n" for folder in folders))
    for name, source in modules.items():
        (site / f"{name}.py").write_text(source)
    return python


FRAMEWORK_PACKAGES = ("torch", "tensorflow", "keras", "jax")
"""Import names by which an environment has frameworks, or parts of them."""


def environment_with(directory: Path, *installed: str, **stand_ins: str) -> str:
    """Return the interpreter of a new environment with the packages of this one, of the frameworks only `installed`.

    `stand_ins` are further packages, sources by import name, each with the metadata of a version 9.9. They fail as real
    ones do, in ways that cannot be had from an index. Skip the test if this environment has no such framework.
    """
    require(*installed)
    python = empty_environment(directory)
    (site,) = directory.glob("lib/python3*/site-packages")
    left_out = tuple(name for name in FRAMEWORK_PACKAGES if name not in installed) + tuple(stand_ins)
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if entry.name.partition("-")[0] not in left_out and not (site / entry.name).exists():
            (site / entry.name).symlink_to(entry)
    for name, source in stand_ins.items():
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(source)
        add_metadata(site, name)
    return python


def add_metadata(site: Path, name: str) -> None:
    """Write the metadata of a distribution `name`, version 9.9, into the folder `site`."""
    metadata = site / f"{name}-9.9.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n")

"""Virtual environments beside the one that runs the tests, without a download."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path


def bare(directory: Path) -> str:
    """The interpreter of a new environment in `directory` with nothing in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, timeout=120)
    return str(directory / "bin" / "python")


def twin(directory: Path, **modules: str) -> str:
    """The interpreter of a new environment with all that this one has, and `modules` of its own: sources by name."""
    python = bare(directory)
    (site,) = directory.glob("lib/python3*/site-packages")
    # addsitedir also reads the .pth files there, by which editable packages are found.
    places = dict.fromkeys(sysconfig.get_paths()[name] for name in ("purelib", "platlib"))
    (site / "twin.pth").write_text("".join(f"import site; site.addsitedir({place!r})\n" for place in places))
    for name, source in modules.items():
        (site / f"{name}.py").write_text(source)
    return python

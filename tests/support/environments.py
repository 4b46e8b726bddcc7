"""Virtual environments made without a download."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path


def empty_environment(directory: Path) -> str:
    """Return the interpreter of a new, empty environment in `directory`."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(directory)], check=True, timeout=120)
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

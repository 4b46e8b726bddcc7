"""The command `joulemark` from inside another project, whose packages may be called as ours are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import joulemark as package

_START = "import sys; sys.argv[0] = 'joulemark'; from joulemark.suite.cli.app import main; main()"


def joulemark(*arguments: str, quiet: bool = True) -> subprocess.CompletedProcess[str]:
    """Run `joulemark ARGUMENTS` in a process of its own that finds our packages first; unless `quiet`, its standard
    error is this process's."""
    environment = dict(os.environ)
    environment["PYTHONPATH"] = os.pathsep.join(
        filter(None, [str(Path(package.__file__).resolve().parents[1]), environment.get("PYTHONPATH")])
    )
    return subprocess.run(
        # -P: neither the current directory nor a script's.
        [sys.executable, "-P", "-c", _START, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        text=True,
        check=False,
    )

"""Count the bytes between the head and one other node of a Ray cluster: while it is idle, and during a run.

Needs what `tests/support/ray_cluster.py` needs, whose cluster of two nodes it makes:

    PYTHONPATH=tests/support python -m studies.cluster_bytes DIRECTORY [ARGUMENTS of joulemark run...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

IDLE_S = 60.0
SELECTION = ("--profile", "quick", "--framework", "pytorch", "--size", "tiny", "--rounds", "3", "--offline")


def carried(cluster: Any) -> tuple[int, int]:
    """Return the bytes that node 1 has sent and received, by the port of the bridge that it is connected to."""
    command = ["ip", "-n", f"{cluster.name}s", "-s", "-json", "link", "show", "port1"]
    (link,) = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return link["stats64"]["rx"]["bytes"], link["stats64"]["tx"]["bytes"]


def main(arguments: Sequence[str]) -> None:
    """Print the bytes."""
    import ray_cluster

    root = Path(arguments[0]).absolute()
    home = root / "head"
    home.mkdir(parents=True)
    with ray_cluster.running(root / "cluster") as cluster:
        begin, start_s = carried(cluster), time.monotonic()
        time.sleep(IDLE_S)
        idle_s = time.monotonic() - start_s
        idle = [after - before for before, after in zip(begin, carried(cluster), strict=True)]
        begin, start_s = carried(cluster), time.monotonic()
        selection = arguments[1:] or SELECTION
        options = ("--on", f"ray:{cluster.address}", "--out", str(home / "out"), *selection)
        process = cluster.joulemark(home, "run", *options)
        _, errors = process.communicate()
        run_s = time.monotonic() - start_s
        run = [after - before for before, after in zip(begin, carried(cluster), strict=True)]
    files = sorted((home / "out").glob("2*.json"))
    sizes = [(path.stat().st_size, len(zlib.compress(path.read_bytes()))) for path in files]
    lines = [line for line in errors.splitlines() if line.startswith("node 1: ")]
    print(f"exit code {process.returncode}; {len(files)} run files, bytes and compressed: {sizes}; job and page:")
    print({path.suffix: path.stat().st_size for path in (home / "out").iterdir() if path.suffix in (".job", ".html")})
    print(f"idle: node 1 sent and received {idle} bytes in {idle_s:.0f} s")
    print(f"run: {run} bytes in {run_s:.0f} s, {len(lines)} lines of progress")


if __name__ == "__main__":
    main(sys.argv[1:])

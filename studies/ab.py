"""`joulemark ab` where the truth is known, on whatever machine this is, other programs and all.

`python -m studies.ab equal FILE`: two environments with the same versions (5 minutes): every difference is false.
`python -m studies.ab threads FILE`: a matrix product on one thread against two (3 minutes): two are faster.
`python -m studies.ab show FILE`: what is kept, as the table of docs/ab.md. Each adds its part to FILE (JSON).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from environments import environment_like_this

EQUAL = ("matmul", "fft", "attention", "layernorm", "mlp", "cnn")
ROUNDS = 5
COMMAND = [sys.executable, "-P", "-c", "from joulemark.suite.cli.app import main; main()"]
KEPT = ("a", "b", "metric", "ratio", "low", "high", "n_a", "verdict", "words", "estimated")


def ab(directory: Path, *arguments: str) -> dict[str, Any]:
    """What `joulemark ab ARGUMENTS` says, and on which machine."""
    done = subprocess.run(
        [*COMMAND, "ab", *arguments, "--profile", "ci", "--rounds", str(ROUNDS), "--json", "--no-report"],
        env={**os.environ, "JOULEMARK_HOME": str(directory), "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said = json.loads(done.stdout)
    run = json.loads(Path(said["path"]).read_text())
    cpu = run["machine"]["cpu"]
    floor = [entry["arithmetic_s"] for entry in run["floor"]]
    return {
        "command": " ".join(["joulemark", "ab", *arguments]).replace(f"{directory}/", ""),
        "cpu": cpu["model"],
        "cores": cpu["usable_cores"],
        "versions": {name: info["version"] for name, info in run["machine"]["frameworks"].items()},
        "floor_slowest_over_fastest": max(floor) / min(floor),
        "environment": said["environment"],
        "comparisons": [{key: one[key] for key in KEPT} for one in said["comparisons"]],
    }


def equal(directory: Path) -> dict[str, Any]:
    """Two environments with the same versions, several workloads."""
    chosen = [part for name in EQUAL for part in ("--workload", name)]
    return ab(
        directory,
        "--b",
        environment_like_this(directory / "environment"),
        *chosen,
        "--framework",
        "pytorch",
        "--phase",
        "inference",
    )


def threads(directory: Path) -> dict[str, Any]:
    """One thread against two on a matrix product of side 1,024."""
    arms = ("--a-threads", "1", "--b-threads", "2")
    return ab(directory, *arms, "--workload", "matmul", "--size", "n1024", "--framework", "pytorch")


def table(kept: dict[str, Any]) -> str:
    """The comparisons of all parts as Markdown."""
    lines = ["| truth | case | metric | B/A [95 %] | n | verdict |", "|---|---|---|---|---:|---|"]
    for part, found in kept.items():
        for one in found["comparisons"]:
            interval = f"{one['low']:.3f}, {one['high']:.3f}" if one["low"] is not None else "no interval"
            mark = "~" if one["estimated"] else ""
            case = one["b"].partition("+")[0]
            ratio = f"{mark}{one['ratio']:.3f} [{interval}]" if one["ratio"] is not None else "not measured"
            lines.append(f"| {part} | `{case}` | {one['metric']} | {ratio} | {one['n_a']} | {one['words']} |")
    return "\n".join(lines)


def main(what: str, path: Path) -> None:
    """Measure one part and keep it, or show what is kept."""
    kept = json.loads(path.read_text()) if path.exists() else {}
    if what in ("equal", "threads"):
        with tempfile.TemporaryDirectory(prefix="joulemark-ab-") as directory:
            kept[what] = {"equal": equal, "threads": threads}[what](Path(directory))
        path.write_text(json.dumps(kept, indent=1) + "\n")
    print(table(kept))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("equal", "threads", "show"):
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))

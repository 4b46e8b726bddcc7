"""`joulemark ab` on questions whose answer is known, on this machine with whatever else it runs.

`python -m studies.ab equal FILE`: two environments with the same versions (5 minutes), where every difference is false.
`python -m studies.ab threads FILE`: a matrix product on one thread against two (3 minutes), where two are faster.
`python -m studies.ab show FILE`: the results so far, as the table of docs/ab.md. The others add theirs to FILE (JSON).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from command import COMMAND
from environments import environment_like_this

EQUAL = ("matmul", "fft", "attention", "layernorm", "mlp", "cnn")
ROUNDS = 5
KEPT = ("a", "b", "metric", "ratio", "low", "high", "n_a", "verdict", "words", "estimated")
"""Keys of a comparison that are kept."""


def ab(directory: Path, *arguments: str) -> dict[str, Any]:
    """Run `joulemark ab ARGUMENTS`; return its comparisons, and the machine they were made on."""
    done = subprocess.run(
        [*COMMAND, "ab", *arguments, "--profile", "ci", "--rounds", str(ROUNDS), "--json", "--no-report"],
        env={**os.environ, "JOULEMARK_HOME": str(directory), "TMPDIR": str(directory)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    document = json.loads(done.stdout)
    run = json.loads(Path(document["path"]).read_text())
    cpu = run["machine"]["cpu"]
    floor_s = [floor["arithmetic_s"] for floor in run["floor"]]
    return {
        "command": " ".join(["joulemark", "ab", *arguments]).replace(f"{directory}/", ""),
        "cpu": cpu["model"],
        "cores": cpu["usable_cores"],
        "versions": {name: info["version"] for name, info in run["machine"]["frameworks"].items()},
        "floor_slowest_over_fastest": max(floor_s) / min(floor_s),
        "environment": document["environment"],
        "comparisons": [{key: comparison[key] for key in KEPT} for comparison in document["comparisons"]],
    }


def equal(directory: Path) -> dict[str, Any]:
    """Compare two environments with the same versions, on several workloads."""
    python = environment_like_this(directory / "environment")
    workloads = [argument for name in EQUAL for argument in ("--workload", name)]
    return ab(directory, "--b", python, *workloads, "--framework", "pytorch", "--phase", "inference")


def threads(directory: Path) -> dict[str, Any]:
    """Compare one thread with two, on a matrix product of side 1,024."""
    arms = ("--a-threads", "1", "--b-threads", "2")
    return ab(directory, *arms, "--workload", "matmul", "--size", "n1024", "--framework", "pytorch")


EXPERIMENTS = {"equal": equal, "threads": threads}


def table(results: dict[str, Any]) -> str:
    """Return the comparisons of all experiments as Markdown."""
    lines = ["| experiment | case | metric | B/A [95 %] | n | verdict |", "|---|---|---|---|---:|---|"]
    for experiment, result in results.items():
        for row in result["comparisons"]:
            interval = f"{row['low']:.3f}, {row['high']:.3f}" if row["low"] is not None else "no interval"
            mark = "~" if row["estimated"] else ""
            case = row["b"].partition("+")[0]
            ratio = f"{mark}{row['ratio']:.3f} [{interval}]" if row["ratio"] is not None else "not measured"
            lines.append(f"| {experiment} | `{case}` | {row['metric']} | {ratio} | {row['n_a']} | {row['words']} |")
    return "\n".join(lines)


def main(action: str, path: Path) -> None:
    """Run an experiment and add its results to the file `path`, or only show them."""
    results = json.loads(path.read_text()) if path.exists() else {}
    if action in EXPERIMENTS:
        with tempfile.TemporaryDirectory(prefix="joulemark-ab-") as directory:
            results[action] = EXPERIMENTS[action](Path(directory))
        path.write_text(json.dumps(results, indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in (*EXPERIMENTS, "show"):
        sys.exit(__doc__)
    main(sys.argv[1], Path(sys.argv[2]))

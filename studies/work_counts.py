"""Do counts of work find what was planted, and nothing else? `python -m studies.work_counts [--repeats 50]`.

Each trial is a process of its own. A program without a fault is counted once for the baseline, then `--repeats` times:
whatever differs is a false alarm. Then each fault is planted (tests/support/planted), and the counts that grew are
listed. It writes docs/results/work-counts.json and prints the tables of docs/counts.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from joulemark.suite.records import COUNTS
from joulemark.suite.stats.work_counts.comparison import verdict_of
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.trial import environment
from joulemark.suite.trial.fork_server_client import ForkServer
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.request import Effort, Request

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "results" / "work-counts.json"
FAULTS = ("extra_operator", "extra_copy", "lost_fusion", "dropped_channels_last", "retraces")
MODES = [
    (name, mode)
    for name, each in FRAMEWORKS.items()
    for mode in sorted(each.modes, key=lambda mode: (mode != FRAMEWORKS[name].default_mode, mode))
    if mode not in each.gpu_modes
]
IMPOSSIBLE = {
    **{(name, "eager", "retraces"): "nothing is traced" for name in FRAMEWORKS},
    ("tensorflow", "xla", "extra_copy"): "XLA has no operator that only copies",
}
"""Faults that a mode cannot have."""
PLAIN = ("planted", "none", "inference")
REAL = ("cnn", "tiny", "training")
"""A workload of our own, which is repeated too in the default modes."""
EFFORT = Effort(window_s=0.02, warmup_s=0.0, max_warmup_s=0.0, guard_s=0.0, min_blocks=1, counted=True)
TIMEOUT_S = 600.0

Counts = Mapping[str, float]


@dataclass(frozen=True)
class Repeats:
    """One program, counted again and again."""

    program: str
    baseline: Counts
    values: Mapping[str, list[float]]
    """The different values of each count over all processes, sorted."""
    repeats: int
    alarms: int
    """Repeats in which an exact count differs from the baseline."""


def count(server: ForkServer, framework: str, mode: str, workload: str, size: str, phase: str) -> Counts:
    """Return the counts of one trial in a process of its own. RuntimeError if it failed or did not count."""
    request = Request(
        workload=workload, size=size, phase=phase, framework=framework, mode=mode, device="cpu", precision="fp32",
        batch_size=4, threads=1, allocator="retain", seed=1, effort=EFFORT,
    )  # fmt: skip
    outcome = server.run(request, TIMEOUT_S)
    work = (outcome.trial or {}).get("work", {})
    if outcome.trial is None or work.get("reason"):
        raise RuntimeError(
            f"{framework} {mode} {workload}:{size}: {outcome.reason or work['reason']}\n{outcome.output}"
        )
    return {key: each["value"] for key, each in work["counts"].items() if each["value"] is not None}


def differences(baseline: Counts, counts: Counts) -> list[str]:
    """Return the exact counts that differ from the baseline's, each with both values."""
    keys = [key for key, kind in COUNTS.items() if kind.exact and (key in baseline or key in counts)]
    return [
        f"{COUNTS[key].title} {baseline.get(key, 0):,.0f} -> {counts.get(key, 0):,.0f}"
        for key in keys
        if verdict_of((baseline.get(key, 0.0),), (counts.get(key, 0.0),), 0.0) != "same"
    ]


def repeated(server: ForkServer, framework: str, mode: str, program: tuple[str, str, str], repeats: int) -> Repeats:
    """Count a program without a fault in `repeats` processes beside the baseline."""
    baseline, *others = (count(server, framework, mode, *program) for _ in range(repeats + 1))
    values = {key: sorted({each.get(key, 0.0) for each in (baseline, *others)}) for key in baseline}
    alarms = sum(bool(differences(baseline, counts)) for counts in others)
    return Repeats(f"{program[0]}:{program[1]}", baseline, values, repeats, alarms)


def study(modes: Sequence[tuple[str, str]], repeats: int) -> Iterator[dict[str, Any]]:
    """Yield the results of each framework and mode."""
    with scratch_directory() as scratch:
        for framework, mode in modes:
            path = os.pathsep.join([str(ROOT / "tests" / "support" / "planted"), os.environ.get("PYTHONPATH", "")])
            variables = {**environment.build(os.environ, 1, scratch).variables, "PYTHONPATH": path}
            server = ForkServer(framework, variables)
            if problem := server.wait_ready():
                print(problem, file=sys.stderr)
            try:
                of_programs = [
                    repeated(server, framework, mode, program, repeats)
                    for program in (PLAIN, *([REAL] if mode == FRAMEWORKS[framework].default_mode else []))
                ]
                planted = {
                    fault: IMPOSSIBLE.get((framework, mode, fault))
                    or differences(
                        of_programs[0].baseline, count(server, framework, mode, "planted", fault, "inference")
                    )
                    for fault in FAULTS
                }
            finally:
                server.close()
            yield {
                "framework": framework,
                "mode": mode,
                "programs": [vars(each) for each in of_programs],
                "planted": planted,
            }


def tables(results: list[dict[str, Any]]) -> str:
    """Return the results as Markdown."""
    lines = ["| mode | program | repeats | false alarms | counts of a step |", "|---|---|---:|---:|---|"]
    for result in results:
        for program in result["programs"]:
            texts = (f"{COUNTS[key].title} {_range(values)}" for key, values in program["values"].items())
            lines.append(
                f"| {_name(result)} | `{program['program']}` | {program['repeats']} | {program['alarms']} | "
                f"{', '.join(texts)} |"
            )
    lines += ["", "| mode | fault | what the counts say |", "|---|---|---|"]
    for result in results:
        for fault, found in result["planted"].items():
            text = found if isinstance(found, str) else ", ".join(found) or "**nothing**"
            lines.append(f"| {_name(result)} | {fault.replace('_', ' ')} | {text} |")
    return "\n".join(lines)


def _name(result: Mapping[str, Any]) -> str:
    return f"{FRAMEWORKS[result['framework']].title} {result['mode']}"


def _range(values: list[float]) -> str:
    return f"{values[0]:,.0f}" if len(values) == 1 else f"{values[0]:,.0f} to {values[-1]:,.0f}"


def main() -> None:
    """Run the study, write its results and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--mode", action="append", metavar="FRAMEWORK/MODE", help="count this again (default: all)")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    versions = {name: version(each.distributions[0]) for name, each in FRAMEWORKS.items()}
    kept = json.loads(options.out.read_text(encoding="utf-8"))["results"] if options.out.exists() else []
    by_mode = {(result["framework"], result["mode"]): result for result in kept}
    chosen = [mode for mode in MODES if options.mode is None or "/".join(mode) in options.mode]
    for result in study(chosen, options.repeats):
        by_mode[result["framework"], result["mode"]] = result
        results = [by_mode[mode] for mode in MODES if mode in by_mode]
        document = json.dumps({"versions": versions, "results": results}, indent=1)
        options.out.write_text(document + "\n", encoding="utf-8")
    print(tables(results))


if __name__ == "__main__":
    main()

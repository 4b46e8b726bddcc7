"""All checks that need a GPU, in at most 8 minutes; writes one JSON and prints a table.

`python -m benchmarks.gpu [--device cuda:0] [--out gpu.json] [--budget 480]`. Parts, in this order: doctor; every
workload and phase in every precision and in a compiled mode once; `joulemark run` in one round; matrix products of 8192
by precision against the probe; Meters of 0.1 to 10 s against the counter. What the budget leaves no time for is listed
as not run. docs/gpu.md explains the table. With `--device cpu` it runs what a CPU can, to try the script.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu_sweep import sweep
from joulemark.suite.trial.discover import installed_frameworks
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.workloads.registry import workloads

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = {"cuda": "n8192", "cpu": "n1024"}
SWEEP_SHARE = 0.5
"""Share of the budget that the sweep may take."""


class Budget:
    """The time that is left."""

    def __init__(self, seconds: float) -> None:
        self.end_s = time.monotonic() + seconds

    def left_s(self) -> float:
        """Return the seconds left, at least 1."""
        return max(1.0, self.end_s - time.monotonic())


def command(arguments: list[str], timeout_s: float) -> tuple[Any, str | None]:
    """Run `python -m ARGUMENTS` and return its JSON, or None and the reason."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )
        return json.loads(done.stdout.strip().splitlines()[-1] if "gpu_meter" in arguments[0] else done.stdout), None
    except subprocess.TimeoutExpired:
        return None, f"not finished within {timeout_s:.0f} s"
    except (ValueError, IndexError):
        return None, (done.stderr.strip().splitlines() or ["no output"])[-1]


def run(arguments: list[str], device: str, budget: Budget) -> tuple[Any, str | None]:
    """Return the run file of `joulemark run ARGUMENTS` in one round."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--device", device, "--rounds", "1", "--no-report", "--json", "--offline", "--out", folder]
        return command(["joulemark", "run", *arguments, *options], budget.left_s())


def measure(device: str, frameworks: list[str], budget: Budget) -> dict[str, Any]:
    """Return the results of all parts."""
    kind = device.partition(":")[0]
    results: dict[str, Any] = {"device": device, "frameworks": frameworks, "seconds": {}, "not_run": {}}

    def part(name: str, value: Any, reason: str | None = None) -> None:
        results[name] = value
        results["seconds"][name] = round(time.monotonic() - begin_s, 1)
        if reason:
            results["not_run"][name] = reason
        print(f"{name}: {results['seconds'][name]} s{f', {reason}' if reason else ''}", file=sys.stderr)

    begin_s = time.monotonic()
    part("doctor", *command(["joulemark", "doctor", "--json"], budget.left_s()))
    begin_s = time.monotonic()
    processes = max(1, min(8, (os.cpu_count() or 1) // 2))
    share_s = SWEEP_SHARE * budget.left_s()
    part("sweep", list(sweep(frameworks, device, "tiny", processes, share_s)))
    begin_s = time.monotonic()
    part("quick", *run([], device, budget))
    begin_s = time.monotonic()
    precisions = [option for name in FRAMEWORKS[frameworks[0]].precisions for option in ("--precision", name)]
    part("product", *run(["--workload", "matmul", "--size", PRODUCT[kind], *precisions], device, budget))
    begin_s = time.monotonic()
    if kind == "cuda" and "pytorch" in frameworks:
        part("meter", *command(["benchmarks.gpu_meter", device], budget.left_s()))
    else:
        part("meter", None, "needs PyTorch on an NVIDIA GPU")
    return results


def product_shares(run_file: dict[str, Any]) -> list[dict[str, Any]]:
    """Return FLOP/s of the matrix product by framework and precision, and its share of the probe's."""
    probes = {(p["framework"], p["precision"]): p["flops_per_s"] for p in run_file.get("probes", ())}
    rows = []
    for case in run_file["cases"]:
        summary, peak = case["summary"], probes.get((case["framework"], case["precision"]))
        flops_per_s = summary["throughput"]["value"] * case["flops_per_item"] if summary else None
        rows.append(
            {
                **{name: case[name] for name in ("framework", "mode", "precision", "status", "reason")},
                "tflops_per_s": flops_per_s / 1e12 if flops_per_s else None,
                "share_of_probe": flops_per_s / peak if flops_per_s and peak else None,
            }
        )
    return rows


def show(results: dict[str, Any]) -> int:
    """Print the table; return 1 if anything failed, else 0."""
    statuses = collections.Counter((row["framework"], row["status"]) for row in results["sweep"])
    print(f"\nWorkloads on {results['device']}: each phase and precision once, and fp32 compiled")
    for (framework, status), count in sorted(statuses.items()):
        print(f"  {framework:12} {status:8} {count}")
    bad = [row for row in results["sweep"] if row["status"] in ("failed", "differs")]
    for row in bad:
        name = " ".join(str(row[key]) for key in ("framework", "workload", "phase", "mode", "precision") if key in row)
        print(f"  ! {name}: {row['reason']}")
    if results["quick"]:
        print("\nquick, one round")
        for case in results["quick"]["cases"]:
            summary = case["summary"] or {}
            values = [summary.get(key, {}).get("value") for key in ("throughput", "energy_per_item_j", "power_w")]
            shown = "  ".join(f"{value:12.4g}" if value is not None else f"{'-':>12}" for value in values)
            print(f"  {case['id']:60} {shown}  {case['status']}")
    if results["product"]:
        print("\nMatrix product, TFLOP/s, and its share of the probe")
        for row in product_shares(results["product"]):
            rate, share = row["tflops_per_s"], row["share_of_probe"]
            shown = f"{rate:8.1f}  {share:.2f}" if rate and share else f"{row['status']}: {row['reason']}"
            print(f"  {row['framework']:12} {row['mode']:8} {row['precision']:5} {shown}")
    for row in results["meter"] or ():
        meter_j, reader_j = row["meter_j"], row["reader_j"]
        ratio = f"{meter_j / reader_j:.3f}" if meter_j and reader_j else "-"
        print(f"  Meter of {row['duration_s']:5.2f} s: {meter_j} J; second reader {reader_j:.1f} J; ratio {ratio}")
    for name, reason in results["not_run"].items():
        print(f"! {name} was not run: {reason}")
    failed = [case["id"] for key in ("quick", "product") for case in (results[key] or {}).get("cases", ())
              if case["status"] == "failed"]  # fmt: skip
    return int(bool(bad or failed))


def main() -> int:
    """Measure, write the JSON, and print the table."""
    parser = argparse.ArgumentParser(description="All checks that need a GPU.")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"))
    parser.add_argument("--budget", type=float, default=480.0, help="seconds for all parts")
    arguments = parser.parse_args()
    infos = installed_frameworks(FRAMEWORKS, {})
    frameworks = [name for name, info in infos.items() if info.broken_reason is None]
    if not frameworks:
        print("no framework can be imported: pip install 'joulemark[pytorch]'", file=sys.stderr)
        return 2
    # What the harness sets in trials; read by the processes of the sweep.
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", ABSL_MIN_LOG_LEVEL="3")
    print(f"{len(workloads())} workloads, {', '.join(frameworks)} on {arguments.device}", file=sys.stderr)
    results = measure(arguments.device, frameworks, Budget(arguments.budget))
    arguments.out.write_text(json.dumps(results, indent=1), encoding="utf-8")
    status = show(results)
    print(f"\nWrote {arguments.out}")
    return status


if __name__ == "__main__":
    sys.exit(main())

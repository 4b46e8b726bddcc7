"""All checks that need a GPU, in at most 8 minutes; writes one JSON and prints a table.

`python -m benchmarks.gpu [--device cuda:0] [--out gpu.json] [--budget 480]`. Parts, in this order: `doctor`; `product`,
matrix products of 8192 by precision against the probe; `meter`, Meters of 0.1 to 10 s against the counter; `quick`,
`joulemark run` in one round; `workloads`, every workload and phase in every precision and in each compiled mode once.
The file is written anew after each step, and what was not measured has a reason in it. docs/gpu.md explains the table.
With `--device cpu` it does what a CPU can, to try the script.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import platform
import signal
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import joulemark
from benchmarks import gpu_process
from benchmarks.gpu_sweep import sweep
from benchmarks.gpu_table import has_failed, table
from joulemark.suite import machine
from joulemark.suite.errors import JoulemarkError
from joulemark.suite.records.files import write_text
from joulemark.suite.system.scratch import scratch_directory
from joulemark.suite.trial.discover import installed_frameworks
from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.units import counted
from joulemark.workloads.registry import workloads

PRODUCT = {"cuda": "n8192", "cpu": "n1024"}
"""Size of the matrix product, by kind of device."""
CPU_PRECISIONS = ("fp32", "bf16")
"""Those of matrix products that take less than seconds on a CPU."""
WINDOWS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Windows of Meters, seconds."""
LIMITS_S = {"doctor": 60.0, "product": 150.0, "meter": 90.0, "quick": 240.0, "workloads": math.inf}
"""The longest that each part may take, seconds; in their order. On a GPU, four products are expected to take 112 s, and
`quick` 166 s."""
RESERVE_S = gpu_process.STOP_S + gpu_process.KILL_S + 2.0
"""How long before the end of the budget the last part has to stop, seconds."""

Result = tuple[Any, str | None]
"""What a part found, and the reason if that is not all."""


@dataclass
class Check:
    """The options of one invocation, and what it has found so far."""

    device: str
    size: str
    profile: str
    workloads: list[str]
    case_timeout_s: float
    windows_s: list[float]
    out: Path
    scratch: Path
    end_s: float
    """CLOCK_MONOTONIC at which the last part has to stop, seconds."""
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of device."""
        return self.device.partition(":")[0]

    def write(self) -> None:
        """Write the file."""
        write_text(self.out, json.dumps(self.document, indent=1) + "\n")

    def begin(self, budget_s: float) -> None:
        """Describe the machine and its frameworks. An import that hangs takes a fifth of the budget."""
        infos = installed_frameworks(FRAMEWORKS, {}, timeout_s=budget_s / 5)
        self.document |= {
            "schema_version": 1,
            "suite_version": joulemark.__version__,
            "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "device": self.device,
            "budget_s": budget_s,
            "python": platform.python_version(),
            "machine": machine.describe(frameworks=infos).model_dump(mode="json"),
            "frameworks": {name: self._reason(name, infos) for name in FRAMEWORKS},
            "parts": {},
        }

    def _reason(self, name: str, infos: Any) -> str | None:
        """Return why a framework cannot be used on the device; None if it can."""
        info = infos.get(name)
        if info is None:
            return "not installed"
        if info.broken_reason or self.device in info.devices:
            return info.broken_reason
        return f"sees no {self.device}{f': {info.blind}' if info.blind else ''}"

    def usable(self) -> list[str]:
        """Return the frameworks that can be used on the device."""
        return [name for name, reason in self.document["frameworks"].items() if reason is None]

    def part(self, name: str, measure: Callable[[float], Iterable[Result]]) -> None:
        """Run one part: `measure` yields its results so far, given the CLOCK_MONOTONIC at which it has to stop."""
        begin_s, reason = time.monotonic(), None
        self.document[name] = None
        self.document["parts"][name] = {"seconds": 0.0, "reason": "interrupted"}  # until it has ended
        self.write()
        try:
            if begin_s >= self.end_s:
                reason = "no time was left"
            else:
                for result in measure(min(self.end_s, begin_s + LIMITS_S[name])):
                    self.document[name], reason = result
                    self.write()
        except Exception as error:  # noqa: BLE001  whatever happens, the other parts are run
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        seconds = round(time.monotonic() - begin_s, 1)
        self.document["parts"][name] = {"seconds": seconds, "reason": reason}
        self.write()
        print(f"{name}: {seconds} s{f', {reason}' if reason else ''}", file=sys.stderr, flush=True)

    def doctor(self, end_s: float) -> Iterable[Result]:
        """Yield the answer of `joulemark doctor`."""
        ended = gpu_process.run(["joulemark", "doctor", "--json"], self.scratch, end_s - time.monotonic())
        try:
            yield json.loads(ended.output), None  # its exit status 4 says that energy can only be estimated
        except ValueError:
            yield None, ended.reason

    def product(self, end_s: float) -> Iterable[Result]:
        """Yield the run file of a matrix product in each precision."""
        precisions = dict.fromkeys(each for name in self.usable() for each in FRAMEWORKS[name].precisions)
        selected = precisions if self.kind == "cuda" else CPU_PRECISIONS
        options = [option for each in selected for option in ("--precision", each)]
        return self._run(["--workload", "matmul", "--size", PRODUCT[self.kind], *options], end_s)

    def quick(self, end_s: float) -> Iterable[Result]:
        """Yield the run file of the profile in one round."""
        return self._run([option for each in self.workloads for option in ("--workload", each)], end_s)

    def _run(self, options: list[str], end_s: float) -> Iterable[Result]:
        """Yield the run file of `joulemark run OPTIONS` in one round, also if it was interrupted."""
        if not self.usable():
            yield None, f"no framework can use {self.device}"
            return
        folder = self.scratch / f"runs-{time.monotonic()}"
        options += ["--profile", self.profile, "--device", self.device, "--rounds", "1", "--offline", "--no-report"]
        command = ["joulemark", "run", *options, "--json", "--out", str(folder)]
        ended = gpu_process.run(command, self.scratch, end_s - time.monotonic())
        path = next(folder.glob("*.json"), None)
        yield json.loads(path.read_text(encoding="utf-8")) if path else None, ended.reason

    def meter(self, end_s: float) -> Iterable[Result]:
        """Yield the windows of Meters."""
        command = ["benchmarks.gpu_meter", self.device, *map(str, self.windows_s)]
        ended = gpu_process.run(command, self.scratch, end_s - time.monotonic())
        yield [json.loads(line) for line in ended.output.split("\n")[:-1] if line.startswith("{")], ended.reason

    def every_workload(self, end_s: float) -> Iterable[Result]:
        """Yield a row for each case of every workload."""
        if not self.usable():
            yield [], f"no framework can use {self.device}"
            return
        for rows in sweep(self.usable(), self.device, self.size, self.workloads, self.case_timeout_s, end_s):
            left = sum(row["status"] == "not run" for row in rows)
            yield rows, f"no time was left for {counted(left, 'case')}" if left else None


def arguments() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description="All checks that need a GPU.")
    parser.add_argument("--device", default="cuda:0", help="(default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path("gpu.json"), help="the JSON (default: %(default)s)")
    parser.add_argument("--budget", type=float, default=480.0, help="seconds for all parts (default: %(default)s)")
    parser.add_argument("--part", action="append", choices=LIMITS_S, help="only this one (repeatable)")
    parser.add_argument("--workload", action="append", choices=workloads(), metavar="NAME", help="only this one")
    parser.add_argument("--size", default="tiny", help="of the part `workloads` (default: %(default)s)")
    parser.add_argument(
        "--case-timeout", type=float, default=120.0, help="seconds for a case of that part (default: %(default)s)"
    )
    parser.add_argument("--window", type=float, action="append", metavar="SECONDS", help="only this one of a Meter")
    parser.add_argument("--profile", default="quick", help="of the runs (default: %(default)s)")
    given = parser.parse_args()
    if given.device.partition(":")[0] not in PRODUCT:
        parser.error(f"--device is cpu or cuda:N, found {given.device}")
    return given


def main() -> int:
    """Measure, write the JSON, and print the table."""
    given, begin_s = arguments(), time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with scratch_directory() as scratch:
        end_s = begin_s + given.budget - RESERVE_S
        check = Check(
            device=given.device,
            size=given.size,
            profile=given.profile,
            workloads=given.workload or [],
            case_timeout_s=given.case_timeout,
            windows_s=given.window or list(WINDOWS_S),
            out=given.out,
            scratch=scratch,
            end_s=end_s,
        )
        check.begin(given.budget)
        check.write()
        methods = {name: check.every_workload if name == "workloads" else getattr(check, name) for name in LIMITS_S}
        try:
            for name, method in methods.items():
                if name in (given.part or methods):
                    check.part(name, method)
        finally:
            print("\n".join(table(check.document)))
            print(f"\nWrote {given.out}")
    return int(has_failed(check.document))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        try:
            sys.exit(main())
        except JoulemarkError as problem:
            sys.exit(f"error: {problem}")
    sys.exit(128 + signal.SIGINT)

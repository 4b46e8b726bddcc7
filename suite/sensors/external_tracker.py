"""`--second-opinion`: codecarbon's own tracker beside the whole run, in a process of its own.

    tracker = ExternalTracker.start()
    ...                                                 # measure
    result = tracker.stop(origin_monotonic_s)
    with_comparison(result, traces, gpus)               # our readings over the same interval, and why they differ

Its result is shown next to ours, never in place of ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from joulemark.suite.energy.components import HARDWARE, names_of
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import EnergyReading, Gpu, SecondOpinion, Trace
from joulemark.suite.trial import processes

TOOL = "codecarbon"
TIMEOUT_S = 60.0
PERIOD_S = 1
"""How often it measures, seconds; its default of 15 s would leave out short runs."""


@dataclass
class ExternalTracker:
    """The process that the tracker runs in."""

    process: subprocess.Popen[str]
    answer: dict[str, Any]
    """Its first answer: that the tracker runs, or why not."""

    @classmethod
    def start(cls) -> ExternalTracker:
        """Start the tracker and wait until it runs. If it cannot, `stop` returns the reason."""
        process = processes.start_module("joulemark.suite.sensors.external_tracker", stderr=subprocess.DEVNULL)
        return cls(process, _answer(process))

    def stop(self, origin_monotonic_s: float) -> SecondOpinion:
        """End the tracker and return its result since `start`, with times relative to `origin_monotonic_s`."""
        processes.close_stdin(self.process)
        answer = _answer(self.process) if "ready" in self.answer else self.answer
        processes.stop(self.process, timeout_s=0.0)
        begin_s, end_s = answer.get("begin_s", origin_monotonic_s), answer.get("end_s", origin_monotonic_s)
        return SecondOpinion(
            tool=TOOL,
            version=answer.get("version", ""),
            window_s=(begin_s - origin_monotonic_s, end_s - origin_monotonic_s),
            energy_j=answer.get("energy_j", dict.fromkeys(HARDWARE)),
            methods=answer.get("methods", {}),
            reason=answer.get("reason"),
        )


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    return processes.receive_json(process, TIMEOUT_S) or {"reason": "its process ended before it answered"}


def with_comparison(result: SecondOpinion, traces: Sequence[Trace], gpus: Sequence[Gpu]) -> SecondOpinion:
    """Return `result` with our readings over its interval but for models beside our sensors, and why they differ."""
    if result.reason is not None:
        return result
    ours = tuple(
        energy
        for energy in compute_readings(traces, result.window_s, "cpu", gpus)
        if energy.attributed or energy.kind != "model"
    )
    differences = [text for hardware in HARDWARE if (text := _difference(hardware, result, ours)) is not None]
    return result.model_copy(update={"ours": ours, "differences": tuple(differences)})


def _difference(hardware: str, result: SecondOpinion, ours: Sequence[EnergyReading]) -> str | None:
    """Return why the two values for `hardware` differ; None if there are none."""
    theirs_j = result.energy_j.get(hardware)
    known = [energy for energy in ours if energy.component in names_of(hardware) and energy.energy_j is not None]
    ours_j = sum(energy.energy_j or 0.0 for energy in known) if known else None
    method = result.methods.get(hardware, "")
    if theirs_j is None and ours_j is None:
        return None
    if theirs_j is None:
        return f"{hardware}: {result.tool} has no value; ours comes from {known[0].sensor}."
    if ours_j is None:
        return f"{hardware}: {result.tool} models it ({method}); we have no sensor for it and do not model it."
    ratio = theirs_j / ours_j
    kinds = {energy.kind for energy in known}
    if evidence := known[0].evidence:
        return f"{hardware}: {ratio:.2f} times ours; {result.tool} models it ({method}), ours rests on {evidence}."
    if "model" in kinds:
        return f"{hardware}: {ratio:.2f} times ours; both are models of the same load, read at different times."
    sensor = f"{known[0].sensor} ({', '.join(kinds)})"
    return f"{hardware}: {ratio:.2f} times ours; {result.tool} uses {method}, we use {sensor}."


def main() -> None:
    """Run the tracker until standard input ends, then print its result as one JSON line."""
    processes.die_with_parent(signal.SIGKILL)
    stdout = processes.claim_stdout()
    os.environ["CODECARBON_LOG_LEVEL"] = "CRITICAL"
    if os.path.expanduser("~") == "~":
        os.environ["HOME"] = "/nonexistent"  # codecarbon looks for its settings in the home, and fails without one
    try:
        answer = _track(stdout)
    except Exception as error:  # noqa: BLE001 - a failure of another package is a result, not an error of ours
        answer = {"reason": f"{TOOL} failed: {error!r}"}
    print(json.dumps(answer), file=stdout, flush=True)


def _track(stdout: TextIO) -> dict[str, Any]:
    from codecarbon import OfflineEmissionsTracker

    # Offline: it does not look up its location. The country affects only grams, which are not used. PUE 1: IT energy.
    tracker = OfflineEmissionsTracker(
        country_iso_code="CHE",
        save_to_file=False,
        save_to_api=False,
        save_to_logger=False,
        log_level="critical",
        allow_multiple_runs=True,
        measure_power_secs=PERIOD_S,
        tracking_mode="machine",
        pue=1.0,
    )
    tracker.start()
    begin_s = time.monotonic()
    print(json.dumps({"ready": True}), file=stdout, flush=True)
    processes.wait_for_end_of_input()
    tracker.stop()
    end_s = time.monotonic()
    data = tracker.final_emissions_data
    energy_kwh = {"cpu": data.cpu_energy, "ram": data.ram_energy, "gpu": data.gpu_energy}
    return {
        "version": data.codecarbon_version,
        "begin_s": begin_s,
        "end_s": end_s,
        # codecarbon writes 0 for what it has no value of.
        "energy_j": {hardware: kwh * 3.6e6 if kwh > 0 else None for hardware, kwh in energy_kwh.items()},
        "methods": {type(device).__name__.lower(): device.description() for device in tracker._hardware},
    }


if __name__ == "__main__":
    main()

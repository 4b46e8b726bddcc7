"""`--second-opinion`: codecarbon's own tracker beside the whole run, in a process of its own.

    opinion = Tracker.start()
    ...                                  # measure
    said = opinion.stop(origin_monotonic_s)
    compared(said, traces, gpus)         # with our readings over the same interval, and why they differ

Its figure stands next to ours and never in their place.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joulemark
from joulemark.suite.energy.components import HARDWARE, names_of
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.records import EnergyReading, Gpu, SecondOpinion, Trace

TOOL = "codecarbon"
TIMEOUT_S = 60.0
UNANSWERED = '{"reason": "its process ended before it answered"}'
PERIOD_S = 1
"""How often it measures, seconds; its default of 15 s would leave short runs out."""


@dataclass
class Tracker:
    """The process that its tracker runs in."""

    process: subprocess.Popen[str]
    ready: str
    """The line that it answered with once its tracker ran; empty where it never did."""

    @classmethod
    def start(cls) -> Tracker:
        """Start the tracker and wait until it runs. Where it cannot, `stop` says why."""
        house = str(Path(joulemark.__file__).resolve().parents[1])
        path = os.pathsep.join(filter(None, [house, os.environ.get("PYTHONPATH")]))
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "joulemark.suite.sensors.external_tracker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
        return cls(process, _line(process))

    def stop(self, origin_monotonic_s: float) -> SecondOpinion:
        """End the tracker; what it says of the time since `start`. Times count from `origin_monotonic_s`."""
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        said: dict[str, Any] = json.loads(self.ready or UNANSWERED)
        if "ready" in said:
            said = json.loads(_line(self.process) or UNANSWERED)
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        window_s = said.get("begin_s", origin_monotonic_s), said.get("end_s", origin_monotonic_s)
        return SecondOpinion(
            tool=TOOL,
            version=said.get("version", ""),
            window_s=(window_s[0] - origin_monotonic_s, window_s[1] - origin_monotonic_s),
            energy_j=said.get("energy_j", dict.fromkeys(HARDWARE)),
            methods=said.get("methods", {}),
            reason=said.get("reason"),
        )


def _line(process: subprocess.Popen[str]) -> str:
    """The next line of the process; empty where none comes in time."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], TIMEOUT_S)
    return process.stdout.readline() if ready else ""


def compared(said: SecondOpinion, traces: Sequence[Trace], gpus: Sequence[Gpu]) -> SecondOpinion:
    """`said` with our readings over the same interval, and why the two differ. A model that stands beside our sensors
    is no part of ours."""
    if said.reason is not None:
        return said
    found = compute_readings(traces, said.window_s, "cpu", gpus)
    ours = tuple(energy for energy in found if energy.attributed or energy.kind != "model")
    differences = [text for part in HARDWARE for text in _difference(part, said, ours)]
    return said.model_copy(update={"ours": ours, "differences": tuple(differences)})


def _difference(part: str, said: SecondOpinion, ours: Sequence[EnergyReading]) -> list[str]:
    """Why the figures of one part differ; nothing where neither has one."""
    theirs_j = said.energy_j.get(part)
    known = [energy for energy in ours if energy.component in names_of(part) and energy.energy_j is not None]
    ours_j = sum(energy.energy_j or 0.0 for energy in known) if known else None
    how = said.methods.get(part, "")
    if theirs_j is None and ours_j is None:
        return []
    if theirs_j is None:
        return [f"{part}: {said.tool} has no figure; ours comes from {known[0].sensor}."]
    if ours_j is None:
        return [f"{part}: {said.tool} models it ({how}); nothing measures it here, and we do not model beside sensors."]
    ratio = theirs_j / ours_j
    kinds = {energy.kind for energy in known}
    if "model" in kinds:
        return [f"{part}: {ratio:.2f} times ours; both are models of the same load, read at other moments."]
    return [
        f"{part}: {ratio:.2f} times ours; {said.tool} has it by {how}, we by {known[0].sensor} ({', '.join(kinds)})."
    ]


def main() -> None:
    """Run the tracker until standard input ends, then print what it says as one JSON line."""
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ["CODECARBON_LOG_LEVEL"] = "CRITICAL"
    try:
        said = _tracked(answer)
    except Exception as error:  # noqa: BLE001 - another package's trouble is a reason, not ours to fail of
        said = {"reason": f"{TOOL} failed: {error!r}"}
    print(json.dumps(said), file=answer, flush=True)


def _tracked(answer: Any) -> dict[str, Any]:
    from codecarbon import OfflineEmissionsTracker

    # Offline: it asks no network where it is. The country moves its grams, which are not used. PUE 1: IT energy.
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
    print(json.dumps({"ready": True}), file=answer, flush=True)
    sys.stdin.read()
    tracker.stop()
    end_s = time.monotonic()
    data = tracker.final_emissions_data
    energy_kwh = {"cpu": data.cpu_energy, "ram": data.ram_energy, "gpu": data.gpu_energy}
    return {
        "version": data.codecarbon_version,
        "begin_s": begin_s,
        "end_s": end_s,
        # It writes 0 for what it has no figure of.
        "energy_j": {part: value * 3.6e6 if value > 0 else None for part, value in energy_kwh.items()},
        "methods": {type(part).__name__.lower(): part.description() for part in tracker._hardware},
    }


if __name__ == "__main__":
    main()

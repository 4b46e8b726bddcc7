"""The share of a run's wall time inside measurement windows, once the fork servers are ready.

Goal: at least 45 % in `quick`. Wall time is that of the rounds, without the imports of the fork servers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

from command import COMMAND

from benchmarks.ratios import report

GOALS = {"quick": 0.45}
"""Smallest share of time in windows, by profile."""


def main() -> bool:
    """Run each profile and print its share; return whether all meet their goal."""
    met = True
    for profile, goal in GOALS.items():
        with tempfile.TemporaryDirectory() as out:
            arguments = ["run", "--profile", profile, "--json", "--no-report", "--out", out]
            done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=True)
        trials = [trial for case in json.loads(done.stdout)["cases"] for trial in case["trials"]]
        in_windows_s = sum(trial["window_s"][1] - trial["window_s"][0] for trial in trials)
        wall_s = sum(
            max(trial["ended_s"] for trial in trials if trial["round"] == number)
            - min(trial["started_s"] for trial in trials if trial["round"] == number)
            for number in {trial["round"] for trial in trials}
        )
        share = in_windows_s / wall_s
        met &= report(f"{profile}: time in windows", f"{share:.0%} of {wall_s:.0f} s", f">= {goal:.0%}", share >= goal)
    return met


if __name__ == "__main__":
    sys.exit(0 if main() else 1)

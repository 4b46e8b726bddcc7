"""How much of a run's time is measurement: the share of wall time inside windows, once the fork servers are ready.

Goal: at least 45 % in `quick`. Wall time is that of the rounds less the imports of the fork servers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile

GOALS = {"quick": 0.45}


def main() -> bool:
    """Run the profile and print the share; whether the goal is met."""
    met = True
    for profile, goal in GOALS.items():
        with tempfile.TemporaryDirectory() as out:
            command = [sys.executable, "-P", "-c", "from joulemark.suite.cli.app import main; main()"]
            arguments = ["run", "--profile", profile, "--json", "--no-report", "--out", out]
            done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        trials = [trial for case in json.loads(done.stdout)["cases"] for trial in case["trials"]]
        inside = sum(trial["window_s"][1] - trial["window_s"][0] for trial in trials)
        rounds = {trial["round"] for trial in trials}
        wall = sum(
            max(trial["ended_s"] for trial in trials if trial["round"] == number)
            - min(trial["started_s"] for trial in trials if trial["round"] == number)
            for number in rounds
        )
        share = inside / wall
        met &= share >= goal
        verdict = "met " if share >= goal else "MISS"
        print(f"{verdict}  {profile}: {share:.0%} of {wall:.0f} s in windows   goal: >= {goal:.0%}")
    return met


if __name__ == "__main__":
    sys.exit(0 if main() else 1)

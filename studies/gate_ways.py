"""Ways to measure one log ratio of step times, on the pool of real trials by `gate_pool.py`.

`python -m studies.gate_ways DIRECTORY` packs the sessions of DIRECTORY into docs/results/gate-methods-pool.json.gz.
"""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from studies.gate_sessions import RESULTS

POOL = RESULTS / "gate-methods-pool.json.gz"
WINDOWS = (0.1, 0.2, 0.5)
SERVER_S = 2.5
"""Start of both fork servers, seconds, spread over SERVER_ROUNDS rounds."""
SERVER_ROUNDS = 5
Round = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Method:
    """A way to measure one log ratio of step times."""

    how: str
    window_s: float | None = None
    """Length of a trial's window that is used, seconds; None for pairs of processes."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        return self.how if self.window_s is None else f"{self.how}, {self.window_s:g} s"

    def log_ratios(self, one_round: Round, arm: str) -> list[float]:
        """Return all log ratios of `arm` to the base in a round that share no trial."""
        if self.window_s is None:
            pairs = [each for each in one_round if each["how"] == self.how and each["arm"] == arm]
            return [float(np.mean([math.log(b / a) for a, b in each["turns_s"]])) for each in pairs]
        base, more = (self._logs(one_round, name) for name in ("base", arm))
        if arm == "base":
            return [b - a for a, b in zip(base[::2], base[1::2], strict=True)]
        return [b - a for a, b in zip(base, more, strict=False)]

    def cost_s(self, rounds: Sequence[Round]) -> float:
        """Return the mean time that one ratio takes, seconds, with its share of the fork servers' start."""
        took = [each["took_s"] for one_round in rounds for each in one_round if each["how"] == self.how]
        if self.window_s is None:
            return float(np.mean(took)) + SERVER_S / SERVER_ROUNDS
        trials = [each for one_round in rounds for each in one_round if each["how"] == self.how]
        left_out = [sum(each["block_s"][self._blocks(each) :]) for each in trials]
        return 2 * float(np.mean(took) - np.mean(left_out)) + SERVER_S / SERVER_ROUNDS

    def _logs(self, one_round: Round, arm: str) -> list[float]:
        trials = [each for each in one_round if each["how"] == self.how and each["arm"] == arm]
        return [math.log(float(np.mean(each["block_s"][: self._blocks(each)]))) for each in trials]

    def _blocks(self, trial: Mapping[str, Any]) -> int:
        assert self.window_s is not None
        ends = np.cumsum(trial["block_s"])  # a step of this case lasts longer than a block must
        return min(len(ends), int(np.searchsorted(ends, self.window_s)) + 1)


METHODS = (
    *(Method(how, window_s) for how in ("threads", "pinned", "unpinned") for window_s in WINDOWS),
    Method("alternate"),
    Method("duet"),
)


def pack(directory: Path) -> None:
    """Pack the sessions of `directory`."""
    sessions = [json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))]
    POOL.write_bytes(gzip.compress(json.dumps({"sessions": sessions}).encode(), mtime=0))


def load() -> list[list[Round]]:
    """Return the packed sessions: rounds of results."""
    return [session["rounds"] for session in json.loads(gzip.decompress(POOL.read_bytes()))["sessions"]]


if __name__ == "__main__":
    pack(Path(sys.argv[1]))

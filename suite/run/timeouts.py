"""How long a trial may take: longer for the first trials on a GPU."""

from __future__ import annotations

from joulemark.suite.records import ArmName, Case

FIRST_USE_FACTOR = 5
"""A GPU's first trial may take so many times the timeout: a framework without kernels for its architecture compiles
all of them at first use, and the driver caches them."""

FIRST_CALL = "first_call"
"""The stage of a trial (`suite.trial.worker`) in which a framework first computes."""


class Timeouts:
    """Extends the timeout of trials by arm, framework and GPU until one of them has reached its first call.

    A trial that was refused before, such as one in a precision that the GPU lacks, has compiled nothing.
    """

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: the limit of all other trials, seconds."""
        self.timeout_s = timeout_s
        self._used: set[tuple[ArmName | None, str, str]] = set()

    def for_trial(self, case: Case) -> float:
        """Return how long the next trial of `case` may take, seconds."""
        first_use = case.device != "cpu" and _key(case) not in self._used
        return self.timeout_s * (FIRST_USE_FACTOR if first_use else 1)

    def on_stage(self, case: Case, stage: str) -> None:
        """Note that a stage of a trial of `case` starts."""
        if stage == FIRST_CALL:
            self._used.add(_key(case))


def _key(case: Case) -> tuple[ArmName | None, str, str]:
    return case.arm, case.framework, case.device

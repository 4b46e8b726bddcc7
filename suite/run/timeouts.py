"""How long a trial may take, by what its board has done before in this run."""

from __future__ import annotations

from joulemark.suite.records import ArmName, Case

FIRST_USE = 5
"""So many times a trial's time a board's first trial may take: a framework without kernels for its chip compiles
them all at first use, and the driver keeps them."""

FIRST_CALL = "first_call"
"""The part of a trial (`suite.trial.worker`) in which a framework computes for the first time."""


class Timeouts:
    """Grants a first use's time to the trials of an arm, framework and board until one has come as far as to compute.

    A trial that was refused before, such as one in a precision that the board lacks, has used nothing.
    """

    def __init__(self, timeout_s: float) -> None:
        """`timeout_s`: the time of any other trial, seconds."""
        self.timeout_s = timeout_s
        self._used: set[tuple[ArmName | None, str, str]] = set()

    def seconds(self, case: Case) -> float:
        """How long the next trial of `case` may take."""
        first = case.device != "cpu" and _user(case) not in self._used
        return self.timeout_s * (FIRST_USE if first else 1)

    def on_stage(self, case: Case, part: str) -> None:
        """A `part` of a trial of `case` begins."""
        if part == FIRST_CALL:
            self._used.add(_user(case))


def _user(case: Case) -> tuple[ArmName | None, str, str]:
    return case.arm, case.framework, case.device

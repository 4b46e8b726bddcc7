"""The sweep's end of the process that sets and restores limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

from joulemark.suite.errors import MeasurementError
from joulemark.suite.limits.base import LimitError, Target, open_limits
from joulemark.suite.trial import processes

MODULE: Final = "joulemark.suite.limits.guard_process"
WAIT_S: Final = 30.0
"""How long an answer may take, seconds: a call of NVML takes milliseconds, and opening it without persistence mode a
few seconds."""


class LimitGuard:
    """Limits of one target. A context manager: at its end they are restored."""

    def __init__(self, target: Target) -> None:
        """Start the process, which checks that it may set limits. Raises MeasurementError where it may not."""
        self._target = target
        self._process = processes.start_module(MODULE)
        processes.send_json(self._process, target.document())
        answer = self._receive()
        if "originals" not in answer:
            processes.stop(self._process, timeout_s=WAIT_S)
            raise MeasurementError(f"limits cannot be set: {answer.get('error', 'the process that sets them ended')}.")
        self._originals: Mapping[str, Any] = answer["originals"]

    def _receive(self) -> dict[str, Any]:
        """Return the next answer; an empty one if the process has ended or does not answer."""
        return processes.receive_json(self._process, WAIT_S) or {}

    def apply(self, power_limit_w: int | None, clock_mhz: int | None) -> Mapping[str, float]:
        """Set limits, None for the original ones; return what the device shows. LimitError where that failed.

        Raises MeasurementError where the process has ended; the limits are restored then.
        """
        processes.send_json(self._process, {"power_limit_w": power_limit_w, "clock_mhz": clock_mhz})
        answer = self._receive()
        if "error" in answer:
            raise LimitError(answer["error"])
        if "shown" not in answer:
            self._restore_here()
            raise MeasurementError("the process that restores limits was ended: they are restored, the sweep stops.")
        shown: Mapping[str, float] = answer["shown"]
        return shown

    def close(self) -> None:
        """Restore the limits. Raises MeasurementError, with the command to do so by hand, if that failed."""
        processes.close_stdin(self._process)
        assert self._process.stdout is not None
        # To its end: an interrupted request may have left an answer unread.
        answers = processes.read_until(self._process.stdout.fileno(), WAIT_S).splitlines()
        processes.stop(self._process, timeout_s=WAIT_S)
        if not any(json.loads(answer).get("restored") for answer in answers):
            self._restore_here()

    def _restore_here(self) -> None:
        try:
            limits = open_limits(self._target, self._originals)
            limits.restore()
            limits.close()
        except LimitError as error:
            raise MeasurementError(f"{error}.") from None

    def __enter__(self) -> LimitGuard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

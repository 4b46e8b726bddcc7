"""How a trial ended: its result, or a reason code and a reason in one line."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joulemark.suite.system.text import one_line
from joulemark.suite.trial import gpu_busy, work_counts
from joulemark.suite.trial.frameworks.adapter import UnsupportedError

KEPT_OUTPUT = 1 << 16
"""Bytes of a trial's printed output that are kept, from its end."""
MAX_REASON = 300
"""Characters of the reason of a trial that raised."""
TIMEOUT = "timeout"
"""Reason code of a trial that did not end in time."""
TRAINING_STATE = "training_state"
"""The stage that computes the norms of a training at its last and its first weights."""
TURNS = "turns"
"""The stage in which a trial whose result is complete waits for its turns; a failure in it costs only these."""
COMPLETING: Mapping[str, str] = {
    **dict.fromkeys(gpu_busy.STAGES, "gpu_busy"),
    TRAINING_STATE: "training",
    work_counts.STAGE: "work",
}
"""The stages after a trial's result, and the field that each completes: a failure in one costs only its values."""


@dataclass(frozen=True)
class Outcome:
    """How a trial ended."""

    trial: dict[str, Any] | None
    """The fields of `records.Trial` that `worker.run` reported; None if the trial failed."""
    reason_code: str | None
    reason: str | None
    output: str
    """The end of what the trial printed."""


class NotFiniteError(Exception):
    """An output holds NaN or infinity."""


class RankFailedError(Exception):
    """A rank of the trial has ended without a result."""

    REPORTED: Final = 70
    """Exit status of a rank that has reported why, or that failed because another one did."""

    def __init__(self, rank: int, exit_code: int) -> None:
        """`exit_code`: of its process; -signal where one ended it."""
        super().__init__(f"rank {rank}: the process crashed ({describe_exit(exit_status(exit_code))})")
        self.exit_code = exit_code


class TrialLog:
    """What one trial has reported and printed so far."""

    def __init__(self, on_stage: Callable[[str], None]) -> None:
        """`on_stage` is called with the name of each stage that begins."""
        self._on_stage = on_stage
        self.stage = "start"
        """The last stage that began."""
        self.turns_s: list[float] = []
        """Step time in each of its turns, seconds."""
        self._trial: dict[str, Any] | None = None
        self._completed: dict[str, dict[str, Any]] = {}
        self._error: dict[str, str] | None = None
        self._incomplete_line = b""
        self._output = b""

    def add_output(self, data: bytes) -> None:
        """Append printed output and keep its end."""
        self._output = (self._output + data)[-KEPT_OUTPUT:]

    def add_report(self, data: bytes) -> None:
        """Append reports: lines of JSON, cut anywhere."""
        *lines, self._incomplete_line = (self._incomplete_line + data).split(b"\n")
        for line in lines:
            fields = json.loads(line)
            self._trial = fields.get("trial", self._trial)
            self._completed |= {name: fields[name] for name in COMPLETING.values() if name in fields}
            self._error = fields.get("error", self._error)
            if "turn_s" in fields:
                self.turns_s.append(fields["turn_s"])
            if "stage" in fields:
                self.stage = fields["stage"]
                self._on_stage(self.stage)

    def so_far(self) -> Outcome:
        """Return the outcome of a trial that still runs and whose result is complete."""
        return Outcome(self._trial, None, None, self._output.decode(errors="replace"))

    def outcome(self, exit_status: Mapping[str, int], timed_out: bool, timeout_s: float) -> Outcome:
        """Return the outcome of a trial whose process ended with `exit_status`, its `exit` code and `signal`."""
        text = self._output.decode(errors="replace")
        code, reason = self.failure(exit_status, timed_out, timeout_s)
        if self._trial is None:
            return Outcome(None, code, reason, text)
        trial = {**self._trial, **self._completed}
        field = COMPLETING.get(self.stage)
        if field is not None and (self._error is not None or timed_out or any(exit_status.values())):
            trial[field] = {**(trial.get(field) or {}), "reason": reason}
        return Outcome(trial, None, None, text)

    def failure(self, exit_status: Mapping[str, int], timed_out: bool, timeout_s: float) -> tuple[str, str]:
        """Return the reason code and the reason of a trial that did not finish its last stage."""
        where = f"in {self.stage}"
        if self._error is not None:
            return self._error["code"], f"{self._error['reason']} ({where})"
        if timed_out:
            return TIMEOUT, f"not finished within {timeout_s:g} s ({where})"
        how = describe_exit(exit_status)
        if exit_status["signal"] == signal.SIGKILL:
            return "killed", f"killed, possibly by the kernel for lack of memory ({how}, {where})"
        return "crashed", f"the process crashed ({how}, {where})"


def exit_status(code: int) -> dict[str, int]:
    """Return the `exit` code and the `signal` of a process by its return code, which is -signal if one ended it."""
    return {"exit": max(code, 0), "signal": max(-code, 0)}


def describe_exit(exit_status: Mapping[str, int]) -> str:
    """Return how a process ended, in words: its exit status, or the signal that ended it."""
    number = exit_status["signal"]
    if not number:
        return f"exit status {exit_status['exit']}"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"{signal.strsignal(number) or name}, {name}"


_MEMORY_WORDS = re.compile(
    r"out ?of ?memory|\bOOM\b|can't allocate|cannot allocate|resource ?exhausted|failed to allocate|ALLOC_FAILED",
    re.IGNORECASE,
)
"""The frameworks' own wordings; `OutOfMemoryError` and `ResourceExhaustedError` are class names."""


def classify(error: BaseException) -> tuple[str, str]:
    """Return the reason code and the reason, one line, of an exception that a trial raised."""
    text = one_line(str(error)) or type(error).__name__
    if isinstance(error, UnsupportedError):
        return "unsupported", text
    if isinstance(error, NotFiniteError):
        return "not_finite", text
    if isinstance(error, RankFailedError):
        return "killed" if error.exit_code == -signal.SIGKILL else "crashed", text
    class_names = " ".join(cls.__name__ for cls in type(error).__mro__)
    if isinstance(error, MemoryError) or _MEMORY_WORDS.search(f"{class_names} {text}"):
        return "out_of_memory", _shorten(f"out of memory: {text}")
    if isinstance(error, ModuleNotFoundError):
        return "not_installed", _shorten(text)
    return "raised", _shorten(f"{type(error).__name__}: {text}")


def _shorten(text: str) -> str:
    return text if len(text) <= MAX_REASON else text[: MAX_REASON - 1] + "…"

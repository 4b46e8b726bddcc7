"""A response of a language model as a trial runs it: its prompts are read, and its tokens are decoded one by one.

Each new token is copied to the host before the next one is begun, as by a server that streams it and looks for the end
of the sequence. The copy waits for the device. It belongs to prefill and to decoding alike, whether they are run in a
response or repeated alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from joulemark.suite.trial import timing
from joulemark.suite.trial.frameworks.adapter import Step
from joulemark.suite.trial.request import Effort

if TYPE_CHECKING:
    from joulemark.suite.trial.frameworks.prepared import Prepared


class WholeResponse:
    """The step of phase `response`: responses to a batch of prompts, all of the same length."""

    def __init__(
        self, prefill: Step, decode: Step, fetch: Callable[[Any], object], prompt: int, new_tokens: int
    ) -> None:
        """Make the step of two functions of `workloads.spec.Program`, as their mode executes them.

        Args:
            prefill: Reads prompts and returns the first new tokens as `next`.
            decode: Returns the next ones; after `new_tokens` - 1 calls it starts again after the prompts.
            fetch: Copies a tensor to the host.
            prompt: Tokens of each prompt.
            new_tokens: Tokens of each response.
        """
        self._prefill, self._decode, self._fetch = prefill, decode, fetch
        self.prompt, self.decoded = prompt, new_tokens - 1
        self._times: list[tuple[float, float, bool]] = []

    def __call__(self, **inputs: Any) -> Mapping[str, Any]:
        """Return the outputs of the last token, and note when each token was on the host."""
        before = timing.CLOCK()
        outputs = self.prefill(**inputs)
        now = timing.CLOCK()
        self._times.append((now, now - before, True))
        for _ in range(self.decoded):
            before = now
            outputs = self.decode()
            now = timing.CLOCK()
            self._times.append((now, now - before, False))
        return outputs

    def prefill(self, **inputs: Any) -> Mapping[str, Any]:
        """Read prompts, and fetch their first new tokens."""
        outputs = self._prefill(**inputs)
        self._fetch(outputs["next"])
        return outputs

    def decode(self) -> Mapping[str, Any]:
        """Decode one more token of each sequence, and fetch it."""
        outputs = self._decode()
        self._fetch(outputs["next"])
        return outputs

    def token_times(self, start: float, end: float) -> dict[str, Any]:
        """Return the fields of `records.TokenTimes`, of the tokens from `start` to `end`, CLOCK readings, seconds."""
        inside = [(duration, first) for at, duration, first in self._times if start < at <= end]
        return {
            "ttft": timing.percentiles([duration for duration, first in inside if first]),
            "tpot": timing.percentiles([duration for duration, first in inside if not first]),
        }


def measure_parts(case: Prepared, whole: WholeResponse, effort: Effort) -> dict[str, Any]:
    """Repeat prefill, then decoding, each in a window of its own; return the fields of `records.Part` by name.

    A block of decoding has the tokens of whole responses: each of their cache lengths counts alike.
    """
    batch = case.items_per_step // (whole.decoded + 1)
    parts = {"prefill": _measure(case, case.stepper(whole.prefill), effort, 1, batch * whole.prompt)}
    if whole.decoded:
        parts["decode"] = _measure(case, whole.decode, effort, whole.decoded, batch)
    return parts


def _measure(
    case: Prepared, step: Callable[[], object], effort: Effort, multiple: int, items_per_step: int
) -> dict[str, Any]:
    """Time blocks of `step`, each of a multiple of so many steps, until the window is full."""
    synchronize = case.adapter.synchronize
    durations = timing.warm_up(step, synchronize, effort)
    count = multiple * math.ceil(timing.steps_per_block(durations, synchronize) / multiple)
    window = timing.measure(step, synchronize, count, effort)
    return {
        "window_s": (window.start, window.end),
        "steps": window.steps,
        "items": window.steps * items_per_step,
    }

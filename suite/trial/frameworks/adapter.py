"""How a trial drives a framework. An adapter is imported only in a process of its framework."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from joulemark.suite.trial.frameworks import FRAMEWORKS
from joulemark.suite.trial.gpu_busy import Interval
from joulemark.suite.trial.work_counts import Counts

AMPERE = (8, 0)
"""Compute capability of the first NVIDIA GPUs that have bf16 and tf32."""
Step = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Execution:
    """How a case is executed."""

    mode: str
    device: str
    precision: str
    threads: int
    """Threads of each rank."""
    ranks: int = 1
    """Devices that the process drives, from `device` on."""
    batch_size: int = 0
    """Batch size of all these devices together; 0 where there is one."""


class Adapter(Protocol):
    """One framework in one trial. Made once, before anything is computed."""

    def __init__(self, execution: Execution) -> None:
        """Set threads, precision flags and memory policy through the framework's own interface.

        Raises UnsupportedError if the hardware or the framework cannot run the case.
        """

    def kit(self, seed: int, training: bool, learning_rate_factor: float = 1.0) -> Any:
        """Return the kit that a program is built with, for this execution.

        `seed` initialises the weights; `training`: whether the program trains; `learning_rate_factor`: what learning
        rates are multiplied by.
        """

    def compile(self, step: Step) -> Step:
        """Return the step as the mode executes it."""

    def synchronize(self) -> None:
        """Wait until all work submitted to the device is done."""

    def finish_background_compilation(self) -> None:
        """After the first call: end whatever the framework still does in the background, such as compiling."""

    def reset_peak(self) -> None:
        """Reset the peak of the device allocator: first calls try out kernels and compile, which takes memory too."""

    def peak_device_bytes(self) -> int | None:
        """Return the peak of the device allocator since `reset_peak`, bytes; None on the CPU."""

    def device_intervals(self, run: Callable[[], None]) -> list[Interval]:
        """Call `run` under the framework's profiler and return when the GPU was busy, one interval a kernel or copy.

        Seconds, from any origin. Only on a GPU.
        """

    def compiled(self) -> Mapping[str, float]:
        """Return what was traced or compiled so far, the number of `graphs` at least; empty if nothing ever is.

        By the keys of `records.COUNTS`. It takes microseconds: it is called between the first steps.
        """

    def count_work(self, step: Step, inputs: Mapping[str, Any]) -> Iterator[Counts]:
        """Call a step, as `compile` has returned it, a few times more and yield what one call on `inputs` does.

        Each yield adds to the earlier ones, the surest first: an error then costs what follows it.
        """

    def read_back(self) -> dict[str, str]:
        """Return the settings as the framework reports them."""


class UnsupportedError(Exception):
    """The hardware or the framework cannot run this case; the text says why."""


def check_capability(precision: str, capability: tuple[int, ...]) -> None:
    """Raise UnsupportedError if an NVIDIA GPU of this compute capability lacks the precision."""
    if precision in ("tf32", "bf16") and capability < AMPERE:
        found = ".".join(map(str, capability))
        raise UnsupportedError(f"{precision} needs an Ampere GPU or newer; this one has compute capability {found}")


def load(framework: str) -> type[Adapter]:
    """Return the adapter class of `framework`. Imports the framework."""
    return cast(type[Adapter], importlib.import_module(FRAMEWORKS[framework].adapter).Adapter)

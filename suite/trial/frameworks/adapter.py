"""How a trial drives each framework. An adapter is imported only in a process of its framework."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from joulemark.suite.trial.frameworks import FRAMEWORKS

Step = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True)
class Execution:
    """How a case is to be executed."""

    mode: str
    device: str
    precision: str
    threads: int


class Adapter(Protocol):
    """One framework in one trial. Made once, before anything is computed."""

    def __init__(self, execution: Execution) -> None:
        """Set threads, precision flags and memory policy through the framework's own interface.

        Raises `UnsupportedError` where hardware or framework cannot do what is asked.
        """

    def kit(self, seed: int) -> Any:
        """What workloads are built with, for this execution; `seed` draws the weights."""

    def compile(self, step: Step) -> Step:
        """The step as the mode executes it."""

    def synchronize(self) -> None:
        """Return when all work given to the device is done."""

    def finish_background_compilation(self) -> None:
        """After the first call: end what the framework still does beside the step, such as compiling ahead."""

    def reset_peak(self) -> None:
        """Begin to watch the device allocator anew: first calls try out kernels and compile, in memory of their own."""

    def peak_device_bytes(self) -> int | None:
        """Peak of the device allocator since `reset_peak`, bytes; None on the CPU."""

    def traces(self) -> int | None:
        """How often something was traced or compiled so far; None where nothing is."""

    def read_back(self) -> dict[str, str]:
        """The settings as the framework reports them."""


class UnsupportedError(Exception):
    """Hardware or framework cannot run this case; the text says why."""


def load(framework: str) -> type[Adapter]:
    """The adapter class of `framework`; imports the framework."""
    return cast(type[Adapter], importlib.import_module(FRAMEWORKS[framework].adapter).Adapter)

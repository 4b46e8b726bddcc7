"""What can be limited: the power and the clock of one NVIDIA GPU, or the power of a processor's packages."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from joulemark.suite.records import Gpu

Key = Literal["power-limit", "clock"]
KEYS: Final[tuple[Key, ...]] = ("power-limit", "clock")
TOLERANCE_W: Final = 1.0
"""Limits are rounded to the device's own unit: 1/8 W on Intel's processors (SDM vol. 3B, 15.10.1), less on GPUs."""
Range = tuple[int, int]


class LimitError(Exception):
    """A limit cannot be read or set; the message says why."""


class LimitRefusedError(LimitError):
    """Setting a limit is not permitted."""


@dataclass(frozen=True)
class Target:
    """What is limited, as plain data that another process can be given."""

    kind: Literal["nvidia", "rapl"]
    place: str
    """UUID of the GPU, or the root of the powercap tree."""
    keys: tuple[Key, ...]
    """What will be set, and must be restored."""

    def document(self) -> dict[str, Any]:
        """Return the target as JSON."""
        return asdict(self)

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Target:
        """Return the target of a document."""
        return cls(document["kind"], document["place"], tuple(document["keys"]))


def target_of(device: str, keys: Sequence[Key], gpus: Sequence[Gpu], powercap_root: str) -> Target:
    """Return what is limited for cases on `device`. LimitError where nothing can be."""
    if device == "cpu":
        if "clock" in keys:
            raise LimitError("clock is for GPUs: give --device cuda:0, or sweep power-limit")
        return Target("rapl", powercap_root, tuple(keys))
    gpu = next((gpu for gpu in gpus if gpu.device == device), None)
    if gpu is None:
        raise LimitError(f"no sensor library shows a GPU {device}")
    if gpu.vendor != "NVIDIA":
        raise LimitError(f"{device} is {gpu.vendor}'s: limits are set on NVIDIA's GPUs and through RAPL only")
    return Target("nvidia", gpu.uuid, tuple(keys))


class DeviceLimits(ABC):
    """The limits of one target, as they were when it was opened, and what they can be set to."""

    present_w: int | None = None
    """The power limit then, rounded to watts; None where `target` limits clocks alone."""
    power_range_w: Range | None = None
    """None, as `present_w`, where `target` limits clocks alone."""
    clock_range_mhz: Range | None = None
    """None where clocks cannot be locked."""
    originals: Mapping[str, Any]
    """What `restore` writes: plain data, from which another process can open the same limits."""

    @abstractmethod
    def check(self) -> None:
        """Raise LimitRefusedError where setting is not permitted, without changing anything."""

    @abstractmethod
    def set(self, power_limit_w: int | None, clock_mhz: int | None) -> dict[str, float]:
        """Set limits and return what the device then shows. LimitError if it differs.

        None, and `present_w`, stand for the original ones.
        """

    @abstractmethod
    def restore(self) -> None:
        """Set everything as it was, as far as possible. LimitError, with the commands for what failed, if some did."""

    @abstractmethod
    def close(self) -> None:
        """Release what was opened."""


def open_limits(target: Target, originals: Mapping[str, Any] | None = None) -> DeviceLimits:
    """Open the limits of `target`; with `originals`, those are what `restore` sets. LimitError if it cannot be."""
    if target.kind == "nvidia":
        from joulemark.suite.limits.nvidia import NvidiaLimits

        return NvidiaLimits(target, originals)
    from joulemark.suite.limits.rapl import RaplLimits

    return RaplLimits(target, originals)

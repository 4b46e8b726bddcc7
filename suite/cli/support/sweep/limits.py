"""What a sweep of power limits or clocks needs to know before it starts: of which device, in which range, and whether
it may."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from joulemark.suite.errors import UsageError
from joulemark.suite.limits.base import (
    KEYS,
    DeviceLimits,
    Key,
    LimitError,
    LimitRefusedError,
    Target,
    open_limits,
    target_of,
)
from joulemark.suite.plan.sweep import check_options
from joulemark.suite.records import Gpu, Settings
from joulemark.suite.run import lock
from joulemark.suite.sensors.base import POWERCAP_ROOT


@dataclass(frozen=True)
class SweptLimits:
    """The limits that a sweep sets."""

    target: Target | None = None
    """None for a sweep that sets none."""
    present_w: int | None = None
    """The power limit in force, watts: the default of a sweep of power limits."""


def limited_device(settings: Settings, gpus: Sequence[Gpu], measures: bool) -> tuple[Settings, SweptLimits]:
    """Return the settings with the device whose limits are swept, and these limits; both as given without any.

    Without `--device`, that is the first GPU or, where there is none, the processor. UsageError for a value out of its
    range and, if the verb `measures`, where setting is not permitted.
    """
    check_options(settings)
    keys: tuple[Key, ...] = tuple(key for key in KEYS if key in settings.over)
    if not keys:
        return settings, SweptLimits()
    device = _device(settings, keys, gpus)
    root = os.environ.get("JOULEMARK_POWERCAP_ROOT") or POWERCAP_ROOT
    # Another sweep may be at work: its limits are not the ones to restore.
    with lock.hold() if measures else contextlib.nullcontext():
        try:
            target = target_of(device, keys, gpus, root)
            with contextlib.closing(open_limits(target)) as limits:
                _check_ranges(settings, limits, device)
                if measures:
                    limits.check()
        except LimitRefusedError as error:
            raise UsageError(f"--over {keys[0]} needs root ({error}): {_remedy()}") from None
        except LimitError as error:
            raise UsageError(f"--over {keys[0]}: {error}.") from None
    return settings.model_copy(update={"device": (device,)}), SweptLimits(target, limits.present_w)


def _device(settings: Settings, keys: Sequence[Key], gpus: Sequence[Gpu]) -> str:
    if len(settings.device) > 1:
        raise UsageError(f"--over {keys[0]} is of one device: give one --device, found {', '.join(settings.device)}.")
    if settings.device:
        return settings.device[0]
    return "cuda:0" if any(gpu.device == "cuda:0" for gpu in gpus) else "cpu"


def _check_ranges(settings: Settings, limits: DeviceLimits, device: str) -> None:
    """Raise UsageError for a value that the device does not take."""
    for key, unit, allowed in (("power-limit", "W", limits.power_range_w), ("clock", "MHz", limits.clock_range_mhz)):
        values = [int(value) for name, swept in settings.over.items() if name == key for value in swept]
        if values and allowed is None:
            raise UsageError(f"--over {key}: {device} does not say which values it takes, so that none can be set.")
        if allowed is not None and (outside := [value for value in values if not allowed[0] <= value <= allowed[1]]):
            raise UsageError(
                f"--over {key}: {device} takes {allowed[0]:,} to {allowed[1]:,} {unit}, found {outside[0]:,} {unit}."
            )


def _remedy() -> str:
    """Return what to do where limits may not be set."""
    if os.geteuid() == 0:
        return "root may not either here. In a container, start it with --privileged, or run the sweep outside of it."
    command = shlex.join([sys.executable, "-m", "joulemark", *sys.argv[1:]])
    return f"sudo -E {command}"

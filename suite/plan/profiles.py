"""Profiles: a selection and an effort, as data. Users define their own in the settings file:

[profiles.night]
base = "standard"
size = { cpu = "small", cuda = "base" }
rounds = 20
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, get_args

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import DeviceKind, ProfileSettings, Settings
from joulemark.workloads.registry import workloads

DEVICE_KINDS: tuple[DeviceKind, ...] = get_args(DeviceKind)


@dataclass(frozen=True)
class Profile:
    """A selection and an effort. A mapping holds a value for each kind of device, `cpu` and `cuda`."""

    name: str
    title: str
    workloads: Mapping[DeviceKind, tuple[str, ...]]
    """Empty: all workloads."""
    optimised: bool
    """Whether compiled modes are measured too, beside the default ones."""
    rounds: int
    window_s: Mapping[DeviceKind, float]
    """Length of a trial's window, seconds."""
    idle_s: float
    timeout_s: float
    """Time limit of one trial, seconds."""
    # Small cases do not fill a GPU: they would measure how fast the CPU starts kernels.
    size: Mapping[DeviceKind, str] = field(default_factory=lambda: {"cpu": "small", "cuda": "base"})
    precisions: Mapping[DeviceKind, tuple[str, ...]] = field(
        default_factory=lambda: {"cpu": ("fp32",), "cuda": ("fp32", "bf16")}
    )
    limit_s: float | None = None
    """The run has fewer rounds if all of them are expected to take longer than this, seconds; None: no limit."""
    out_of_the_box: bool = False
    """Whether one case of each framework is also measured with the default allocator, as users' programs run."""


def _on_all(*names: str) -> dict[DeviceKind, tuple[str, ...]]:
    """Return the workloads called `names` for every kind of device."""
    return dict.fromkeys(DEVICE_KINDS, names)


_ONE_OF_EACH_FAMILY = (
    "matmul",
    "attention",
    "resnet50",
    "transfer.features",
    "input_pipeline",
    "transformer",
    "ddpm",
    "simclr",
    "tsne",
)
"""With all of `quick`: longer runs contain its cases."""

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile(
            name="quick",
            title="a first answer: in 3 minutes on a CPU, in at most 8 on a GPU",
            # On a GPU a trial starts and ends in load that outlasts its sensor's lag; the probes measure its products.
            workloads={"cpu": ("matmul", "resnet50", "transformer", "ddpm"), "cuda": ("resnet50", "transformer")},
            optimised=False,
            rounds=3,
            window_s={"cpu": 1.5, "cuda": 3.0},
            idle_s=5.0,
            timeout_s=60.0,
            limit_s=480.0,
        ),
        Profile(
            name="standard",
            title="one workload of each family, default and compiled modes",
            workloads=_on_all(*_ONE_OF_EACH_FAMILY),
            optimised=True,
            rounds=5,
            window_s={"cpu": 5.0, "cuda": 10.0},
            idle_s=10.0,
            timeout_s=300.0,
            out_of_the_box=True,
        ),
        Profile(
            name="full",
            title="every workload, default and compiled modes",
            workloads=_on_all(),
            optimised=True,
            rounds=10,
            window_s={"cpu": 5.0, "cuda": 10.0},
            idle_s=10.0,
            timeout_s=600.0,
            out_of_the_box=True,
        ),
        Profile(
            name="ci",
            title="a few cases with the rounds that a gate needs",
            workloads=_on_all("matmul", "cnn"),
            optimised=False,
            rounds=10,
            window_s={"cpu": 2.0, "cuda": 5.0},
            idle_s=5.0,
            timeout_s=60.0,
        ),
    )
}


def find_profile(settings: Settings) -> Profile:
    """Return the selected profile: a built-in one, or the user's own, which is based on a built-in one.

    Raises UsageError for an unknown profile, and for a profile of the user without a built-in base.
    """
    for name, profile in settings.profiles.items():
        if profile.base not in PROFILES:
            raise unknown(f"base of profiles.{name}, which must be a built-in profile,", profile.base, PROFILES)
        if name in PROFILES and name != profile.base:
            raise UsageError(
                f"profiles.{name} is based on {profile.base!r}, but {name!r} is a built-in name: choose another."
            )
    user_profile = settings.profiles.get(settings.profile)
    if user_profile is None:
        if settings.profile not in PROFILES:
            raise unknown("profile", settings.profile, {*PROFILES, *settings.profiles})
        return PROFILES[settings.profile]
    return _with_changes(settings.profile, PROFILES[user_profile.base], user_profile)


def _with_changes(name: str, base: Profile, user_profile: ProfileSettings) -> Profile:
    """Return the user's profile `name`: `base` with what differs from it. It has no limit of its duration."""
    changes: dict[str, Any] = user_profile.model_dump(exclude={"base"}, exclude_none=True)
    for axis in ("workloads", "size", "precisions", "window_s"):
        if axis in changes:
            value = changes[axis]
            by_kind = value if isinstance(value, dict) else dict.fromkeys(DEVICE_KINDS, value)
            changes[axis] = {**getattr(base, axis), **by_kind}
    for workload in {each for names in changes.get("workloads", {}).values() for each in names}:
        if workload not in workloads():
            raise unknown(f"workload in profile {name}", workload, workloads())
    return replace(base, **{**changes, "name": name, "limit_s": None})

"""Profiles: a selection and an effort, as data. Users define their own in the settings file:

[profiles.night]
base = "standard"
rounds = 20
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.records import Settings
from joulemark.workloads.registry import workloads


@dataclass(frozen=True)
class Profile:
    """A selection and an effort."""

    name: str
    title: str
    workloads: tuple[str, ...]
    """Empty: all workloads."""
    optimised: bool
    """Whether compiled modes are measured too, beside the default ones."""
    rounds: int
    window_s: Mapping[str, float]
    """Length of a trial's window by kind of device, seconds."""
    idle_s: float
    timeout_s: float
    """Time limit of one trial, seconds."""
    size: str = "small"
    out_of_the_box: bool = False
    """Whether one case of each framework is also measured with the default allocator, as users' programs run."""


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
            title="a first answer in 3 minutes",
            workloads=("matmul", "resnet50", "transformer", "ddpm"),
            optimised=False,
            rounds=3,
            window_s={"cpu": 1.5, "cuda": 5.0},
            idle_s=5.0,
            timeout_s=60.0,
        ),
        Profile(
            name="standard",
            title="one workload of each family, default and compiled modes",
            workloads=_ONE_OF_EACH_FAMILY,
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
            workloads=(),
            optimised=True,
            rounds=10,
            window_s={"cpu": 5.0, "cuda": 10.0},
            idle_s=10.0,
            timeout_s=600.0,
            out_of_the_box=True,
        ),
        Profile(
            name="ci",
            title="a few small cases with the rounds that a gate needs",
            workloads=("matmul", "cnn"),
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
    base = PROFILES[user_profile.base]
    changes = user_profile.model_dump(exclude={"base", "window_s"}, exclude_none=True)
    if user_profile.window_s is not None:
        changes["window_s"] = dict.fromkeys(base.window_s, user_profile.window_s)
    for workload in user_profile.workloads or ():
        if workload not in workloads():
            raise unknown(f"workload in profile {settings.profile}", workload, workloads())
    return replace(base, **{**changes, "name": settings.profile})

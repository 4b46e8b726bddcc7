"""Plans for tests, without asking which frameworks are installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from joulemark.suite.plan.cases import make_plan
from joulemark.suite.plan.plan import Plan
from joulemark.suite.records import FrameworkInfo, Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS

INSTALLED = {name: FrameworkInfo(version="2", python="3", build="cpu") for name in FRAMEWORKS}


def with_gpus() -> dict[str, FrameworkInfo]:
    """Return the installed frameworks, each with two GPUs."""
    devices = ("cpu", "cuda:0", "cuda:1")
    return {name: info.model_copy(update={"devices": devices}) for name, info in INSTALLED.items()}


def make(
    installed: Mapping[str, FrameworkInfo] = INSTALLED, seed: int = 1, multiplies_bf16: bool = False, **settings: Any
) -> Plan:
    """Return the plan for `settings` with the `installed` frameworks and 2 threads."""
    return make_plan(Settings(**settings), installed, seed, 2, multiplies_bf16)

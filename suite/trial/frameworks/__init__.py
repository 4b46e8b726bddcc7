"""The table of frameworks: static facts about each, from `frameworks.toml`. Imports none of them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType
from typing import Literal

from joulemark.suite.errors import unknown

ModeClass = Literal["eager", "graph", "compiled"]


@dataclass(frozen=True)
class Strategy:
    """How a framework trains one model on several devices, or in several processes."""

    name: str
    title: str
    """The class or interface, as the framework's makers write it."""
    adapter: str
    """The module that drives it in a trial."""
    modes: Sequence[str]
    """Execution modes that it is measured in, the default first."""
    ranks: Literal["processes", "shards", "replicas"] = "processes"
    """What a rank is: a process; a device that has its shard of the arrays of one program; a device that has a replica
    of the program. One process drives all devices."""
    spans_nodes: bool = False
    """Whether its ranks may be on several nodes."""


@dataclass(frozen=True)
class Framework:
    """What the harness must know about a framework without importing it."""

    name: str
    title: str
    """The name as its makers write it."""
    distributions: Sequence[str]
    """Distributions on PyPI, any of which provides `module`."""
    companions: Sequence[str]
    """Other distributions of it that can change a result: their versions are recorded."""
    module: str
    extra: str
    """The extra of joulemark that installs it."""
    adapter: str
    """The module that drives it in a trial."""
    preload: Sequence[str]
    """Modules that it imports at first use, which takes long: a fork server imports them once for all its trials."""
    modes: Mapping[str, ModeClass]
    """Execution modes and the class of each; modes of different classes are never ranked without saying so."""
    start_s: Mapping[str, float]
    """What a trial takes beyond its shortest warm-up and its window, by mode, seconds: load, first call with a compile
    cache that is filled, longer warm-up. Mean of small cases on a CPU (`python -m studies.trial_starts`), only for the
    expected duration of a run."""
    compile_s: Mapping[str, float]
    """What the first trial of a case takes longer, which fills that cache, by mode; none where nothing is cached."""
    gpu_modes: Mapping[str, str]
    """Modes that run on a GPU only, and why."""
    default_mode: str
    """The mode that most of its users run."""
    precisions: Sequence[str]
    caches_compilation: bool
    """Whether compiled code is kept on disk for later processes."""
    variables: Mapping[str, str]
    """Environment variables that its trials need; `{scratch}` stands for the run's private folder."""
    managed_prefixes: Sequence[str]
    """Prefixes of its environment variables that joulemark's options replace."""
    performance_prefixes: Sequence[str]
    """Prefixes of its other environment variables that can change performance."""
    colour: str
    """Its colour in charts, from a palette that colour-blind readers can tell apart (Okabe and Ito 2008)."""
    markers: Mapping[str, str]
    """Marker of each mode in charts, by Plotly's names; of similar form within a framework, for prints in grey."""
    strategies: Mapping[str, Strategy]
    """Ways to train on several ranks, by name, the default first; empty where there is none."""


_TABLES = tomllib.loads(
    files("joulemark.suite.trial.frameworks").joinpath("frameworks.toml").read_text(encoding="utf-8")
)
FRAMEWORKS: Mapping[str, Framework] = MappingProxyType(
    {
        name: Framework(
            name,
            **{
                **table,
                "strategies": {key: Strategy(key, **each) for key, each in table.get("strategies", {}).items()},
            },
        )
        for name, table in _TABLES.items()
    }
)


def mode_class(framework_name: str, mode: str) -> ModeClass:
    """Return the class of a framework's mode; similar modes of different frameworks share one."""
    return FRAMEWORKS[framework_name].modes[mode]


def mode_refusal(framework: Framework, mode: str, kind: str) -> str | None:
    """Return why the mode does not run on this kind of device, `cpu` or `cuda`; None where it does."""
    if kind == "cpu" and mode in framework.gpu_modes:
        return f"{framework.title}'s mode {mode} runs on a GPU only: {framework.gpu_modes[mode]}"
    return None


def framework(name: str) -> Framework:
    """Return the framework called `name`. Raises UsageError, with the names there are, if it is not known."""
    try:
        return FRAMEWORKS[name]
    except KeyError:
        raise unknown("framework", name, FRAMEWORKS) from None

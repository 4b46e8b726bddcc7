"""Static facts of each framework. Imports none of them: what is said here must be true before any is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from joulemark.suite.errors import unknown

ModeClass = Literal["eager", "graph", "compiled"]


@dataclass(frozen=True)
class Framework:
    """What the harness must know of a framework without importing it."""

    name: str
    title: str
    """The name as its makers write it."""
    distributions: tuple[str, ...]
    """Distributions on PyPI, any of which provides `module`."""
    module: str
    extra: str
    """The extra of joulemark that installs it."""
    modes: Mapping[str, ModeClass]
    """Execution modes and the class of each; modes of unlike classes are never ranked without saying so."""
    default_mode: str
    """The mode that most of its users run."""
    precisions: tuple[str, ...]
    caches_compilation: bool
    """Whether what a compiled mode made is kept on disk for later processes."""
    adapter: str
    """The module that drives it in a trial."""


FRAMEWORKS: Mapping[str, Framework] = MappingProxyType(
    {
        "pytorch": Framework(
            name="pytorch",
            title="PyTorch",
            distributions=("torch",),
            module="torch",
            extra="pytorch",
            modes={"eager": "eager", "compile": "compiled"},
            default_mode="eager",
            precisions=("fp32", "tf32", "bf16", "fp16"),
            caches_compilation=True,
            adapter="joulemark.suite.trial.frameworks.pytorch",
        ),
        "tensorflow": Framework(
            name="tensorflow",
            title="TensorFlow",
            distributions=("tensorflow", "tensorflow-cpu", "intel-tensorflow", "tf-nightly"),
            module="tensorflow",
            extra="tensorflow",
            modes={"eager": "eager", "graph": "graph", "xla": "compiled"},
            default_mode="graph",
            precisions=("fp32", "tf32", "bf16", "fp16"),
            caches_compilation=False,
            adapter="joulemark.suite.trial.frameworks.tensorflow",
        ),
    }
)


def mode_class(framework_name: str, mode: str) -> ModeClass:
    """The class of a framework's mode: like modes share one."""
    return FRAMEWORKS[framework_name].modes[mode]


def framework(name: str) -> Framework:
    """The framework called `name`; UsageError names what there is."""
    try:
        return FRAMEWORKS[name]
    except KeyError:
        raise unknown("framework", name, FRAMEWORKS) from None

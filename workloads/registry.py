"""Finds workloads by name, and their implementations only when one is built.

Other people's workloads come by the entry-point group `joulemark.workloads`: each entry point names a module with a
tuple `WORKLOADS`, like our own `spec.py` files.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from joulemark.workloads.errors import BrokenPackageError
from joulemark.workloads.spec import Build, Workload

_SPECS = tuple(
    f"joulemark.workloads.{name}.spec"
    for name in (
        "matmul",
        "stream",
        "fft",
        "attention",
        "activation",
        "batchnorm",
        "layernorm",
        "initialization",
        "mlp",
        "cnn",
        "multibranch_cnn",
        "resnet50",
        "mobilenetv2",
        "vit",
        "transfer",
        "input_pipeline",
        "word2vec",
        "char_rnn",
        "seq2seq",
        "transformer",
        "bert",
        "gpt2",
        "autoencoder",
        "vae",
        "dcgan",
        "ddpm",
        "simclr",
        "pca",
        "tsne",
        "umap",
    )
)


@cache
def workloads() -> Mapping[str, Workload]:
    """All workloads by id, ours first. BrokenPackageError where an entry point cannot be used as one."""
    found: dict[str, Workload] = {}
    for name in _SPECS:
        found |= {workload.id: workload for workload in importlib.import_module(name).WORKLOADS}
    for entry in sorted(entry_points(group="joulemark.workloads"), key=lambda entry: entry.name):
        try:
            found |= _of_others(entry.load().WORKLOADS, found)
        except Exception as error:
            package = entry.dist.name if entry.dist is not None else "a package"
            raise BrokenPackageError(
                f"{package} has no workloads for joulemark at {entry.value} (entry point {entry.name!r}): "
                f"{type(error).__name__}: {error}. Mend it, or uninstall it."
            ) from error
    return MappingProxyType(found)


def _of_others(given: Iterable[object], known: Mapping[str, Workload]) -> dict[str, Workload]:
    """`given` by id. TypeError for what is no workload, ValueError for an id that is taken."""
    found: dict[str, Workload] = {}
    for workload in given:
        if not isinstance(workload, Workload):
            raise TypeError(f"WORKLOADS holds {workload!r}, which is no workload")
        if workload.id in known or workload.id in found:
            raise ValueError(f"workload {workload.id} is defined twice")
        found[workload.id] = workload
    return found


def supports(workload: Workload, framework: str) -> bool:
    """Whether the workload has a file for `framework`; looks without importing it."""
    return importlib.util.find_spec(f"{workload.module}.{framework}") is not None


def builder(workload: Workload, framework: str) -> Build:
    """The workload's `build` in `framework`. ModuleNotFoundError where it has none."""
    build: Build = importlib.import_module(f"{workload.module}.{framework}").build
    return build

"""Find workloads by name, without importing their implementations.

Workloads of other packages come by the entry-point group `joulemark.workloads`: each entry point names a module with a
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
from joulemark.workloads.kit import Build
from joulemark.workloads.spec import Workload

NAMES = (
    "matmul", "stream", "fft", "attention", "activation", "batchnorm", "layernorm", "initialization",
    "mlp", "cnn", "multibranch_cnn", "resnet50", "mobilenetv2", "vit", "transfer", "input_pipeline",
    "word2vec", "char_rnn", "seq2seq", "transformer", "bert", "gpt2", "llama", "moe",
    "autoencoder", "vae", "dcgan", "ddpm", "simclr", "pca", "tsne", "umap",
)  # fmt: skip
"""Our own workloads, in the order of tables."""


@cache
def workloads() -> Mapping[str, Workload]:
    """Return all workloads by id, our own first.

    Raises:
        BrokenPackageError: an entry point of another package cannot be used.
    """
    by_id: dict[str, Workload] = {}
    for name in NAMES:
        module = importlib.import_module(f"joulemark.workloads.{name}.spec")
        by_id |= {workload.id: workload for workload in module.WORKLOADS}
    for entry in sorted(entry_points(group="joulemark.workloads"), key=lambda entry: entry.name):
        try:
            by_id |= _checked(entry.load().WORKLOADS, by_id)
        except Exception as error:
            package = entry.dist.name if entry.dist is not None else "a package"
            raise BrokenPackageError(
                f"{package} provides no usable workloads at {entry.value} (entry point {entry.name!r}): "
                f"{type(error).__name__}: {error}. Fix it, or uninstall it."
            ) from error
    return MappingProxyType(by_id)


def _checked(candidates: Iterable[object], known: Mapping[str, Workload]) -> dict[str, Workload]:
    """Return the workloads of another package by id. TypeError for other objects, ValueError for one that cannot be."""
    by_id: dict[str, Workload] = {}
    for workload in candidates:
        if not isinstance(workload, Workload):
            raise TypeError(f"WORKLOADS holds {workload!r}, which is not a Workload")
        if workload.id in known or workload.id in by_id:
            raise ValueError(f"workload {workload.id} is defined twice")
        if not workload.package:
            raise ValueError(f"workload {workload.id} has no `package`: name the one that holds its implementations")
        if not workload.sizes:
            raise ValueError(f"workload {workload.id} has no sizes")
        by_id[workload.id] = workload
    return by_id


def supports(workload: Workload, framework: str) -> bool:
    """Return whether the workload has a file for `framework`, without importing it."""
    return importlib.util.find_spec(f"{workload.module}.{framework}") is not None


def builder(workload: Workload, framework: str) -> Build:
    """Return the workload's `build` function in `framework`. ModuleNotFoundError where there is none."""
    build: Build = importlib.import_module(f"{workload.module}.{framework}").build
    return build

"""Finds workloads by name, and their implementations only when one is built.

Other people's workloads come by the entry-point group `joulemark.workloads`: each entry point names a module with a
tuple `WORKLOADS`, like our own `spec.py` files.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType

from workloads.spec import Build, Workload

_SPECS = tuple(
    f"workloads.{name}.spec"
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
    """All workloads by id, ours first. ValueError where two share an id."""
    modules = [importlib.import_module(name) for name in _SPECS]
    modules += [entry.load() for entry in sorted(entry_points(group="joulemark.workloads"), key=lambda e: e.name)]
    found: dict[str, Workload] = {}
    for module in modules:
        for workload in module.WORKLOADS:
            if workload.id in found:
                raise ValueError(f"workload {workload.id} of {module.__name__} is defined twice")
            found[workload.id] = workload
    return MappingProxyType(found)


def supports(workload: Workload, framework: str) -> bool:
    """Whether the workload has a file for `framework`; looks without importing it."""
    return importlib.util.find_spec(f"{workload.module}.{framework}") is not None


def builder(workload: Workload, framework: str) -> Build:
    """The workload's `build` in `framework`. ModuleNotFoundError where it has none."""
    build: Build = importlib.import_module(f"{workload.module}.{framework}").build
    return build

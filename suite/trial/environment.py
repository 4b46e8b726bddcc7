"""The environment of a trial: built by joulemark, not inherited.

Every variable that affects performance is set here, or kept with a notice: a single OMP_NUM_THREADS in a shell profile
makes one framework slower and not the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from joulemark.suite.trial.frameworks import FRAMEWORKS

MANAGED = (
    *("OMP_", "MKL_", "OPENBLAS_", "GOTO_", "KMP_", "NUMEXPR_", "VECLIB_", "BLIS_", "NVIDIA_TF32_"),
    *(prefix for framework in FRAMEWORKS.values() for prefix in framework.managed_prefixes),
)
"""Prefixes of variables that joulemark's options replace: the user's are dropped."""

KEPT = (
    *("ONEDNN_", "DNNL_", "CUDA_", "CUDNN_", "CUBLAS_", "NCCL_", "HIP_", "ROCR_"),
    *("LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES"),
    *(prefix for framework in FRAMEWORKS.values() for prefix in framework.performance_prefixes),
)
"""Prefixes of variables without an option of joulemark: kept, recorded, and named in a notice."""

KEPT_WITHOUT_NOTICE = (
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("CUDA_HOME", "CUDA_PATH", "CUDA_VERSION"),
)
"""They choose a device or a place, not a speed."""


@dataclass(frozen=True)
class Environment:
    """The environment variables of a trial's process."""

    variables: Mapping[str, str]
    managed: Mapping[str, str]
    """Variables that joulemark set."""
    kept: Mapping[str, str]
    """The user's variables that can affect performance."""
    dropped: tuple[str, ...]
    """Names of the user's variables that were left out."""


def build(user: Mapping[str, str], threads: int, scratch: Path) -> Environment:
    """Return the environment of trials with `threads` threads; `scratch` holds this run's private caches."""
    managed = {
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # OpenBLAS starts its threads when numpy is imported; a fork server must have one, and nothing timed uses numpy.
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "random",
        "PYTHONUNBUFFERED": "1",
    }
    for framework in FRAMEWORKS.values():
        managed |= {name: value.format(scratch=scratch) for name, value in framework.variables.items()}
    dropped = tuple(sorted(name for name in user if name.startswith(MANAGED)))
    kept = {
        name: value
        for name, value in sorted(user.items())
        if name.startswith(KEPT) and name not in {*dropped, *managed, *KEPT_WITHOUT_NOTICE}
    }
    base = {name: value for name, value in user.items() if name not in dropped}
    return Environment(variables={**base, **managed}, managed=managed, kept=kept, dropped=dropped)

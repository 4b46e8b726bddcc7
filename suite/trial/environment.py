"""The environment of a trial: built by joulemark, not inherited.

Every variable that affects performance is set here, or kept with a notice: a single OMP_NUM_THREADS in a shell profile
makes one framework slower and not the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from joulemark.suite.system.redaction import without_secrets
from joulemark.suite.trial.frameworks import FRAMEWORKS

MANAGED = (
    # OpenMP: the standard, GNU's (PyTorch bundles it), Intel's and LLVM's. They place and count threads.
    *("OMP_", "OMPX_", "GOMP_", "KMP_", "LIBOMP"),
    *("MKL_", "OPENBLAS_", "GOTO_", "BLIS_", "AOCL_", "ARMPL_", "NVPL_", "ATLAS_", "NUMEXPR_", "VECLIB_"),
    "NVIDIA_TF32_",
    *(prefix for framework in FRAMEWORKS.values() for prefix in framework.managed_prefixes),
)
"""Prefixes of variables that joulemark's options replace: the user's are dropped."""

NEEDED = (
    "KMP_DUPLICATE_LIB_OK",  # or a program with two OpenMP runtimes ends at once
    # Which kernels a library takes: the others may be ones that this virtual machine cannot run.
    *("MKL_ENABLE_INSTRUCTIONS", "MKL_DEBUG_CPU_TYPE", "MKL_CBWR", "BLIS_ARCH_TYPE", "NVPL_BLAS_DEBUG_CPU_TYPE"),
    *("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"),
)
"""Exceptions to MANAGED: variables that no option replaces, and without which a trial may not run at all."""

KEPT = (
    *NEEDED,
    *("ONEDNN_", "DNNL_", "MKLDNN_", "ZENDNN_", "TBB_"),
    *("CUDA_", "CUDNN_", "CUBLAS", "CUFFT_", "CUSPARSE", "NCCL_"),
    *("HIP_", "HSA_", "ROCR_", "ROCBLAS_", "HIPBLAS", "MIOPEN_", "RCCL_", "AMD_", "GPU_MAX_HW_QUEUES"),
    *("LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH"),
    *("MALLOC_", "TCMALLOC_", "MIMALLOC_", "GLIBC_TUNABLES"),
    *("PYTHONMALLOC", "PYTHONDEVMODE", "PYTHONTRACEMALLOC", "PYTHONOPTIMIZE", "PYTHONPERFSUPPORT"),
    *("PYTHON_CPU_COUNT", "PYTHON_GIL", "PYTHON_JIT", "PYTHON_PERF_JIT", "PYTHON_TLBC"),
    *(prefix for framework in FRAMEWORKS.values() for prefix in framework.performance_prefixes),
)
"""Prefixes of variables without an option of joulemark: kept, recorded, and named in a notice."""

KEPT_WITHOUT_NOTICE = (
    *("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"),
    *("CUDA_HOME", "CUDA_PATH"),
)
"""They choose a device or a place, not a speed."""
WITHOUT_EFFECT = "_VERSION"
"""How variables of container images end that say what is installed."""

SCRATCH_VARIABLES = frozenset(
    {"TMPDIR"}.union(
        *((name for name, value in each.variables.items() if "{scratch}" in value) for each in FRAMEWORKS.values())
    )
)
"""Variables that name a run's scratch directory, and so differ in each run."""


@dataclass(frozen=True)
class Environment:
    """The environment variables of a trial's process."""

    variables: Mapping[str, str]
    managed: Mapping[str, str]
    """Variables that joulemark set."""
    kept: Mapping[str, str]
    """The user's variables that can affect performance."""
    dropped: tuple[str, ...]
    """Names of the user's variables that were left out, or have another value."""


def build(user: Mapping[str, str], threads: int, scratch: Path) -> Environment:
    """Return the environment of trials with `threads` threads.

    `scratch` exists, and holds all that they write: caches of compiled code, and temporary files such as Inductor's
    precompiled headers. No variable that holds a secret gets to them: packages of others run there.
    """
    managed = {
        "TMPDIR": str(scratch),
        "OMP_NUM_THREADS": str(threads),
        "MKL_NUM_THREADS": str(threads),
        # OpenBLAS starts its threads when numpy is imported; a fork server must have one, and nothing timed uses numpy.
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "random",
        "PYTHONUNBUFFERED": "1",
    }
    for framework in FRAMEWORKS.values():
        managed |= {name: value.format(scratch=scratch) for name, value in framework.variables.items()}
    replaced = {name for name in user if name.startswith(MANAGED) and not name.startswith(NEEDED)}
    safe = without_secrets(user)
    kept = {
        name: value
        for name, value in sorted(safe.items())
        if name.startswith(KEPT) and name not in {*managed, *KEPT_WITHOUT_NOTICE} and not name.endswith(WITHOUT_EFFECT)
    }
    base = {name: value for name, value in safe.items() if name not in replaced}
    dropped = tuple(sorted(name for name in replaced if user[name] != managed.get(name)))
    return Environment(variables={**base, **managed}, managed=managed, kept=kept, dropped=dropped)

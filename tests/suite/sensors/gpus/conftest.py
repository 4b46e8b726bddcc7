"""The vendors' libraries, built once for each file of tests."""

from __future__ import annotations

from pathlib import Path

import amdsmi_library
import nvml_library
import pytest


@pytest.fixture(scope="module")
def nvml_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a stand-in for libnvidia-ml.so.1."""
    return nvml_library.build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture(scope="module")
def rocm_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ROCM_PATH with a stand-in for libamd_smi.so."""
    return amdsmi_library.build(tmp_path_factory.mktemp("rocm"))

"""Reason codes of the exceptions that trials raise."""

from __future__ import annotations

import pytest

from joulemark.suite.trial.outcome import classify


class OutOfMemoryError(RuntimeError):
    """Like that of torch.cuda: its name tells, its text may not."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("tried to allocate 9 GiB"),
        RuntimeError("CUDA out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("OOM when allocating tensor"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_all_wordings_of_exhausted_memory_are_recognised(error: Exception) -> None:
    assert classify(error)[0] == "out_of_memory"


@pytest.mark.parametrize(
    "text", ["no such file: /home/bloom/data", "the zoom must be positive", "no room in the table"]
)
def test_a_word_that_contains_oom_is_not_about_memory(text: str) -> None:
    assert classify(ValueError(text)) == ("raised", f"ValueError: {text}")

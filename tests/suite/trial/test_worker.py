"""What an error that a trial raised is called."""

from __future__ import annotations

import pytest

from joulemark.suite.trial.worker import classify


class OutOfMemoryError(RuntimeError):
    """As torch.cuda's: the name says it, the text may not."""


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
def test_memory_that_ran_out_is_told_in_all_its_words(error: Exception) -> None:
    assert classify(error)[0] == "out_of_memory"


@pytest.mark.parametrize(
    "text", ["no such file: /home/bloom/data", "the zoom must be positive", "no room in the table"]
)
def test_a_word_that_has_oom_in_it_is_no_memory(text: str) -> None:
    assert classify(ValueError(text)) == ("raised", f"ValueError: {text}")

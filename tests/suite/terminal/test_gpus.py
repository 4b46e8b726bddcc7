"""What a terminal says of a case on all GPUs at once."""

from __future__ import annotations

import io

from gpu_runs import run_on
from rich.console import Console

from joulemark.suite.terminal.gpus import gpu_tables

HEALTHY = (1.0, 1.004, 0.997, 1.002, 0.999, 1.001, 0.998, 1.003)


def text_of(run_file) -> str:
    console = Console(file=io.StringIO(), width=200)
    for part in gpu_tables(run_file):
        console.print(part)
    return console.file.getvalue()


def test_slow_and_throttled_gpus_are_named_and_the_rest_is_said_in_numbers() -> None:
    text = text_of(run_on([*HEALTHY[:-1], 0.95], warm={3: 0.8}))
    assert "cnn:small/training/pytorch/eager/cuda:0/fp32/b32 on 8 GPUs" in text
    assert "cuda:7 is slow: " in text
    assert "at most 5%" in text
    assert "Throttled, as the driver says: cuda:3 (thermal, together)." in text
    assert "slow together (thermal)" in text
    assert "of what it does alone" in text
    assert "counted once for all" in text
    assert len([line for line in text.splitlines() if line.startswith("cuda:") and "as the others" in line]) == 6


def test_of_many_gpus_only_those_unlike_the_others_have_a_row() -> None:
    speeds = [1 + 0.001 * (i % 5) for i in range(40)]
    text = text_of(run_on([*speeds, 0.9], rounds=2))
    assert [line.split()[0] for line in text.splitlines() if line.startswith("cuda:") and " is " not in line] == [
        "cuda:40"
    ]
    assert "None of 40 GPUs is slow" in text_of(run_on(speeds, rounds=2))


def test_two_differ_and_one_round_says_nothing() -> None:
    assert "cuda:0 and cuda:1 differ (equal ones would in at most 5%" in text_of(run_on([1.0, 0.9]))
    assert "do not differ" in text_of(run_on([1.0, 1.0]))
    assert "are not judged" in text_of(run_on([1.0, 0.9], rounds=1))


def test_other_runs_have_no_table() -> None:
    run_file = run_on(HEALTHY)
    cases = tuple(case.model_copy(update={"across_gpus": None}) for case in run_file.cases)
    assert gpu_tables(run_file.model_copy(update={"cases": cases})) == []

"""The error for an unknown name."""

from __future__ import annotations

import pytest

from joulemark.suite.errors import unknown


def test_similar_name_is_suggested() -> None:
    assert "Did you mean 'matmul'?" in str(unknown("workload", "matmull", ["cnn", "matmul"]))


@pytest.mark.parametrize(
    ("name", "known"), [("gpu", ["cpu"]), ("nonsense", ["tsne", "resnet50"]), ("", ["cpu"]), ("jit", ["xla", "graph"])]
)
def test_dissimilar_name_is_not_suggested(name: str, known: list[str]) -> None:
    assert "Did you mean" not in str(unknown("name", name, known))

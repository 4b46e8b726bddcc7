"""The `-k` grammar, against pytest's own implementation of it."""

from __future__ import annotations

import pytest
from _pytest.mark.expression import Expression
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.errors import UsageError
from joulemark.suite.plan.case_filter import any_of, compile_keyword

IDS = (
    "matmul:n512/inference/pytorch/eager/cpu/fp32/b1",
    "cnn:small/training/tensorflow/graph/cpu/fp32/b32",
    "activation.relu:base/training/pytorch/compile/cuda:0/bf16/b8+allocator=default",
)
WORDS = st.sampled_from(["cnn", "pytorch", "training", "cuda:0", "fp32", "n512", "nothing", "RELU"])


def nested(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
    )


@given(st.recursive(WORDS, nested, max_leaves=8))
def test_it_selects_what_pytest_selects(expression):
    theirs, ours = Expression.compile(expression), compile_keyword(expression)
    for case_id in IDS:
        assert ours(case_id) == theirs.evaluate(lambda word, case_id=case_id, **_: word.lower() in case_id.lower())


@pytest.mark.parametrize(
    "expression", ["", "  ", "and", "cnn and", "or cnn", "(cnn", "cnn)", "cnn pytorch", "not", "()"]
)
def test_what_does_not_parse_is_one_line(expression):
    with pytest.raises(UsageError, match="-k") as caught:
        compile_keyword(expression)
    assert "\n" not in str(caught.value)


def test_expressions_given_one_by_one_add_up():
    match = compile_keyword(any_of(["cnn and training", "matmul"]) or "")
    assert [match(case_id) for case_id in ("cnn/training/x", "cnn/inference/x", "matmul/inference/x")] == [
        True,
        False,
        True,
    ]
    assert any_of(["cnn"]) == "cnn"
    assert any_of([]) is any_of(None) is None
    with pytest.raises(UsageError, match="-k"):
        any_of(["cnn) or (matmul", "fft"])

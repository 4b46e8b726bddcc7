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
    """Return expressions made of `inner` ones."""
    return st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join),
        inner.map(lambda text: f"not {text}"),
        inner.map(lambda text: f"({text})"),
    )


@given(st.recursive(WORDS, nested, max_leaves=8))
def test_expressions_select_as_in_pytest(expression):
    pytest_expression, match = Expression.compile(expression), compile_keyword(expression)
    for case_id in IDS:
        expected = pytest_expression.evaluate(lambda word, case_id=case_id, **_: word.lower() in case_id.lower())
        assert match(case_id) == expected


@pytest.mark.parametrize(
    "expression", ["", "  ", "and", "cnn and", "or cnn", "(cnn", "cnn)", "cnn pytorch", "not", "()"]
)
def test_a_syntax_error_is_one_line(expression):
    with pytest.raises(UsageError, match="-k") as caught:
        compile_keyword(expression)
    assert "\n" not in str(caught.value)


def test_several_expressions_add_up():
    match = compile_keyword(any_of(["cnn and training", "matmul"]) or "")
    assert match("cnn/training/x")
    assert match("matmul/inference/x")
    assert not match("cnn/inference/x")
    assert any_of(["cnn"]) == "cnn"
    assert any_of([]) is any_of(None) is None
    with pytest.raises(UsageError, match="-k"):
        any_of(["cnn) or (matmul", "fft"])

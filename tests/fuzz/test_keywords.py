"""Expressions of `-k` of any content: a filter as pytest's own, or one line."""

from __future__ import annotations

from _pytest.mark.expression import Expression
from fuzzing import ODD_TEXT, accepted
from hypothesis import given
from hypothesis import strategies as st

from joulemark.suite.plan.case_filter import any_of, compile_keyword

IDS = ("", "cnn:small/training/tensorflow/graph/cpu/fp32/b32", "matmul:n512/inference/pytorch/eager/cuda:0/fp32/b1+a=b")
TOKENS = st.sampled_from(
    ["cnn", "and", "or", "not", "(", ")", " ", "cuda:0", "a=b", "[", "__import__", "lambda", ".", "-k"]
)
ODD = st.sampled_from(
    [
        *ODD_TEXT,
        "(" * 300,
        ")" * 300,
        "not " * 3000,
        "a or " * 3000,
        "()",
        "\\",
        "#",
        "\N{MATHEMATICAL BOLD SMALL A}nd",
        "None",
        "x:=1",
    ]
)
EXPRESSION = st.lists(TOKENS | ODD | st.text(max_size=5), max_size=12).map(" ".join)


@given(EXPRESSION)
def test_an_expression_is_a_filter_or_refused(expression):
    match = accepted(lambda: compile_keyword(expression))
    if match is not None:
        assert all(isinstance(match(case_id), bool) for case_id in IDS)


@given(st.lists(TOKENS, max_size=10).map(" ".join))
def test_what_is_accepted_selects_as_in_pytest(expression):
    match = accepted(lambda: compile_keyword(expression))
    try:
        theirs = Expression.compile(expression)
    except SyntaxError:
        return  # characters that are none of pytest's words
    if match is not None and expression.strip():
        for case_id in IDS:
            assert match(case_id) == theirs.evaluate(lambda word, case_id=case_id, **_: word.lower() in case_id.lower())


@given(st.lists(EXPRESSION, max_size=3))
def test_several_expressions_are_a_filter_or_refused(expressions):
    joined = accepted(lambda: any_of(expressions))
    if joined is not None:
        accepted(lambda: compile_keyword(joined))

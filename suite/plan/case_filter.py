"""pytest's `-k` grammar over case ids: `matmul and not resnet50`, `(cnn or vit) and training`.

A word matches if it is part of the id, ignoring case. Operators, from weak to strong: `or`, `and`, `not`; parentheses
group. They are Python's own, so that Python parses and evaluates the expression with its words replaced by names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence

from joulemark.suite.errors import UsageError

_OPERATORS = ("and", "or", "not", "(", ")")
_ALLOWED = (ast.Expression, ast.BoolOp, ast.UnaryOp, ast.boolop, ast.unaryop, ast.Name, ast.expr_context)
"""What an expression may be parsed as. `a (b)` would be a call, and `()` an empty tuple."""


def any_of(expressions: Sequence[str] | None) -> str | None:
    """Return one expression for several `-k`, which add up like all repeatable options; None for none."""
    if not expressions or len(expressions) == 1:
        return expressions[0] if expressions else None
    for expression in expressions:  # each on its own: the parentheses below must not complete a broken one
        compile_keyword(expression)
    return " or ".join(f"({expression})" for expression in expressions)


def compile_keyword(expression: str) -> Callable[[str], bool]:
    """Return a predicate on case ids. Raises UsageError if the expression does not parse."""
    tokens = re.findall(r"[()]|[^\s()]+", expression)
    words = {f"word_{i}": token.lower() for i, token in enumerate(tokens) if token not in _OPERATORS}
    source = " ".join(token if token in _OPERATORS else f"word_{i}" for i, token in enumerate(tokens))
    try:
        tree = ast.parse(source, mode="eval")
        code = compile(tree, "-k", "eval")
    except (SyntaxError, RecursionError, MemoryError):  # the last two: too many parentheses
        tree = None
    if tree is None or not all(isinstance(node, _ALLOWED) for node in ast.walk(tree)):
        problem = "is not an expression" if tokens else "is empty"
        raise UsageError(
            f"-k {expression!r} {problem}. Use words of a case id with and, or, not and parentheses, such as "
            "-k 'cnn and training'."
        )
    return lambda case_id: bool(eval(code, {}, {name: word in case_id.lower() for name, word in words.items()}))

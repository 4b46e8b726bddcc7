"""pytest's `-k` grammar over case ids: `matmul and not resnet50`, `(cnn or vit) and training`.

A word matches if it is part of the id, ignoring case. Operators, from weak to strong: `or`, `and`, `not`; parentheses
group.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from joulemark.suite.errors import UsageError

Match = Callable[[str], bool]

_TOKENS = re.compile(r"\s*(?:(\(|\))|([^\s()]+))")


def any_of(expressions: Sequence[str] | None) -> str | None:
    """Return one expression for several `-k`, which add up like all repeatable options; None for none."""
    if not expressions or len(expressions) == 1:
        return expressions[0] if expressions else None
    for expression in expressions:  # each on its own: the parentheses below must not complete a broken one
        compile_keyword(expression)
    return " or ".join(f"({expression})" for expression in expressions)


def compile_keyword(expression: str) -> Match:
    """Return a predicate on case ids. Raises UsageError if the expression does not parse."""
    tokens = [parenthesis or word for parenthesis, word in _TOKENS.findall(expression)]
    if not tokens:
        raise UsageError("-k got an empty expression. Give words of a case id, such as -k 'cnn and training'.")
    parser = _Parser(tokens, expression)
    match = parser.parse_or()
    if parser.next_token():
        raise parser.error(f"unexpected {parser.next_token()!r}")
    return match


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str], expression: str) -> None:
        self._tokens, self._expression, self._position = tokens, expression, 0

    def next_token(self) -> str:
        """Return the next token without consuming it; empty at the end."""
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def error(self, problem: str) -> UsageError:
        return UsageError(
            f"-k {self._expression!r}: {problem}. Use words of a case id with and, or, not and parentheses."
        )

    def _accept(self, token: str) -> bool:
        """Consume the next token if it is `token`."""
        accepted = self.next_token() == token
        self._position += accepted
        return accepted

    def parse_or(self) -> Match:
        match = self.parse_and()
        while self._accept("or"):
            match = _either(match, self.parse_and())
        return match

    def parse_and(self) -> Match:
        match = self.parse_not()
        while self._accept("and"):
            match = _both(match, self.parse_not())
        return match

    def parse_not(self) -> Match:
        if self._accept("not"):
            inner = self.parse_not()
            return lambda case_id: not inner(case_id)
        if self._accept("("):
            match = self.parse_or()
            if not self._accept(")"):
                raise self.error("a parenthesis is not closed")
            return match
        word = self.next_token()
        if not word or word in (")", "and", "or"):
            raise self.error(f"a word is missing before {word!r}" if word else "a word is missing at the end")
        self._position += 1
        return lambda case_id: word.lower() in case_id.lower()


def _either(a: Match, b: Match) -> Match:
    return lambda case_id: a(case_id) or b(case_id)


def _both(a: Match, b: Match) -> Match:
    return lambda case_id: a(case_id) and b(case_id)

"""pytest's `-k` grammar over case ids: `matmul and not tensorflow`, `(cnn or vit) and training`.

A word matches where it is a part of the id, upper and lower case alike. Operators are `and`, `or`, `not` and
parentheses, in that order of strength from weak to strong: or, and, not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from joulemark.suite.errors import UsageError

Match = Callable[[str], bool]

_TOKENS = re.compile(r"\s*(?:(\(|\))|([^\s()]+))")


def any_of(expressions: Sequence[str] | None) -> str | None:
    """One expression for several `-k`, which add up as the repeatable options do; None for none."""
    if not expressions or len(expressions) == 1:
        return expressions[0] if expressions else None
    for expression in expressions:  # each by itself: brackets around it must not make it a whole
        compile_keyword(expression)
    return " or ".join(f"({expression})" for expression in expressions)


def compile_keyword(expression: str) -> Match:
    """A predicate on case ids. UsageError where the expression does not parse."""
    tokens = [bracket or word for bracket, word in _TOKENS.findall(expression)]
    if not tokens:
        raise UsageError("-k got an empty expression. Give words of a case id, such as -k 'cnn and training'.")
    parser = _Parser(tokens, expression)
    match = parser.alternatives()
    if parser.left():
        raise parser.error(f"unexpected {parser.left()!r}")
    return match


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[str], expression: str) -> None:
        self._tokens, self._expression, self._at = tokens, expression, 0

    def left(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def error(self, what: str) -> UsageError:
        return UsageError(f"-k {self._expression!r}: {what}. Use words of a case id with and, or, not and parentheses.")

    def _take(self, token: str) -> bool:
        taken = self.left() == token
        self._at += taken
        return taken

    def alternatives(self) -> Match:
        match = self.conjunction()
        while self._take("or"):
            match = _either(match, self.conjunction())
        return match

    def conjunction(self) -> Match:
        match = self.negation()
        while self._take("and"):
            match = _both(match, self.negation())
        return match

    def negation(self) -> Match:
        if self._take("not"):
            inner = self.negation()
            return lambda case_id: not inner(case_id)
        if self._take("("):
            match = self.alternatives()
            if not self._take(")"):
                raise self.error("a parenthesis is not closed")
            return match
        word = self.left()
        if not word or word in (")", "and", "or"):
            raise self.error(f"a word is missing before {word!r}" if word else "a word is missing at the end")
        self._at += 1
        return lambda case_id: word.lower() in case_id.lower()


def _either(a: Match, b: Match) -> Match:
    return lambda case_id: a(case_id) or b(case_id)


def _both(a: Match, b: Match) -> Match:
    return lambda case_id: a(case_id) and b(case_id)

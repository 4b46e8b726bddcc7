"""The exit codes of `joulemark check --bisect`, as `git bisect run` reads them.

Git takes 0 for a good commit, 1 to 127 for a bad one but for 125, which skips it, and stops at all others
(https://git-scm.com/docs/git-bisect). So bad usage must not end with 2, which would blame a commit for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

SKIP: Final = 125
STOP: Final = 128
_CODES: Final = {0: 0, 1: 1, 2: STOP, 3: SKIP, 4: SKIP}
"""By the exit code of `check`. 130, interrupted, and those of signals stop git as they are."""


def is_bisection(arguments: Sequence[str]) -> bool:
    """Return whether the command line is one of `check --bisect`; it need not be a valid one."""
    option = any(argument.partition("=")[0] == "--bisect" for argument in arguments)
    return option and "check" in arguments[:1]


def for_git(code: int) -> int:
    """Return what tells `git bisect run` what the exit code `code` of `check` says."""
    return _CODES.get(code, code)

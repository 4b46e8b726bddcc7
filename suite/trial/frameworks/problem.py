"""Why a framework cannot be used, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from joulemark.suite.records import FrameworkInfo
from joulemark.suite.trial.frameworks import Framework


@dataclass(frozen=True)
class Problem:
    """A framework is not installed, or is broken."""

    code: Literal["not_installed", "import_failed"]
    """The reason code of its cases."""
    reason: str
    fix: str | None
    """The command that installs it; None if the reason says what to do."""

    @property
    def text(self) -> str:
        """Reason and fix, without a full stop."""
        return f"{self.reason}. Run: {self.fix}" if self.fix else self.reason.removesuffix(".")


def find_problem(framework: Framework, info: FrameworkInfo | None, python: str | None = None) -> Problem | None:
    """Return why `framework` cannot be used; None if it can, as far as it was asked.

    Args:
        framework: the framework.
        info: what is installed; None if nothing is.
        python: the interpreter that it was looked for in; None: the one that runs joulemark.
    """
    pip = f"{python} -m pip" if python else "pip"
    package = f"'joulemark[{framework.extra}]'"
    if info is None:
        where = f" in {python}" if python else ""
        return Problem("not_installed", f"{framework.title} is not installed{where}", f"{pip} install {package}")
    if info.broken_reason is None:
        return None
    if not info.python:  # nothing is known of the interpreter
        return Problem("import_failed", info.broken_reason, None)
    error = info.broken_reason.rstrip(".")
    reason = f"{framework.title} {info.version} is installed but cannot be imported: {error}"
    return Problem("import_failed", reason, f"{pip} install --force-reinstall {package}")

"""A command that refuses an option of one value that is given twice, where it selects what is measured or compared.

Beside them stand options that are repeatable: the last value alone would silently leave the others out. Other options,
such as `--out`, take the last one, by which a wrapper's can be overridden.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from typer.core import TyperCommand, TyperOption

from joulemark.suite.errors import UsageError

_PANELS = ("Selection", "Verdict")


class CommandWithOptionsOnce(TyperCommand):
    """A verb."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse `args` as Typer does. UsageError for an option that is given twice and takes one value."""
        if ctx.resilient_parsing:  # a shell asks how a line may go on
            return super().parse_args(ctx, args)
        *_, order = self.make_parser(ctx).parse_args(args=list(args))
        for parameter, times in Counter(order).items():
            one_value = isinstance(parameter, TyperOption) and not parameter.multiple and not parameter.is_flag
            if times > 1 and one_value and getattr(parameter, "rich_help_panel", None) in _PANELS:
                raise UsageError(f"{parameter.opts[0]} takes one value, and is given {times} times: give it once.")
        return super().parse_args(ctx, args)

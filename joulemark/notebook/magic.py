"""The magics `%%joulemark`, which measures a cell, and `%joulemark`, which measures a statement."""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CodeType
from typing import Any

from IPython.core.error import UsageError as MagicError
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
    output_can_be_silenced,
)
from IPython.display import display

from joulemark.meter import Meter
from joulemark.notebook.options import OF_MAGIC, Options, parse
from joulemark.suite.errors import JoulemarkError


@magics_class
class JoulemarkMagics(Magics):  # type: ignore[misc]  # untyped
    """The magics of joulemark."""

    @no_var_expand  # type: ignore[untyped-decorator]
    @output_can_be_silenced  # type: ignore[untyped-decorator]
    @needs_local_scope  # type: ignore[untyped-decorator]
    @line_cell_magic  # type: ignore[untyped-decorator]
    def joulemark(self, line: str = "", cell: str | None = None, local_ns: dict[str, Any] | None = None) -> Any:
        """Measure the energy and emissions of a cell, or of a statement.

            %%joulemark --zone CH --name train
            model.fit(x, y)

            %joulemark --zone CH model.predict(x)

        Options, as the arguments of joulemark.Meter: --zone ZONE, --name NAME, --sensor NAME, --device cuda:0,
        --intensity G_PER_KWH, --pue PUE, --item WORD, --track TRACKER, --sync, --offline. And: --items N, how many the
        cell does; --save PATH, a run file; --output VARIABLE (-o), which the measurement is assigned to; --quiet (-q),
        which displays nothing.

        The value of the last expression is that of the cell, as without the magic. An exception, and an interrupt, show
        the measurement until then.
        """
        __tracebackhide__ = True  # of IPython's traceback
        try:
            options, statement = parse(line)
            if cell is not None and statement:
                raise MagicError(f"%%joulemark takes options only, found {statement!r:.80}.")
            if cell is None and not statement:
                raise MagicError("%joulemark takes a statement; in %%joulemark it is the cell.")
            run = self._compiled(statement if cell is None else cell, local_ns)
            meter = _meter(options)
            meter.prepare()
        except JoulemarkError as error:
            raise MagicError(str(error)) from None
        try:
            with meter:
                meter.items = options.get("items")
                return run()
        finally:
            self._show(meter, options)

    def _compiled(self, code: str, local_ns: dict[str, Any] | None) -> Callable[[], Any]:
        """Return a function that runs `code` in the user's namespace, and returns the value of its last expression."""
        shell = self.shell
        source = shell.transform_cell(code)
        filename = shell.compile.cache(source, shell.execution_count, raw_code=code)  # tracebacks show its lines
        tree = shell.transform_ast(shell.compile.ast_parse(source, filename=filename))
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        body: CodeType = shell.compile(tree, filename, "exec")
        value: CodeType | None = shell.compile(ast.Expression(last.value), filename, "eval") if last else None

        def run() -> Any:
            __tracebackhide__ = True
            exec(body, shell.user_ns, local_ns)
            return None if value is None else eval(value, shell.user_ns, local_ns)

        return run

    def _show(self, meter: Meter, options: Options) -> None:
        """Display the measurement, and put it where it was asked for."""
        if "output" in options:
            self.shell.user_ns[options["output"]] = meter.last
        if "quiet" not in options:
            display(meter.last)
        try:
            if "save" in options:
                meter.save(options["save"])
        except JoulemarkError as error:
            print(f"joulemark: {error}")


def _meter(options: Options) -> Meter:
    arguments = {name: value for name, value in options.items() if name not in OF_MAGIC}
    return Meter(arguments.pop("name", "cell"), **arguments)

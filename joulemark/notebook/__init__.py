"""Notebooks: the magic `%%joulemark`, and the display of measurements and runs."""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Register the magics in the IPython `shell`; `%load_ext joulemark` calls this."""
    from joulemark.notebook.magic import JoulemarkMagics

    shell.register_magics(JoulemarkMagics)

"""Notebooks: the magic `%%joulemark`, and the display of measurements and runs."""

from __future__ import annotations

from typing import Any


def load_ipython_extension(shell: Any) -> None:
    """Register the magics, as `%load_ext joulemark` does."""
    from joulemark.notebook.magic import JoulemarkMagics

    shell.register_magics(JoulemarkMagics)

"""What the options switch on."""

from __future__ import annotations

import importlib.util
import os

import pytest


def start(config: pytest.Config) -> None:
    """Register the parts that were asked for. UsageError where they cannot work."""
    if importlib.util.find_spec("pytest_benchmark") is None:
        raise pytest.UsageError("joulemark: pytest-benchmark is not installed. Run: pip install 'joulemark[pytest]'")
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("joulemark: pytest-benchmark is switched off (-p no:benchmark). Leave it on.")
    if "PYTEST_XDIST_WORKER" in os.environ or config.getoption("dist", "no") != "no":
        raise pytest.UsageError("joulemark: what runs at the same time cannot be measured. Run without xdist: -n 0.")
    options = config.getoption("--joulemark-suite")
    if options is not None:
        from joulemark.pytest_plugin.cases import Cases

        config.pluginmanager.register(Cases(config, options), "joulemark-cases")
    from joulemark.pytest_plugin.table import Columns

    config.pluginmanager.register(Columns(), "joulemark-columns")
    if config.getoption("--joulemark"):
        from joulemark.pytest_plugin.energy import Energy

        config.pluginmanager.register(Energy(config), "joulemark-energy")

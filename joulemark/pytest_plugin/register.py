"""Register the plugins that the options ask for."""

from __future__ import annotations

import importlib.util
import os

import pytest


def register(config: pytest.Config) -> None:
    """Register what `--joulemark` and `--joulemark-suite` need. pytest.UsageError where they cannot work."""
    if importlib.util.find_spec("pytest_benchmark") is None:
        raise pytest.UsageError("joulemark: pytest-benchmark is not installed. Run: pip install 'joulemark[pytest]'")
    if not config.pluginmanager.hasplugin("benchmark"):
        raise pytest.UsageError("joulemark: pytest-benchmark is switched off (-p no:benchmark). Leave it on.")
    if "PYTEST_XDIST_WORKER" in os.environ or config.getoption("dist", "no") != "no":
        raise pytest.UsageError("joulemark: tests that run at the same time cannot be measured. Give -n 0.")
    options = config.getoption("--joulemark-suite")
    if options is not None:
        from joulemark.pytest_plugin.cases import CasesPlugin

        config.pluginmanager.register(CasesPlugin(config, options), "joulemark-cases")
    from joulemark.pytest_plugin.table import TablePlugin

    config.pluginmanager.register(TablePlugin(), "joulemark-table")
    if config.getoption("--joulemark"):
        from joulemark.pytest_plugin.energy import EnergyPlugin

        config.pluginmanager.register(EnergyPlugin(config), "joulemark-energy")

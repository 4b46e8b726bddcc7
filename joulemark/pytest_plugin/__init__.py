"""pytest plugin: energy and emissions beside pytest-benchmark's times, and limits on them. PYTEST_DONT_REWRITE

pytest imports this file wherever joulemark is installed. It only declares options; everything else is imported when
`--joulemark` or `--joulemark-suite` is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARKER = (
    "joulemark(max_energy_j=..., max_emissions_g=..., allow_estimates=False, allow_lower_bound=False): with "
    "--joulemark, fail the test if one call takes more than that, or cannot be measured."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, in a group of their own."""
    group = parser.getgroup("joulemark", "joulemark: energy and emissions")
    group.addoption(
        "--joulemark",
        action="store_true",
        help="Measure the joules and grams of each benchmark; needs pytest-benchmark.",
    )
    group.addoption("--joulemark-zone", metavar="ZONE", help="Grid zone for emissions, such as CH.")
    group.addoption(
        "--joulemark-sensor", metavar="NAME", action="append", default=[], help="As `joulemark run --sensor`."
    )
    group.addoption(
        "--joulemark-allow-estimates", action="store_true", help="Check limits against modelled energy too."
    )
    group.addoption(
        "--joulemark-suite",
        metavar="OPTIONS",
        nargs="?",
        const="",
        help="Run joulemark's own cases as benchmarks; OPTIONS are those of `joulemark run`, -k is pytest's.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, if asked for, the plugins that do the work."""
    config.addinivalue_line("markers", MARKER)
    if not config.getoption("--joulemark") and config.getoption("--joulemark-suite") is None:
        return
    from joulemark.pytest_plugin.register import register

    register(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Return a line for each option that has no effect. No error: options may stand in a project's `addopts`."""
    if config.getoption("--joulemark"):
        return []
    names = ("--joulemark-zone", "--joulemark-sensor", "--joulemark-allow-estimates")
    return [f"joulemark: {name} has no effect without --joulemark." for name in names if config.getoption(name)]

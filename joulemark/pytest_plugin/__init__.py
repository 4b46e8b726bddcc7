"""pytest plugin: joules and grams beside pytest-benchmark's seconds, and limits on them. PYTEST_DONT_REWRITE

pytest imports this file wherever joulemark is installed. It only names its options: everything else is imported once
`--joulemark` or `--joulemark-suite` is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

MARKER = (
    "joulemark(max_energy_j=..., max_emissions_g=..., allow_estimates=False, allow_lower_bound=False): with "
    "--joulemark, the test fails where one call takes more than that, or where it cannot be measured."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, in a group of their own."""
    group = parser.getgroup("joulemark", "joulemark: energy and emissions")
    group.addoption(
        "--joulemark", action="store_true", help="Measure joules and grams of each benchmark; needs pytest-benchmark."
    )
    group.addoption("--joulemark-zone", metavar="ZONE", help="Grid zone of the grams, such as CH.")
    group.addoption(
        "--joulemark-sensor", metavar="NAME", action="append", default=[], help="As `joulemark run --sensor`."
    )
    group.addoption(
        "--joulemark-allow-estimates", action="store_true", help="Hold limits also against energy from a model."
    )
    group.addoption(
        "--joulemark-suite",
        metavar="OPTIONS",
        nargs="?",
        const="",
        help="Run joulemark's own cases as benchmarks; OPTIONS are those of `joulemark run`, -k is pytest's.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and, where asked for, what does the work."""
    config.addinivalue_line("markers", MARKER)
    if not config.getoption("--joulemark") and config.getoption("--joulemark-suite") is None:
        return
    from joulemark.pytest_plugin.start import start

    start(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """A line for options that do nothing by themselves: they may stand in a project's `addopts`, so no error."""
    if config.getoption("--joulemark"):
        return []
    names = ("--joulemark-zone", "--joulemark-sensor", "--joulemark-allow-estimates")
    return [f"joulemark: {name} does nothing without --joulemark." for name in names if config.getoption(name)]

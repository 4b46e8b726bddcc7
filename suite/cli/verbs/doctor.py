"""`joulemark doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.text import Text

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import resolve_settings
from joulemark.suite.terminal.console import print_result
from joulemark.suite.terminal.tables import AdaptiveTable, Column
from joulemark.suite.units import quantity

if TYPE_CHECKING:
    from joulemark.suite.cli.support.doctor.checks import Check


def command(sensor: options.Sensor = None, python: options.Python = None, as_json: options.Json = False) -> int:
    """Check what this machine can measure: sensors, devices, frameworks, noise; reasons and fixes for what it cannot.

    What is missing or broken is a line of its answer. Sensors on the network are looked for where --sensor names them.

    Exit codes: 0 if energy can be measured, 4 if it can only be estimated.
    """
    from joulemark.suite.cli.support.doctor import checks, sensors
    from joulemark.suite.cli.support.prepare import describe_machine, parse_interpreters
    from joulemark.suite.sensors.gpus.inventory import discover
    from joulemark.suite.trial.discover import installed_frameworks
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    interpreters = resolve_settings({"python": parse_interpreters(python or ())}, measures=False).python
    gpus = discover()
    installed = installed_frameworks(FRAMEWORKS, interpreters)
    machine = describe_machine(gpus, installed)
    results = [
        *sensors.sensor_checks(sensor or ()),
        *checks.device_checks(machine, gpus.reason),
        *checks.framework_checks(machine, interpreters),
        *checks.machine_checks(),
        checks.calibration_check(machine),
    ]
    can_measure = sensors.can_measure_energy(results)
    document = {"measured": can_measure, "checks": [asdict(check) for check in results]}
    print_result(document, as_json, lambda: [_table(results), verdict(results)])
    return 0 if can_measure else 4


def _table(checks: Sequence[Check]) -> AdaptiveTable:
    times = (Column(title, right=True) for title in ("Updates", "One read"))
    table = AdaptiveTable("    What", *times, Column("Found", wrap=True))
    for check in checks:
        mark, style = ("ok", "green") if check.readable else ("-", "yellow") if not check.found else ("!", "red")
        durations = (quantity(value, "s") if value is not None else "" for value in (check.tick_s, check.read_cost_s))
        reason = Text(check.reason or "")
        if check.fix:
            reason.append(f"\nfix: {check.fix}", style="bold")
        table.add(Text.assemble((f"{mark:<2}", style), f"  {check.kind} {check.name}"), *durations, reason)
    return table


def verdict(checks: Sequence[Check]) -> str:
    """Return what the readable sensors measure, and what is estimated instead, or not known."""
    from joulemark.suite.sensors.base import ADDITIONAL, MODELS

    readable = {check.name.partition(" ")[0] for check in checks if check.kind == "sensor" and check.readable}
    has_estimate, measuring = bool(readable & MODELS), readable - MODELS
    if not measuring:
        can_only = "only be estimated" if has_estimate else "not be measured"
        return f"\nEnergy can {can_only} here: no sensor that measures is readable."
    if measuring & {"rapl", "perf"}:
        return "\nEnergy can be measured on this machine."
    if measuring <= ADDITIONAL:
        parts = "only be estimated" if has_estimate else "not be measured"
        return f"\nThe energy of the whole machine can be measured. That of its parts can {parts}."
    host = "That of the host can only be estimated" if has_estimate else "That of the host cannot be measured"
    return f"\nThe energy of GPUs can be measured on this machine. {host}: it is not in the sums of cases on a GPU."

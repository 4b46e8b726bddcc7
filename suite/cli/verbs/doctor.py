"""`joulemark doctor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from joulemark.suite.cli.support.doctor_checks import Check
    from joulemark.suite.terminal.tables import AdaptiveTable


def command(python: options.Python = None, as_json: options.Json = False) -> int:
    """Check what this machine can measure: sensors, devices, frameworks, noise; reasons and fixes for what it cannot.

    What is missing or broken is a line of its answer.

    Exit codes: 0 if energy can be measured, 4 if it can only be estimated.
    """
    from dataclasses import asdict

    from joulemark.suite import settings
    from joulemark.suite.cli.support import doctor_checks
    from joulemark.suite.cli.support.prepare import describe_machine, parse_interpreters
    from joulemark.suite.sensors.gpus.inventory import discover
    from joulemark.suite.terminal.console import print_result
    from joulemark.suite.trial.discover import installed_frameworks
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    interpreters = settings.resolve({"python": parse_interpreters(python or ())}).python
    gpus = discover()
    installed = installed_frameworks(FRAMEWORKS, interpreters)
    machine = describe_machine(gpus, installed)
    checks = [
        *doctor_checks.sensor_checks(),
        *doctor_checks.device_checks(machine, gpus.reason),
        *doctor_checks.framework_checks(machine, interpreters),
        *doctor_checks.machine_checks(),
    ]
    can_measure = doctor_checks.can_measure_energy(checks)
    document = {"measured": can_measure, "checks": [asdict(check) for check in checks]}
    print_result(document, as_json, lambda: [_table(checks), _verdict(checks, can_measure)])
    return 0 if can_measure else 4


def _table(checks: Sequence[Check]) -> AdaptiveTable:
    from rich.text import Text

    from joulemark.suite.terminal.tables import AdaptiveTable, Column
    from joulemark.suite.units import quantity

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


def _verdict(checks: Sequence[Check], can_measure: bool) -> str:
    if can_measure:
        return "\nEnergy can be measured on this machine."
    can_estimate = any(check.kind == "sensor" and check.readable for check in checks)
    return f"\nEnergy can {'only be estimated' if can_estimate else 'not be measured'} here: no sensor is readable."

"""`joulemark doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from joulemark.suite.cli import options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from joulemark.suite.cli.support.doctor_checks import Check
    from joulemark.suite.terminal.tables import AdaptiveTable


def command(python: options.Python = None, as_json: options.Json = False) -> int:
    """Tell what this machine can measure: sensors, devices, frameworks, noise; why not, and the exact fix.

    Exit codes: 0 where energy can be measured, 4 where it can only be estimated.
    """
    from dataclasses import asdict

    from joulemark.suite import settings
    from joulemark.suite.cli.support import doctor_checks
    from joulemark.suite.cli.support.prepare import described, may_see, pythons
    from joulemark.suite.sensors.gpus.inventory import discover
    from joulemark.suite.terminal import console
    from joulemark.suite.trial.discover import installed_frameworks
    from joulemark.suite.trial.frameworks import FRAMEWORKS

    chosen = settings.resolve({"python": pythons(python or ())})
    boards = discover()
    installed = installed_frameworks(list(FRAMEWORKS), chosen.python, ask_devices=may_see(boards))
    here = described(boards, installed)
    found = [
        *doctor_checks.sensors(),
        *doctor_checks.devices(here, boards.reason),
        *doctor_checks.frameworks(here),
        *doctor_checks.surroundings(),
    ]
    can_measure = doctor_checks.measured(found)
    if as_json:
        console.print_json({"measured": can_measure, "checks": [asdict(check) for check in found]})
    else:
        console.print_text(_table(found), _verdict(found, can_measure))
    return 0 if can_measure else 4


def _table(found: Sequence[Check]) -> AdaptiveTable:
    from rich.text import Text

    from joulemark.suite import units
    from joulemark.suite.terminal.tables import AdaptiveTable, Column

    times = [Column(title, right=True) for title in ("Updates", "One read")]
    shown = AdaptiveTable("    What", *times, Column("Found", wrap=True))
    for check in found:
        mark, style = ("ok", "green") if check.readable else ("-", "yellow") if not check.found else ("!", "red")
        periods = (
            units.quantity(value, "s") if value is not None else "" for value in (check.tick_s, check.read_cost_s)
        )
        reason = Text(check.reason or "")
        if check.fix:
            reason.append(f"\nfix: {check.fix}", style="bold")
        shown.add(Text.assemble((f"{mark:<2}", style), f"  {check.kind} {check.name}"), *periods, reason)
    return shown


def _verdict(found: Sequence[Check], can_measure: bool) -> str:
    if can_measure:
        return "\nEnergy can be measured on this machine."
    estimate = any(check.kind == "sensor" and check.readable for check in found)
    return f"\nEnergy can only be {'estimated' if estimate else 'left out'} on this machine: no sensor is readable."

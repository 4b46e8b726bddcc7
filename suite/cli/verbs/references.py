"""`joulemark references`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from joulemark.suite.cli import options
from joulemark.suite.terminal.console import print_result
from joulemark.suite.terminal.tables import AdaptiveTable, Column

if TYPE_CHECKING:
    from joulemark.suite.results.references.kept import Reference


def command(as_json: options.Json = False) -> None:
    """List the reference machines: kept runs in the package, which a run is put beside.

    `joulemark report RUN --against NAME` and `joulemark compare RUN --against NAME` name one of them.
    """
    from joulemark.suite.results.references.kept import load_all

    references = load_all()
    print_result({"references": [_document(each) for each in references]}, as_json, lambda: [_table(references)])


def _table(references: tuple[Reference, ...]) -> AdaptiveTable:
    table = AdaptiveTable("Name", "Machine", "Measured", Column("Cases", right=True), Column("About", wrap=True))
    for each in references:
        about = " ".join(filter(None, [each.about, _sentence(each.caveat), f"{_frameworks(each)}."]))
        table.add(each.name, each.title, ", ".join(each.measured), str(len(each.run_file.cases)), about)
    return table


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _frameworks(reference: Reference) -> str:
    return ", ".join(f"{name} {info.label}" for name, info in reference.run_file.machine.frameworks.items())


def _document(reference: Reference) -> dict[str, Any]:
    """Return a reference machine with what it measured, as plain data."""
    run_file = reference.run_file
    machine = run_file.machine
    return {
        "name": reference.name,
        "title": reference.title,
        "about": reference.about,
        "caveat": reference.caveat or None,
        "measured": list(reference.measured),
        "machine": {
            "cpu": machine.cpu.model,
            "usable_cores": machine.cpu.usable_cores,
            "memory_bytes": machine.memory_bytes,
            "gpus": [{"name": g.name, "driver": g.driver, "power_limit_w": g.power_limit_w} for g in machine.gpus],
        },
        "frameworks": {name: info.label for name, info in machine.frameworks.items()},
        "joulemark": run_file.run.suite_version,
        "cases": [
            {
                "id": case.id,
                "workload_version": case.workload_version,
                "spec_version": case.spec_version or None,
                "item": case.item,
                "trials": len(case.ok_trials),
                "window_s": [trial.window_length_s for trial in case.ok_trials],
                "throughput": case.summary.throughput.model_dump(mode="json") if case.summary else None,
                "energy_per_item_j": case.summary.energy_per_item_j.model_dump(mode="json") if case.summary else None,
                "status": case.status,
            }
            for case in run_file.cases
        ],
    }

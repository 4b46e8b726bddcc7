"""Runs whose cases are of several ranks, with efficiencies that are known."""

from __future__ import annotations

from run_files import case, energy, run_file, trial

from joulemark.suite.records import Difference, Efficiency, Kind, Quantity, RunFile


def ranked_run(kind: Kind = "model", low: float | None = 0.12, ranks: tuple[int, ...] = (2,)) -> RunFile:
    """Return cases of `ranks` with an efficiency of 15 % on 2 of them, and an unknown one on any other."""
    cases = []
    for count in ranks:
        known = count == 2
        efficiency = Efficiency(
            value=0.15 if known else None,
            low=low if known else None,
            high=0.18 if known and low is not None else None,
            n=3,
            reason=None if known else "absent",
            of_one_rank=Quantity(value=0.2, unit="", n=3),
            of_ranks_apart=Quantity(value=0.3, unit="", n=3),
            exposed_communication_s=Difference(value=-104e-6, unit="s", n=3),
            exposed_share=Difference(value=-0.024, unit="", n=3),
            energy_ratio=Quantity(value=1.2, unit="", n=3, kind=kind),
        )
        made = case(trials=[trial(readings=[energy(kind=kind)])])
        fields = {"ranks": count, "strategy": "ddp", "scaling": "weak", "efficiency": efficiency}
        cases.append(made.model_copy(update={**fields, "id": f"{made.id}+ranks={count}+ddp"}))
    return run_file(cases)

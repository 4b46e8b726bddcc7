"""What N ranks are worth: efficiency, exposed communication and energy against baselines of the same rounds. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import fmean

from joulemark.suite.energy.attribution import case_energy, weakest
from joulemark.suite.records import BoardPower, Case, Difference, Distributed, Efficiency, Gpu, Quantity, Trial
from joulemark.suite.results.quantities import ONE_TRIAL, energy_quantity, unknown
from joulemark.suite.results.ranks.slowest import slowest_rank
from joulemark.suite.stats.intervals import CONFIDENCE, geometric_mean, standard_deviation, t_quantile

ByRound = Mapping[int, float]
"""A number of a case in each round."""
_SHARED = (
    "workload", "variant", "workload_version", "size", "phase", "framework", "mode", "device", "precision",
    "batch_size", "threads", "allocator", "arm",
)  # fmt: skip
"""Fields that a case of several ranks and its baselines have in common."""
NO_ROUND = "no round measured both"


def with_efficiency(cases: Sequence[Case], gpus: Sequence[Gpu]) -> list[Case]:
    """Return the cases; those of several ranks with their results, and with those against their baselines."""
    return [_with_results(case, cases, gpus) if case.ranks is not None and case.summary else case for case in cases]


def _with_results(case: Case, cases: Sequence[Case], gpus: Sequence[Gpu]) -> Case:
    slowest = slowest_rank(case)
    distributed = Distributed(
        node_energy_per_item_j=_node_energy(case),
        boards=tuple(_board_powers(case, gpus)),
        slowest_rank=slowest.rank if slowest else None,
    )
    efficiency = _efficiency(case, cases) if case.strategy is not None else None
    notices = (*case.notices, *((slowest.notice,) if slowest else ()))
    return case.model_copy(update={"distributed": distributed, "efficiency": efficiency, "notices": notices})


def _efficiency(case: Case, cases: Sequence[Case]) -> Efficiency:
    """Return the results of a case against its baselines."""
    assert case.ranks is not None
    assert case.local_ranks is not None
    same = [each for each in cases if all(getattr(each, name) == getattr(case, name) for name in _SHARED)]
    single = _find(same, "that is not distributed", lambda each: each.ranks is None)
    one = _find(same, "of one rank", lambda each: each.ranks == 1 and each.strategy == case.strategy)
    apart: Case | str = "one rank has nobody to communicate with"
    if case.ranks > 1:
        kind = (case.ranks, None, case.scaling)
        apart = _find(same, "of ranks apart", lambda each: (each.ranks, each.strategy, each.scaling) == kind)
    rates = _rates(case)
    main = _ratio(rates, single, case.local_ranks)
    return Efficiency(
        **main.model_dump(include={"value", "low", "high", "n", "reason"}),
        of_one_rank=_ratio(rates, one, case.local_ranks),
        of_ranks_apart=_ratio(rates, apart, 1),
        exposed_communication_s=_exposed_s(case, apart),
        exposed_share=_exposed_share(case, apart),
        energy_ratio=_energy_ratio(case, single),
    )


def _find(cases: Iterable[Case], what: str, wanted: Callable[[Case], bool]) -> Case | str:
    """Return the baseline that is `wanted`, or why there is none."""
    for case in cases:
        if wanted(case):
            return case if case.summary is not None else f"the case {what} has no result: {case.reason}"
    return f"the run has no case {what}"


def _usable(case: Case) -> list[Trial]:
    return [trial for trial in case.trials if trial.is_usable]


def _rates(case: Case) -> dict[int, float]:
    """Return the items per second of each round."""
    return {trial.round: trial.items / trial.window_length_s for trial in _usable(case)}


def _step_s(case: Case) -> dict[int, float]:
    """Return the time of a step of all ranks in each round, seconds: its items over the rate of all."""
    return {trial.round: items_per_step(trial) * trial.window_length_s / trial.items for trial in _usable(case)}


def items_per_step(trial: Trial) -> float:
    """Return the items of one step of all ranks."""
    whole = sum(rank.items / rank.steps for rank in trial.ranks if rank.steps)
    return whole or trial.items / trial.steps


def _paired(numbers: ByRound, of_baseline: ByRound) -> list[tuple[float, float]]:
    return [(number, of_baseline[round_]) for round_, number in sorted(numbers.items()) if round_ in of_baseline]


def _ratio(rates: ByRound, baseline: Case | str, ranks: int) -> Quantity:
    """Return the mean over rounds of the rate over `ranks` times that of the baseline."""
    if isinstance(baseline, str):
        return Quantity(value=None, unit="", n=0, reason=baseline)
    ratios = [rate / (ranks * other) for rate, other in _paired(rates, _rates(baseline))]
    if not ratios:
        return Quantity(value=None, unit="", n=0, reason=NO_ROUND)
    mean = geometric_mean(ratios)
    reason = ONE_TRIAL if mean.n == 1 else None
    return Quantity(value=mean.value, low=mean.low, high=mean.high, unit="", n=mean.n, reason=reason)


def _exposed_s(case: Case, apart: Case | str) -> Difference:
    if isinstance(apart, str):
        return Difference(value=None, unit="s", n=0, reason=apart)
    return mean_difference([a - b for a, b in _paired(_step_s(case), _step_s_of(apart, case))], "s")


def _exposed_share(case: Case, apart: Case | str) -> Difference:
    if isinstance(apart, str):
        return Difference(value=None, unit="", n=0, reason=apart)
    return mean_difference([(a - b) / a for a, b in _paired(_step_s(case), _step_s_of(apart, case))], "")


def _step_s_of(apart: Case, case: Case) -> dict[int, float]:
    """Return the time in which ranks apart do the items of a step of `case`, seconds."""
    items = {trial.round: items_per_step(trial) for trial in _usable(case)}
    return {round_: items[round_] / rate for round_, rate in _rates(apart).items() if round_ in items}


def mean_difference(values: Sequence[float], unit: str) -> Difference:
    """Return the mean of differences with its t interval."""
    if not values:
        return Difference(value=None, unit=unit, n=0, reason=NO_ROUND)
    n, mean = len(values), fmean(values)
    if n == 1:
        return Difference(value=mean, unit=unit, n=1, reason=ONE_TRIAL)
    half = t_quantile((1 + CONFIDENCE) / 2, n - 1) * standard_deviation(values) / math.sqrt(n)
    return Difference(value=mean, low=mean - half, high=mean + half, unit=unit, n=n)


def _energy_ratio(case: Case, single: Case | str) -> Quantity:
    """Return joules per item over those of the case that is not distributed."""
    if isinstance(single, str):
        return unknown("", single)
    energies, others = case_energy(_usable(case)), case_energy(_usable(single))
    of_single = {energy.trial.round: energy.energy_j / energy.trial.items for energy in others.trials}
    own = {energy.trial.round: energy.energy_j / energy.trial.items for energy in energies.trials}
    pairs = _paired(own, of_single)
    if not pairs:
        return unknown("", "; ".join((*energies.excluded, *others.excluded)) or NO_ROUND)
    mean = geometric_mean([a / b for a, b in pairs])
    return Quantity(
        value=mean.value,
        low=mean.low,
        high=mean.high,
        unit="",
        n=mean.n,
        kind=weakest((energies.kind, others.kind)),
        reason=ONE_TRIAL if mean.n == 1 else None,
    )


def _node_energy(case: Case) -> Quantity:
    """Return joules per item with those of the GPUs that the case leaves idle."""
    energy = case_energy(_usable(case))
    values, missing = [], set()
    for each in energy.trials:
        idle = [reading for reading in each.trial.energy if reading.component == "gpu" and not reading.attributed]
        missing |= {f"gpu {reading.scope}: {reading.reason}" for reading in idle if reading.energy_j is None}
        values.append((each.energy_j + sum(reading.energy_j or 0.0 for reading in idle)) / each.trial.items)
    quantity = energy_quantity(energy, "J", values)
    if missing and quantity.value is not None:
        reason = "; ".join(filter(None, (quantity.reason, "not measured: " + "; ".join(sorted(missing)))))
        return quantity.model_copy(update={"lower_bound": True, "reason": reason})
    return quantity


def _board_powers(case: Case, gpus: Sequence[Gpu]) -> Iterable[BoardPower]:
    """Yield the power of each GPU in use."""
    names = {gpu.uuid: gpu.device for gpu in gpus}
    powers: dict[str, list[float]] = {}
    for energy in case_energy(_usable(case)).trials:
        for reading in energy.readings:
            if reading.component == "gpu" and reading.energy_j:
                powers.setdefault(reading.scope, []).append(reading.energy_j / energy.trial.window_length_s)
    for uuid, watts in powers.items():
        mean = geometric_mean(watts)
        reason = ONE_TRIAL if mean.n == 1 else None
        power = Quantity(value=mean.value, low=mean.low, high=mean.high, unit="W", n=mean.n, reason=reason)
        yield BoardPower(device=names.get(uuid) or uuid, uuid=uuid, power_w=power)

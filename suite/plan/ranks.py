"""Cases of several ranks, and the baselines that are measured in the same rounds.

For each training case, and each number N of ranks: the case that is not distributed; one rank of the strategy; N ranks
of it; and N ranks that train each for itself at the same time. A rank has as many threads in all of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from joulemark.suite.errors import UsageError, unknown
from joulemark.suite.plan.profiles import Profile
from joulemark.suite.records import NOT_ATTEMPTED, Case, FrameworkInfo, Settings
from joulemark.suite.trial.frameworks import FRAMEWORKS, Framework, Strategy
from joulemark.suite.trial.frameworks import framework as find_framework
from joulemark.workloads.registry import workloads

PHASE = "training"
"""The only phase in which ranks have anything to communicate."""


def threads(settings: Settings, profile: Profile, cores: int) -> int:
    """Return the threads of a rank: the cores divided by the most ranks, unless the user or the profile gives them.

    Raises UsageError for more ranks than cores on the CPU.
    """
    if not settings.ranks or settings.threads is not None or profile.threads is not None:
        return cores
    most = max(on_node(ranks, settings) for ranks in settings.ranks)
    if most > cores and "cpu" in (settings.device or ("cpu",)):
        raise UsageError(
            f"--ranks {most} is more than the {cores} cores that this process may use: the ranks would wait for each "
            f"other. Give --ranks {cores} at most, --device for GPUs, or --threads for the threads of a rank."
        )
    return max(1, cores // most)


def spans(ranks: int, settings: Settings) -> bool:
    """Return whether so many ranks are divided among several nodes. One is not, in the baseline of each node."""
    return ranks > 1 and (settings.nodes or 1) > 1


def on_node(ranks: int, settings: Settings) -> int:
    """Return how many of so many ranks are on each node."""
    return ranks // (settings.nodes or 1) if spans(ranks, settings) else ranks


def check_options(settings: Settings, phases: Collection[str]) -> None:
    """Raise UsageError for options of ranks that contradict one another, or that nothing selected can have."""
    if not settings.ranks:
        for name in ("strategy", "scaling"):
            if getattr(settings, name):
                raise UsageError(f"--{name} says how several ranks work: add --ranks N, such as --ranks 2.")
        return
    for ranks in settings.ranks:
        if spans(ranks, settings) and ranks % (settings.nodes or 1):
            raise UsageError(f"--ranks {ranks} cannot be divided among {settings.nodes} nodes alike: give a multiple.")
    if settings.latency:
        raise UsageError("--latency times single steps, which ranks take together: leave it out, or --ranks.")
    if settings.phase and PHASE not in settings.phase:
        raise UsageError(
            f"--ranks is for phase {PHASE}, in which ranks exchange gradients; found --phase "
            f"{' and '.join(settings.phase)}. Leave --phase or --ranks out."
        )
    if PHASE not in phases:
        raise UsageError(
            f"--ranks is for phase {PHASE}, and nothing that is selected has it: choose another --workload."
        )
    for framework in _frameworks(settings):
        _check_modes(settings, framework)
        for strategy in strategies(settings, framework) if (settings.nodes or 1) > 1 else ():
            if not strategy.spans_nodes:
                raise UsageError(
                    f"{framework.title}'s {strategy.name} has all its ranks on one node: leave --on and --nodes out, "
                    "or choose another --strategy or --framework."
                )


def _frameworks(settings: Settings) -> list[Framework]:
    """Return the selected frameworks that have a selected strategy. Raises UsageError."""
    known = {name for each in FRAMEWORKS.values() for name in each.strategies}
    for name in settings.strategy:
        if name not in known:
            raise unknown("strategy", name, known)
    selected = [find_framework(name) for name in settings.framework or FRAMEWORKS]
    having = [each for each in selected if strategies(settings, each)]
    lacking = [each for each in selected if each not in having] if settings.framework else []
    for name in settings.strategy:
        if not any(name in each.strategies for each in selected):
            lacking = lacking or selected
    if lacking or not having:
        raise UsageError("; ".join(_lack(settings, each) for each in lacking) + ".")
    return having


def _lack(settings: Settings, framework: Framework) -> str:
    """Return what a framework has instead of the selected strategies that it lacks."""
    missing = [name for name in settings.strategy if name not in framework.strategies]
    wanted = " or ".join(missing) or "strategy for several ranks"
    return f"{framework.title} has no {wanted}: it has {', '.join(framework.strategies) or 'none'}"


def _check_modes(settings: Settings, framework: Framework) -> None:
    """Raise UsageError if a mode is selected that none of the framework's selected strategies runs in."""
    if not settings.mode:
        return
    for strategy in strategies(settings, framework):
        for mode in settings.mode:
            if mode in framework.modes and mode not in strategy.modes:
                raise UsageError(
                    f"--mode {mode} does not run on several ranks: {framework.title}'s {strategy.name} is measured in "
                    f"{' and '.join(strategy.modes)}."
                )


def strategies(settings: Settings, framework: Framework) -> list[Strategy]:
    """Return the selected strategies that a framework has; its first where none is named."""
    if not settings.strategy:
        return list(framework.strategies.values())[:1]
    return [framework.strategies[name] for name in dict.fromkeys(settings.strategy) if name in framework.strategies]


def distributed(cases: Sequence[Case], settings: Settings, installed: Mapping[str, FrameworkInfo]) -> list[Case]:
    """Return those of `cases` that can be distributed, each as on several ranks, with their baselines.

    Raises UsageError for more ranks than there are GPUs.
    """
    found: list[Case] = []
    for case in cases:
        framework = FRAMEWORKS[case.framework]
        chosen = strategies(settings, framework)
        if case.phase != PHASE or not chosen:
            continue
        modes = [mode for strategy in chosen for mode in (settings.mode or strategy.modes[:1])]
        if case.mode not in modes:
            continue
        _check_gpus(case, settings, installed.get(case.framework))
        found.append(case)
        for ranks in sorted(set(settings.ranks)):
            if ranks > 1:
                found.append(_on_ranks(case, settings, ranks, None))
        for strategy in chosen:
            if case.mode in strategy.modes:
                found += [_on_ranks(case, settings, ranks, strategy.name) for ranks in sorted({1, *settings.ranks})]
    return found


def _check_gpus(case: Case, settings: Settings, info: FrameworkInfo | None) -> None:
    kind, _, first = case.device.partition(":")
    if kind == "cpu" or info is None or case.device not in info.devices:
        return
    most = max(on_node(ranks, settings) for ranks in settings.ranks)
    gpus = [device for device in info.devices if device != "cpu"]
    left = len(gpus) - int(first or 0)
    if most > left:
        raise UsageError(
            f"--ranks {most} is more than the GPUs that {FRAMEWORKS[case.framework].title} sees from {case.device} on, "
            f"{left}: give --ranks {left} at most, or --device cpu."
        )


def _on_ranks(case: Case, settings: Settings, ranks: int, strategy: str | None) -> Case:
    """Return the case on several ranks, which do not communicate without a strategy."""
    scaling = settings.scaling or "weak"
    nodes = settings.nodes if spans(ranks, settings) else None
    differences = dict(_differences(ranks, strategy, scaling, nodes))
    task, *others = case.id.split("+")
    named = sorted([*others, *(f"{key}={value}" for key, value in differences.items())])
    changes: dict[str, object] = {"id": "+".join([task, *named]), "ranks": ranks, "strategy": strategy}
    changes |= {"scaling": scaling, "nodes": nodes}
    reason = _refusal(case, ranks, scaling)
    if reason is not None and case.reason_code == NOT_ATTEMPTED:
        changes |= {"reason_code": "unsupported", "reason": reason}
    return case.model_copy(update=changes)


def _refusal(case: Case, ranks: int, scaling: str) -> str | None:
    """Return why the case cannot be trained on several ranks; None where it can."""
    if not workloads()[case.workload_id].batched:
        return f"a step of {case.workload_id} is one problem, without a batch to divide among ranks"
    if scaling == "strong" and case.batch_size % ranks:
        return f"a batch of {case.batch_size} cannot be divided among {ranks} ranks alike"
    return None


def _differences(ranks: int, strategy: str | None, scaling: str, nodes: int | None) -> Iterator[tuple[str, str]]:
    """Yield the settings in a case's id."""
    if nodes is not None:
        yield "nodes", str(nodes)
    yield "ranks", str(ranks)
    if strategy is None:
        yield "communication", "none"
    else:
        yield "strategy", strategy
    if scaling == "strong":
        yield "scaling", scaling

"""A trial whose ranks are processes: starts them together, and joins what they have measured."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from joulemark.suite.system.ranks import span
from joulemark.suite.trial import outcome, timing
from joulemark.suite.trial.frameworks.adapter import Adapter, Execution, Step
from joulemark.suite.trial.frameworks.adapter import load as load_framework
from joulemark.suite.trial.frameworks.prepared import Prepared, prepare
from joulemark.suite.trial.outcome import RankFailedError
from joulemark.suite.trial.ranks import forks, strategy
from joulemark.suite.trial.ranks.common_window import Fields, joined
from joulemark.suite.trial.ranks.group import Group, PaceApart, PaceTogether
from joulemark.suite.trial.ranks.strategy import Meeting
from joulemark.suite.trial.request import Request

ALONE: Final = "ranks_alone"
"""The stage in which each rank times its own steps, without communication, while the others do the same."""
ALONE_S: Final = 0.5
ALONE_STEPS: Final = 10, 200
"""It lasts so long, within these numbers of steps."""
MeasureCase = Callable[[Prepared, Request, timing.Pace, int], Fields]
"""Measures the case of a rank, by its number on its node, at a pace, and returns fields of its trial."""
Report = Callable[..., None]


def run(request: Request, measure: MeasureCase, report: Report) -> Fields | None:
    """Measure `request` in its ranks on this node and return the fields of its trial; None if one reported an error.

    Raises RankFailedError for a rank that ends without a word, and RanksApartError.
    """
    assert request.ranks is not None
    node = span.find() if request.nodes > 1 else None
    local = request.ranks // request.nodes
    first = local * node.node if node is not None else 0
    together = request.strategy is not None
    group = Group(request.ranks, first=first, local=local) if together else Group(local, first=first, local=local)

    def run_rank(rank: int) -> Fields:
        group.enter(rank)
        try:
            fields = _run_rank(request, group, measure)
            group.leave()
            return fields
        except BaseException as error:  # noqa: BLE001  whatever a rank raises is its result
            if group.is_first_failure():
                code, reason = outcome.classify(error)
                dead = group.ended()
                if dead is not None:  # the error is that it does not answer
                    rank, code, reason = dead, "crashed", "the process was killed or crashed"
                report(error={"code": code, "reason": f"rank {rank}: {reason}"})
                group.has_reported()
            else:
                group.await_report()
            group.leave()
            raise SystemExit(RankFailedError.REPORTED) from None

    try:
        if request.strategy is None:
            return joined(forks.launch(local, lambda number: run_rank(first + number)), first)
        if node is None:
            return joined(strategy.load(request.framework, request.strategy).launch(local, run_rank))
        spanning = strategy.load_spanning(request.framework, request.strategy)
        return joined(spanning.launch(local, run_rank, Meeting(node, request.meeting)), first)
    except RankFailedError as error:
        if error.exit_code == RankFailedError.REPORTED:
            return None
        raise


def _run_rank(request: Request, group: Group, measure: MeasureCase) -> Fields:
    """Measure the case in one rank."""
    device = strategy.rank_device(request.device, group.local_rank)
    own = replace(request, device=device, batch_size=request.rank_batch_size)
    if request.strategy is None:
        fields = measure(
            prepare(own, load_framework(request.framework), (group.rank,)), own, PaceApart(group), group.local_rank
        )
        start, end = fields["window"]
        own_s = (end - start) / fields["steps"]
    else:
        adapter: strategy.RankAdapter | None = None

        def make(execution: Execution) -> Adapter:
            nonlocal adapter
            adapter = strategy.load(request.framework, str(request.strategy)).Adapter(execution)
            adapter.join(group)
            if group.spans:
                group.connect(*strategy.load_spanning(request.framework, str(request.strategy)).connection(adapter))
            return adapter

        case = prepare(own, make, (group.rank,))
        assert adapter is not None
        fields = measure(case, own, PaceTogether(group), group.local_rank)
        own_s = _own_step_s(case, adapter.alone(case.program.step), group)
        adapter.leave()
    return fields | {"device": device, "own_s": own_s}


def _own_step_s(case: Prepared, alone: Step, group: Group) -> float:
    """Return the median time of a step without communication, seconds; all ranks begin each step together."""
    step = case.stepper(alone)
    synchronize: Callable[[], Any] = case.adapter.synchronize

    def timed() -> float:
        group.barrier()
        start = timing.CLOCK()
        step()
        synchronize()
        return timing.CLOCK() - start

    first = min(timed() for _ in range(timing.MIN_WARMUP_STEPS))
    fewest, most = ALONE_STEPS
    count = int(group.agree(min(most, max(fewest, ALONE_S / max(first, 1e-6)))))
    return statistics.median(timed() for _ in range(count))

"""A job as plain data, for `--json`."""

from __future__ import annotations

from typing import Any

from joulemark.suite.results.jobs.total import NOT_MEASURED, JobTotal, Missing, NodeTotal, by_component

Document = dict[str, Any]


def job_document(total: JobTotal) -> Document:
    """Return the job; amounts are None where nothing was measured."""
    energy = total.energy
    return {
        "job": total.job,
        "energy_j": energy.energy_j,
        "low_j": energy.low_j,
        "high_j": energy.high_j,
        "kind": energy.kind,
        "lower_bound": total.lower_bound,
        "components_j": by_component(energy.readings),
        "emissions_g": total.emissions_g,
        "nodes": [{**_node(node), **_standing(total, i)} for i, node in enumerate(total.nodes)],
        "missing": [_missing(entry) for entry in total.missing],
        "not_measured": [{"what": what, "reason": reason} for what, reason in NOT_MEASURED],
        "notes": [*total.notes, *([total.standings.note] if total.standings else [])],
    }


def _standing(total: JobTotal, i: int) -> Document:
    """Return how a node stands to the others; nothing where they did one thing together."""
    if total.standings is None:
        return {}
    standing = total.standings.nodes[i]
    return {"speed": standing.speed, "efficiency": standing.efficiency, "outlier": list(standing.outlier)}


def _node(total: NodeTotal) -> Document:
    node, energy, window_s = total.member.node, total.energy, total.window_s
    return {
        "rank": node.rank,
        "count": node.count,
        "host": node.host,
        "first_rank": node.first_rank,
        "ranks": node.ranks,
        "local_ranks": node.local_ranks,
        "launcher": node.launcher,
        "run": total.member.run_file.run.id,
        "path": total.member.name,
        "energy_j": energy.energy_j,
        "low_j": energy.low_j,
        "high_j": energy.high_j,
        "kind": energy.kind,
        "lower_bound": bool(total.missing),
        "components_j": total.components_j,
        "boards": [{"uuid": uuid, "energy_j": energy_j} for uuid, energy_j in total.boards_j.items()],
        "emissions_g": total.emissions.value,
        "window": None if window_s is None else [total.member.utc(time_s).isoformat() for time_s in window_s],
        "clock_offset_s": total.offset.offset_s,
        "clock_error_s": total.offset.error_s,
        "missing": [_missing(entry) for entry in total.missing],
    }


def _missing(entry: Missing) -> Document:
    return {"what": entry.what, "reason": entry.reason}

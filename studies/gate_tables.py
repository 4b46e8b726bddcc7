"""Format a study by `gate.py` as Markdown tables: `python -m studies.gate_tables [FILE]` prints those of a kept one."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]


def tables(study: Mapping[str, Any]) -> str:
    """Return all tables of a study, each under its heading."""
    parts = [
        ("The pool", "pool", pool),
        ("As measured, no two comparisons sharing a trial", "as_measured", as_measured),
        ("No difference, resampled", "no_difference", no_difference),
        ("No difference, three analyses as if each were the only one", "naive_peeking", no_difference),
        ("More work: share of comparisons that alarm", "power", power),
        ("More work, extra rounds where in doubt", "power_with_extra_rounds", extra),
    ]
    return "\n\n".join(f"### {title}\n\n{draw(study[key])}" for title, key, draw in parts if key in study)


def pool(facts: Row) -> str:
    """Return the size of the pool, its noise, and the true effect of each arm."""
    sessions = facts["sessions"]
    rounds = sorted(session["rounds"] for session in sessions)
    head = (
        f"{facts['base_trials']} trials of the base in {len(sessions)} sessions of {rounds[0]} to {rounds[-1]} rounds, "
    )
    head += f"median step {1e3 * facts['median_step_s']:.2f} ms"
    rows = [
        [arm, f"{ratio:.3f}", f"{low:.3f} to {high:.3f}"]
        for arm, (ratio, low, high) in facts["step_time_ratio"].items()
    ]
    noise = ""
    if facts["trial_sd"] is not None:
        noise = f"; standard deviation {facts['trial_sd']:.1%} between trials, {facts['run_sd']:.1%} between sessions"
    return f"{head}{noise}.\n\n" + _table(["work", "step time, ratio", "95 %"], rows)


def as_measured(rows: Sequence[Row]) -> str:
    """Return false alarms with their exact intervals, beside those of a threshold on a mean."""
    head = ["compared", "rounds", "comparisons", "alarms", "95 %", "relabelled"]
    head += ["mean:5%, one process", "mean:5%, all processes"]
    return _table(
        head,
        [
            [
                row["kind"],
                str(row["rounds"]),
                str(row["regressed"]["of"]),
                str(row["regressed"]["hits"]),
                _bounds(row["regressed"]),
                f"{_rate(row['relabelled'])} of {row['relabelled']['of']:,}",
                _rate(row["one process, mean:5%"]),
                _rate(row["all processes, mean:5%"]),
            ]
            for row in rows
        ],
    )


def no_difference(rows: Sequence[Row]) -> str:
    """Return false alarms of resampled comparisons."""
    head = ["compared", "rounds", "analyses", "false alarms", "95 %", "differs", "in doubt", "mean:5%, one process"]
    return _table(
        head,
        [
            [
                row["kind"],
                str(row["rounds"]),
                str(row["looks"]),
                _rate(row["regressed"], 2),
                _bounds(row["regressed"], 2),
                _rate(row["differs"]),
                _rate(row["in doubt"]),
                _rate(row["one process, mean:5%"]),
            ]
            for row in rows
        ],
    )


def power(rows: Sequence[Row]) -> str:
    """Return the share of comparisons that alarm, by rounds."""
    rounds = sorted({row["rounds"] for row in rows})
    kinds = list(dict.fromkeys((row["kind"], row["arm"]) for row in rows))
    cells = {(row["kind"], row["arm"], row["rounds"]): _rate(row["regressed"], 0) for row in rows}
    return _table(
        ["compared", "work", *(f"{count} rounds" for count in rounds)],
        [[kind, arm, *(cells[kind, arm, count] for count in rounds)] for kind, arm in kinds],
    )


def extra(rows: Sequence[Row]) -> str:
    """Return how often extra rounds end in an alarm, and how many rounds they took."""
    return _table(
        ["compared", "work", "first rounds", "alarms", "in doubt", "rounds on average"],
        [
            [
                row["kind"],
                row["arm"],
                str(row["rounds"]),
                _rate(row["regressed"], 0),
                _rate(row["in doubt"], 0),
                f"{row['rounds_used']:.1f}",
            ]
            for row in rows
        ],
    )


def _rate(share: Row, digits: int = 1) -> str:
    return f"{100 * share['rate']:.{digits}f} %"


def _bounds(share: Row, digits: int = 1) -> str:
    return f"{100 * share['low']:.{digits}f} to {100 * share['high']:.{digits}f} %"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---" if i == 0 else "---:" for i in range(len(head))], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    default = Path(__file__).parents[1] / "docs" / "results" / "gate-2-cores.json"
    print(tables(json.loads(Path(sys.argv[1] if len(sys.argv) > 1 else default).read_text())))

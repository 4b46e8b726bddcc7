"""Run files of a sweep over a board whose values are known."""

from __future__ import annotations

import math

import numpy as np
from run_files import case, energy, run_file, trial
from simulated_board import Board, sweep

from joulemark.suite.records import RunFile, Settings

LIMITS_W, ROUNDS = (400, 500, 600, 700), 6
WINDOW_S = 100.0
BOARD = Board(item_s=0.1)


def make_run(
    kind="counter", host_watts=None, confirmed=(), later_factor=1.0, device="cpu", limits_w=LIMITS_W, **settings
) -> RunFile:
    """Return a sweep of power limits, the last of which is the default.

    `confirmed` limits get rounds of their own, in which joules below the highest limit are multiplied by
    `later_factor`.
    """
    values = BOARD.true_values(limits_w)
    times, joules = sweep(values, 2 * ROUNDS, np.random.default_rng(4))
    component = "package" if device == "cpu" else "gpu"
    cases = []
    for k, limit_w in enumerate(limits_w):
        trials = []
        for number in range(1, (2 if limit_w in confirmed else 1) * ROUNDS + 1):
            factor = later_factor if number > ROUNDS and limit_w != limits_w[-1] else 1.0
            items = WINDOW_S / math.exp(times[k][number])
            reading = energy(factor * math.exp(joules[k][number]) * int(items), component, kind)
            trials.append(trial(number, int(items) / WINDOW_S, 10.0 + 200 * number, WINDOW_S, [reading]))
        default = limit_w == limits_w[-1]
        suffix = "" if default else f"+power-limit={limit_w}"
        cases.append(
            case(
                id=f"cnn:small/training/pytorch/eager/{device}/fp32/b32{suffix}",
                device=device,
                trials=trials,
                power_limit_w=limit_w,
                sweep_default=default,
            )
        )
    file = run_file(cases, settings=Settings(over={"power-limit": limits_w}, host_watts=host_watts, **settings))
    return file.model_copy(update={"run": file.run.model_copy(update={"rounds": ROUNDS, "max_rounds": 2 * ROUNDS})})


def swept_threads(**given) -> RunFile:
    """Return the same run as a sweep of one to four threads, the last of which is the default."""
    run = make_run(**given)
    cases = [case.model_copy(update={"threads": k, "power_limit_w": None}) for k, case in enumerate(run.cases, 1)]
    settings = run.settings.model_copy(update={"over": {"threads": (1, 2, 3, 4)}})
    return run.model_copy(update={"cases": tuple(cases), "settings": settings})


def true_ratios(limit_w):
    (time_s, energy_j), (default_s, default_j) = BOARD.true_values((limit_w, LIMITS_W[-1]))
    return energy_j / default_j, default_s / time_s

"""A sweep's findings, from run files of a board whose values are known."""

from __future__ import annotations

import re

import pytest
from report_files import on_gpu
from run_files import energy, run_file
from swept_runs import BOARD, LIMITS_W, ROUNDS, make_run, swept_threads, true_ratios

from joulemark.suite.cli.support.sweep.document import sweep_document
from joulemark.suite.records import GpuState
from joulemark.suite.stats.sweep.analysis import analyse, to_confirm
from joulemark.suite.stats.sweep.sentences import (
    choice_sentences,
    gain_sentence,
    goal_text,
    host_sentence,
    plateau_sentence,
    settings_text,
)


def test_best_settings_and_front_of_a_known_board():
    (found,) = analyse(make_run())
    assert found.task == "cnn:small/training/pytorch/eager/cpu/fp32/b32"
    assert [settings_text(point) for point in found.points] == ["400 W", "500 W", "600 W", "700 W"]
    assert len(found.front) == 4  # at 700 W it draws 640 W: faster than at 600 W
    assert found.beaten == frozenset()
    joules = found.choices["joules"]
    assert settings_text(joules.best) == "600 W"
    assert joules.candidates == (found.points[2],)
    assert goal_text("joules", 0.05) == "least joules at 5 % slow-down at most"
    assert plateau_sentence(found) == "the power limit does not bind at 700 W: the load draws less"
    assert "--host-watts" in host_sentence(found)
    assert "node_joules" not in found.choices


def test_gain_is_that_of_the_later_rounds_alone():
    """The rounds that chose a setting say nothing of what it gains: another truth in the later ones shows."""
    run = make_run(confirmed=(600, 700))
    energy_ratio, speed_ratio = true_ratios(600)
    gain = analyse(run)[0].choices["joules"].gain
    assert gain.rounds == ROUNDS
    assert gain.energy.low < energy_ratio < gain.energy.high
    assert gain.speed.low < speed_ratio < gain.speed.high
    words = gain_sentence(analyse(run)[0].choices["joules"])
    assert words.startswith("at 600 W: ")
    assert " fewer joules for " in words
    assert words.endswith(" less speed")
    halved = analyse(make_run(confirmed=(600, 700), later_factor=0.5))[0]
    assert halved.points[2].joules == analyse(run)[0].points[2].joules
    assert halved.choices["joules"].gain.energy.value == pytest.approx(0.5 * gain.energy.value)


def test_best_and_default_are_confirmed_and_nothing_where_the_default_is_best():
    ends = lambda run: {name.partition("+")[2] for name in to_confirm(run)}  # noqa: E731
    assert ends(make_run()) == {"power-limit=600", "power-limit=400", ""}  # by joules, and by energy-delay product
    assert ends(make_run(slowdown=0.5)) == {"power-limit=400", ""}
    assert ends(make_run(slowdown=0.0)) == {"power-limit=400", ""}
    assert analyse(make_run(slowdown=0.0))[0].choices["joules"].best.is_default
    alone = make_run()
    assert ends(alone.model_copy(update={"cases": alone.cases[-1:]})) == set()


def test_watts_of_the_host_raise_the_best_limit():
    (found,) = analyse(make_run(host_watts=2000.0, slowdown=0.5))
    assert settings_text(found.choices["joules"].best) == "400 W"
    values = BOARD.true_values(LIMITS_W)
    node = [energy_j + 2000.0 * time_s for time_s, energy_j in values]
    assert settings_text(found.choices["node_joules"].best) == f"{LIMITS_W[node.index(min(node))]} W" == "700 W"
    assert found.points[0].node_energy_j.value == pytest.approx(node[0], rel=0.02)
    assert host_sentence(found) == "whole machine: 2000 W assumed beside what is measured"


def test_what_a_gpu_says_of_limit_and_clock_counts():
    """A GPU that holds its clock back for the limit says so, however little it draws on average."""
    run = make_run(device="cuda:0")
    gpu = on_gpu().machine.gpus[0].model_copy(update={"device": "cuda:0"})
    cases = tuple(case.model_copy(update={"clock_mhz": 1500}) for case in run.cases)
    machine = run.machine.model_copy(update={"gpus": (gpu,)})
    run = run.model_copy(update={"cases": cases, "machine": machine})
    assert [point.limit_binds for point in analyse(run)[0].points] == [True, True, True, False]

    in_window_s = sum(cases[0].trials[0].window_s) / 2
    state = GpuState(t_s=in_window_s, scope=gpu.uuid, sm_clock_mhz=1200, throttled=("power_cap",))
    trace = run.traces[0].model_copy(update={"states": (state, state.model_copy(update={"t_s": 1.0}))})
    (found,) = analyse(run.model_copy(update={"traces": (trace,)}))
    assert [point.limit_binds for point in found.points] == [True] * 4
    assert "the clock was another at 400 W (1,200 MHz)" in plateau_sentence(found)

    # It also knows better where the limit does not bind, however near to it power is.
    trace = run.traces[0].model_copy(update={"states": (state.model_copy(update={"throttled": ()}),)})
    (found,) = analyse(run.model_copy(update={"traces": (trace,)}))
    assert [point.limit_binds for point in found.points] == [False] * 4


def test_energy_of_a_model_is_not_compared():
    (found,) = analyse(make_run(kind="model", allow_estimates=True))
    assert found.choices == {}
    assert "a model, which sees neither limits nor clocks" in found.unranked
    assert to_confirm(make_run(kind="model")) == frozenset()


def test_without_measured_energy_settings_are_ranked_by_speed_alone():
    """The board is faster under a higher limit: 500 W stand for two threads here."""
    run = swept_threads(kind="model", confirmed=(500, 700))
    as_default = {"+power-limit=500": True}
    cases = [case.model_copy(update={"sweep_default": as_default.get(case.id[-16:], False)}) for case in run.cases]
    run = run.model_copy(update={"cases": tuple(cases)})
    (found,) = analyse(run)
    assert set(found.choices) == {"speed"}
    choice = found.choices["speed"]
    assert (settings_text(choice.best), choice.candidates) == ("4 threads", (found.points[3],))
    assert choice.gain.energy is None
    (low_s, _), (high_s, _) = BOARD.true_values((500, 700))
    assert choice.gain.speed.low < low_s / high_s < choice.gain.speed.high
    assert re.fullmatch(r"at 4 threads: [\d.]+ % \[[\d.]+, [\d.]+\] more speed", gain_sentence(choice))
    assert "--allow-estimates" in found.unranked
    assert to_confirm(run) == {run.cases[1].id, run.cases[3].id}
    assert [point.energy_j for point in found.points] == [None] * 4
    assert all(point.is_estimated and point.shown_energy_j is not None for point in found.points)
    assert sweep_document([found], 0.05)["tasks"][0]["best"]["speed"]["gain"]["energy_ratio"] is None

    (default_is_best,) = analyse(swept_threads(kind="model"))
    assert "is the fastest that was found" in gain_sentence(default_is_best.choices["speed"])


def test_estimated_joules_are_named_where_they_are_ranked():
    (found,) = analyse(swept_threads(kind="model", allow_estimates=True, confirmed=(600, 700)))
    assert found.unranked is None
    lines = " ".join(choice_sentences(found, 0.05))
    assert "least estimated joules at 5 % slow-down at most: 3 threads" in lines
    assert " fewer estimated joules for " in lines
    assert "least energy-delay product of estimated joules" in lines


def test_a_setting_of_which_less_was_measured_is_left_out():
    run = make_run()
    trials = [each.model_copy(update={"energy": (*each.energy, energy(50.0, "dram"))}) for each in run.cases[-1].trials]
    cases = (*run.cases[:-1], run.cases[-1].model_copy(update={"trials": tuple(trials)}))
    (found,) = analyse(run.model_copy(update={"cases": cases}))
    assert [settings_text(each) for each in found.choices["joules"].candidates] == ["700 W"]
    assert found.reasons[0].endswith("+power-limit=400: its joules are those of package only")


def test_other_runs_have_no_sweep():
    assert analyse(run_file()) == ()


def test_no_watts_are_added_to_estimated_joules():
    """A model may be of the whole machine at its socket."""
    (found,) = analyse(swept_threads(kind="model", allow_estimates=True, host_watts=100.0))
    assert set(found.choices) == {"joules", "delay_product"}
    assert host_sentence(found).startswith("whole machine: not compared, since the joules are estimated")


def test_what_cannot_be_told_apart_has_a_bound():
    noisy = make_run()
    few = noisy.model_copy(update={"run": noisy.run.model_copy(update={"rounds": 2})})
    (choice,) = [each for goal, each in analyse(few)[0].choices.items() if goal == "delay_product"]
    assert len(choice.candidates) > 1
    (line,) = [line for line in choice_sentences(analyse(few)[0], 0.05) if "energy-delay" in line]
    assert re.search(r"not told apart from .* \(at most [\d.,]+ % above the true least\)$", line), line
    assert float(line.rpartition("at most ")[2].split(" ")[0]) == pytest.approx(100 * choice.excess, rel=0.06)

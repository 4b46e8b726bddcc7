"""The share of the whole node that the sensors of its parts showed."""

from __future__ import annotations

from typing import Any

import pytest
from run_files import case, energy, run_file, trial

from joulemark.reports.model.runs import run_view
from joulemark.suite.energy.whole_machine.share import headline_readings, node_share, share_of_run, whole_of
from joulemark.suite.energy.window_energy import compute_readings
from joulemark.suite.notices import Code
from joulemark.suite.records import Channel, EnergyReading, Trace
from joulemark.suite.results import run_files
from joulemark.suite.results.validity import run_notices
from joulemark.suite.terminal.power_summary import node_lines


def node(energy_j: float, gain: float = 0.05, **more: Any) -> EnergyReading:
    """Return the reading of a sensor of the whole node."""
    fields = {"attributed": False, "sensor": "redfish", "scope": "node", **more}
    return energy(energy_j, "machine", "integrated", gain).model_copy(update=fields)


def test_share_is_parts_over_the_node_with_both_intervals() -> None:
    """(600 + 181.2) / 1240 = 63 %; the ends by hand: 781.2 * 0.98 / (1240 * 1.05) and 781.2 * 1.02 / (1240 * 0.95)."""
    share = node_share([(1.0, [energy(600.0), energy(181.2, "dram"), node(1240.0)])])
    assert share is not None
    assert (share.sensor, share.power_w, share.parts) == ("redfish", 1240.0, ("package", "dram"))
    assert (share.share, share.low, share.high) == pytest.approx((0.63, 0.588, 0.6764), abs=5e-4)
    assert share.text() == "63% [59%, 68%] of the node's 1,240 W (redfish) was measured as package and dram"
    assert not share.contradicts


def test_windows_are_added_up_where_the_node_is_known() -> None:
    windows = [(1.0, [energy(50.0), node(100.0)]), (3.0, [energy(250.0), node(500.0)]), (9.0, [energy(900.0)])]
    share = node_share(windows)
    assert share is not None
    assert (share.share, share.power_w) == (pytest.approx(0.5), pytest.approx(150.0))
    assert node_share([(9.0, [energy(900.0)])]) is None
    assert node_share([]) is None


def test_estimates_and_other_wholes_are_no_parts() -> None:
    psys = energy(90.0, "psys").model_copy(update={"attributed": False})
    share = node_share([(2.0, [energy(50.0, "cpu", "model"), psys, energy(None), node(286.0)])])
    assert share is not None
    assert (share.share, share.low, share.high, share.parts) == (0, 0, 0, ())
    assert share.text() == "no part of the node's 143 W (redfish) was measured"


def test_gpus_count_whether_the_case_uses_them_or_not() -> None:
    idle_gpu = energy(80.0, "gpu").model_copy(update={"attributed": False})
    share = node_share([(1.0, [energy(120.0), idle_gpu, node(400.0)])])
    assert share is not None
    assert share.share == pytest.approx(0.5)


def test_narrowest_sensor_of_the_node_counts() -> None:
    plug = node(410.0, 0.02, sensor="plug", scope="plug")
    assert whole_of([node(400.0), plug]) is plug
    share = node_share([(1.0, [energy(41.0), node(400.0), plug])])
    assert share is not None
    assert (share.sensor, share.share) == ("plug", pytest.approx(0.1))


def test_a_node_below_its_parts_gives_a_notice() -> None:
    """A plug on one of two power supplies."""
    trials = [trial(i, readings=[energy(100.0), node(60.0)]) for i in (1, 2)]
    notices = run_notices(run_file([case(trials=trials)]))
    (notice,) = (notice for notice in notices if notice.code == Code.NODE_BELOW_PARTS)
    assert "drew 167% of what" in notice.message
    within = [trial(i, readings=[energy(100.0), node(97.0)]) for i in (1, 2)]
    fine = run_file([case(trials=within)])
    assert Code.NODE_BELOW_PARTS not in {notice.code for notice in run_notices(fine)}
    assert share_of_run(fine).share > 1  # type: ignore[union-attr]


def test_whole_machine_stands_in_only_where_no_part_was_measured() -> None:
    estimates = [energy(50.0, "cpu", "model"), energy(20.0, "ram", "model"), node(143.0)]
    (whole,) = headline_readings(estimates)
    assert (whole.component, whole.energy_j, whole.attributed) == ("machine", 143.0, True)
    measured = [energy(50.0), node(143.0)]
    assert headline_readings(measured) == measured
    unknown = [energy(None)]
    assert headline_readings(unknown) == unknown


def machine_trace(step_j: float, power_w: float = 100.0) -> Trace:
    """Return a minute of a sensor with a counter that moves by `step_j`, beside power that swings by a tenth."""
    t_s = [0.93 * i for i in range(70)]
    counted = tuple(power_w * t // step_j * step_j for t in t_s)
    powers = tuple(power_w + (10.0 if i % 2 else -10.0) for i in range(len(t_s)))
    made = {"component": "machine", "scope": "node", "gain": (0.9, 1.1)}
    return Trace(
        sensor="redfish",
        t_s=tuple(t_s),
        channels=(
            Channel(**made, unit="J", kind="counter", values=counted),
            Channel(**made, unit="W", kind="integrated", coverage=0.0, values=powers),
        ),
    )


@pytest.mark.parametrize(("step_j", "kind"), [(3.6, "counter"), (3600.0, "integrated")])
def test_of_counter_and_power_the_narrower_is_used(step_j: float, kind: str) -> None:
    """A counter of watt-hours moves every 36 s at 100 W: its end of a window is off by more than all samples are."""
    readings = compute_readings([machine_trace(step_j)], (10.0, 50.0), "cpu")
    (machine,) = (r for r in readings if r.component == "machine")
    assert machine.kind == kind
    assert machine.energy_j == pytest.approx(4000.0, rel=0.03)
    assert machine.low_j <= 4000.0 <= machine.high_j


def test_terminal_page_and_json_say_the_share() -> None:
    trials = [trial(i, readings=[energy(780.0), node(1240.0)]) for i in (1, 2)]
    run = run_file([case(trials=trials)])
    (line,) = node_lines(run)
    assert line.plain == "Whole node: 63% [59%, 68%] of the node's 620 W (redfish) was measured as package."
    assert run_view("A", run, anonymous=False).node == line.plain.removeprefix("Whole node: ").removesuffix(".")
    assert run_files.document(run)["whole_node"]["share"] == pytest.approx(0.629, abs=5e-4)
    assert "whole_node" not in run_files.document(run_file())

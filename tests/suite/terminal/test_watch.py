"""What `joulemark watch` shows, at several widths, from snapshots whose values are known."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import RenderableType
from watched import component, snapshot

from joulemark.suite.terminal.chart import sparkline
from joulemark.suite.terminal.console import SafeConsole
from joulemark.suite.terminal.watch import line, show, summary, table, view
from joulemark.suite.watch.snapshot import GroupState, Snapshot

GROUPS = tuple(
    GroupState(name, energy_j=100.0 * n, power_w=float(n), emissions_g=0.01 * n, cpu_s=1.0, processes=n)
    for n, name in (
        (4, "train (4711)"),
        (3, "b (2)"),
        (2, "c (3)"),
        (0, "gone (4)"),
        (1, "other programs"),
        (9, "idle"),
    )
)


def console(width: int = 100, **more: object) -> SafeConsole:
    buffer = io.TextIOWrapper(io.BytesIO(), encoding=str(more.pop("encoding", "utf-8")), write_through=True)
    return SafeConsole(file=buffer, width=width, height=40, force_terminal=True, **more)


def rendered(renderable: RenderableType, width: int = 100, **more: object) -> str:
    terminal = console(width, **more)
    terminal.print(renderable)
    return terminal.file.buffer.getvalue().decode(terminal.encoding)


def plain(text: str) -> list[str]:
    return [each.rstrip() for each in re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()]


def test_the_table_has_components_temperature_and_total():
    lines = plain(rendered(table(snapshot())))
    assert lines[0].split() == ["Component", "Power", "Energy", "CO2e", "Sensor"]
    assert re.fullmatch(r"package-0 +50\.0 W +≥1\.00 kJ +≥100 mg +rapl", lines[1])
    assert re.fullmatch(r"GPU 0 61 °C +250 W +5\.00 kJ +500 mg +nvml", lines[2])
    assert re.fullmatch(r"machine plug +350 W +7\.00 kJ +100 mg +plug, not in the total", lines[3])
    assert re.fullmatch(r"total +≥300 W +≥6\.00 kJ +≥600 mg", lines[4])


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_wider_than_the_terminal(width):
    terminal = console(width)
    text = rendered(view(snapshot(groups=GROUPS), (100.0, 300.0) * 200, terminal, all_groups=False), width)
    assert max(map(len, plain(text))) <= width
    assert "total" in text
    assert "▃█" in text


def test_groups_are_estimates_and_add_up():
    text = "\n".join(plain(rendered(view(snapshot(groups=GROUPS), (), console(), all_groups=True))))
    assert re.search(r"train \(4711\) +~4\.0 W +~400 J +~40 mg +4\n", text)
    assert re.search(r"gone \(4\) +~0 W +~0 J +~0 g +ended\n", text)
    assert re.search(r"idle +~9\.0 W +~900 J +~90 mg$", text)
    few = tuple(GroupState(f"g{n}", 10.0, 1.0, 0.0, 1.0, 1) for n in range(9))
    text = "\n".join(plain(rendered(view(snapshot(groups=(*few, *GROUPS[-2:])), (), console(), all_groups=False))))
    assert re.search(r"g4 .*\nother programs +~5\.0 W +~140 J", text)  # four of the nine, and the others


def test_estimates_and_silent_sensors_are_marked():
    state = snapshot(
        components=(
            component("cpu", "host", source="estimated", power_w=21.26),
            component("ram", "host", source="estimated", power_w=None, silent_s=75.0),
        ),
        missing=("GPU 1: no readable sensor",),
    )
    assert line(state) == (
        "2026-11-30T12:00:00Z  ≥~21 W, ≥~2.0 kJ, ≥~200 mg  (cpu host ~21 W; ram host silent for 1 min 15 s)"
    )
    assert summary(state) == (
        "≥~2.0 kJ (cpu host ~1.0 kJ; ram host ~1.0 kJ), ≥~200 mg CO2e, ≥~100 W on average, 20.0 s; "
        "not measured: GPU 1: no readable sensor"
    )
    assert "not measured: GPU 1" in rendered(view(state, (), console(), all_groups=False))


def test_named_groups_are_in_the_line_and_the_summary():
    groups = (GROUPS[0], *GROUPS[-2:])
    assert line(snapshot(groups=groups)).endswith("; machine plug 350 W; train (4711) ~4.0 W)")
    assert "; of the processor by CPU time: train (4711) ~400 J), " in summary(snapshot(groups=groups), all_groups=True)
    assert "train" not in summary(snapshot(groups=groups))


def test_without_sensors_it_says_so():
    nothing = snapshot(components=(), temperatures=())
    assert line(nothing) == "2026-11-30T12:00:00Z  -, -, -  (no sensor)"
    assert summary(nothing) == "20.0 s; energy not measured"
    assert "total" in rendered(table(nothing))


def test_a_name_cannot_control_the_terminal():
    evil = (GroupState("a\x1b]52;c;x\x07b (5)", 1.0, 1.0, 0.0, 1.0, 1), *GROUPS[-2:])
    assert "\x1b]52" not in rendered(view(snapshot(groups=evil), (), console(), all_groups=True))


def test_the_chart_is_left_out_where_it_cannot_be_drawn():
    powers_w = (1.0, 2.0)
    assert "▅█" in rendered(view(snapshot(), powers_w, console(), all_groups=False))
    ascii_console = console(encoding="ascii")
    assert "0 to" not in "".join(str(part) for part in view(snapshot(), powers_w, ascii_console, False).renderables)


def test_sparkline():
    assert sparkline((0.0, 1.0, 2.0, 4.0), 3) == "▃▅█"
    assert (sparkline((0.0, 0.0), 5), sparkline((), 5), sparkline((1.0,), 0)) == ("▁▁", "", "")


def test_piped_output_has_a_line_each(capsys):
    piped = SafeConsole(file=io.StringIO())
    with show(piped, all_groups=False) as update:
        update(snapshot())
        update(snapshot())
    state: Snapshot = snapshot()
    assert capsys.readouterr().out == f"{line(state)}\n" * 2

"""`joulemark watch`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Unpack

import typer

from joulemark.suite.cli import options, stop_signals
from joulemark.suite.cli.arguments import resolve_settings, settings_from_context
from joulemark.suite.cli.option_groups import Place
from joulemark.suite.terminal.console import OUT, print_json, print_message, print_text

if TYPE_CHECKING:
    from joulemark.suite.watch.session import WatchSession
    from joulemark.suite.watch.snapshot import Snapshot

SHOWN_S, EXPORTED_S = 2.0, 10.0
"""The interval where it is shown, and where it is only exported, seconds."""


class Options(Place):
    """The options that `watch` shares with other verbs."""

    zone: options.Zone
    intensity: options.Intensity
    pue: options.Pue
    offline: options.Offline
    sensor: options.Sensor
    as_json: options.Json


def command(
    context: typer.Context,
    interval: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Time between two updates, which watts are the mean over. (default: 2; 10 where nothing is shown)",
        ),
    ] = None,
    duration: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="When to end. (default: at Ctrl-C or SIGTERM)")
    ] = None,
    pid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[NAME=]PID",
            help="A process with all that it starts, as a group of that name; repeatable. (default: in a terminal, "
            "every process group)",
        ),
    ] = None,
    serve: Annotated[
        str | None,
        options.output(
            metavar="[HOST:]PORT", help="Answer Prometheus there; only programs of this machine unless HOST is given."
        ),
    ] = None,
    textfile: Annotated[
        Path | None,
        options.output(metavar="FILE.prom", help="Keep the metrics in a file for node_exporter's textfile collector."),
    ] = None,
    **given: Unpack[Options],
) -> int:
    """Watts, joules and grams of this machine as they happen, by component and group of processes.

    They are those of whole components, with the share of all programs; only the processor's are apportioned to groups
    of processes, by CPU time, which is an estimate. Without a terminal it prints a line each interval, or none with
    --serve or --textfile. At the end there is a summary.

    Exit codes: 0 after --duration, 130 at Ctrl-C or SIGTERM.
    """
    from joulemark.suite.cli.support.carbon_service import notice_text
    from joulemark.suite.system.scratch import scratch_directory
    from joulemark.suite.watch import arguments
    from joulemark.suite.watch.session import WatchSession

    exported = serve is not None or textfile is not None
    shown = not given["as_json"] and (OUT.is_terminal or not exported)
    interval_s = arguments.seconds("--interval", interval, at_least=0.2) or (SHOWN_S if shown else EXPORTED_S)
    duration_s = arguments.seconds("--duration", duration)
    named = arguments.named_processes(pid or ())
    address = None if serve is None else arguments.address(serve)
    arguments.check_textfile(textfile)
    settings = resolve_settings(settings_from_context(context, given), measures=True)
    by_group = shown and OUT.is_terminal
    with contextlib.ExitStack() as resources:
        scratch = resources.enter_context(scratch_directory())
        session = WatchSession.start(scratch, settings, interval_s, named, by_group)
        resources.callback(session.close)
        stop = resources.enter_context(stop_signals.deferred())
        for text in (*session.findings, *map(notice_text, session.grid.notices)):
            print_message(text)
        write = resources.enter_context(_exported(session, address, textfile))
        update = resources.enter_context(_shown(shown, all_groups=bool(named)))
        _watch(session, stop, interval_s, duration_s, (update, write))
        final = session.finish()
    _print_summary(final, given["as_json"], all_groups=bool(named))
    return stop_signals.EXIT_CODE if stop.received else 0


def _watch(
    session: WatchSession,
    stop: stop_signals.Stop,
    interval_s: float,
    duration_s: float | None,
    updates: Sequence[Callable[[Snapshot], None]],
) -> None:
    """Pass a snapshot to `updates` at each interval, until there is a signal or `duration_s` is over."""
    begin_s = time.monotonic()
    end_s = float("inf") if duration_s is None else begin_s + duration_s
    problem: str | None = None
    number = 1
    while not stop.wait(min(begin_s + number * interval_s, end_s) - time.monotonic()):
        now_s = time.monotonic()
        if now_s >= end_s:
            return
        snapshot = session.snapshot()
        for update in updates:
            update(snapshot)
        if session.grid.problem not in (None, problem):
            print_message(f"joulemark: the last carbon intensity is kept: {session.grid.problem}")
        problem = session.grid.problem
        number = int((now_s - begin_s) / interval_s) + 1  # an interval that has passed is left out


@contextlib.contextmanager
def _shown(shown: bool, all_groups: bool) -> Iterator[Callable[[Snapshot], None]]:
    from joulemark.suite.terminal.watch import show

    if not shown:
        yield lambda _snapshot: None
        return
    with show(OUT, all_groups) as update:
        yield update


@contextlib.contextmanager
def _exported(
    session: WatchSession, address: tuple[str, int] | None, textfile: Path | None
) -> Iterator[Callable[[Snapshot], None]]:
    """Serve the metrics and keep the file during the block; yield a function that renews the file."""
    if address is None and textfile is None:
        yield lambda _snapshot: None
        return
    from joulemark.suite.watch import arguments, metrics

    if address is not None:
        server = metrics.serve(metrics.registry(session.snapshot), *address)
        host, port = address[0], server.server_port
        shown_host = f"[{host}]" if ":" in host else host
        print_message(f"Metrics: http://{shown_host}:{port}/metrics")
        if not arguments.is_loopback(host):
            print_message(f"! Anyone who reaches {host} can read them: there is no password and no encryption.")
    write = metrics.textfile_writer(textfile)
    try:
        write(session.snapshot())
        yield write
    finally:
        if address is not None:
            server.shutdown()
            server.server_close()
        if textfile is not None:  # values that no longer change would be taken for the present
            textfile.unlink(missing_ok=True)


def _print_summary(snapshot: Snapshot, as_json: bool, all_groups: bool) -> None:
    from joulemark.suite.terminal.watch import summary, view

    if as_json:
        print_json(snapshot.document())
    elif OUT.is_terminal:
        print_text(view(snapshot, (), OUT, all_groups), summary(snapshot))
    else:
        print(summary(snapshot, all_groups))
    sys.stdout.flush()

"""`joulemark check`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from suite.commands import options

if TYPE_CHECKING:
    from pathlib import Path

    from suite.commands.comparison import Compared
    from suite.results.gate import Gate
    from suite.results.thresholds import Thresholds

JUDGED = ("throughput", "energy")
"""What is judged unless thresholds say otherwise."""

Advisory = Annotated[
    bool,
    typer.Option("--advisory", help="Say all, but exit with 0 instead of 1 and 4.", rich_help_panel=options.VERDICT),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="What is not valid (noisy, throttled, not steady) is in doubt.",
        rich_help_panel=options.VERDICT,
    ),
]


def command(
    context: typer.Context,
    run: Annotated[
        str | None,
        typer.Argument(metavar="B", help="The run to judge: a path, an id, a unique beginning. (default: latest)"),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="A",
            help="A path, a name it was saved under, a run, or history: the kept runs of this machine and selection.",
            rich_help_panel=options.VERDICT,
        ),
    ] = None,
    baseline_python: Annotated[
        str | None,
        typer.Option(
            metavar="PYTHON",
            help="Instead of a kept run: measure the baseline now, with this interpreter, turn by turn with the one "
            "that runs this. Takes the selection and effort of `run`.",
            rich_help_panel=options.VERDICT,
        ),
    ] = None,
    threshold: options.Threshold = None,
    advisory: Advisory = False,
    strict: Strict = False,
    allow_estimates: options.AllowEstimates = False,
    profile: options.Profile = None,
    workload: options.Workload = None,
    size: options.Size = None,
    phase: options.Phase = None,
    framework: options.Framework = None,
    mode: options.Mode = None,
    device: options.Device = None,
    precision: options.Precision = None,
    batch_size: options.BatchSize = None,
    k: options.Keyword = None,
    threads: options.Threads = None,
    allocator: options.Allocator = None,
    rounds: options.Rounds = None,
    max_rounds: options.MaxRounds = None,
    zone: options.Zone = None,
    offline: options.Offline = False,
    sensor: options.Sensor = None,
    markdown: options.Markdown = False,
    out: options.Out = None,
    as_json: options.Json = False,
) -> int:
    """The gate for CI: has a run become slower, or hungrier, than a baseline by more than a threshold?

    Throughput and energy are judged, at 5 %, unless --threshold or the settings file says otherwise. Exit codes: 0 no;
    1 a regression: a whole interval lies beyond the threshold; 2 bad usage or input; 3 no baseline, or nothing
    comparable; 4 a case failed, is in doubt, or was lost since the baseline. --advisory turns 1 and 4 into 0.
    """
    given = options.asked(locals())
    from suite import settings
    from suite.commands import anew
    from suite.commands.comparison import one_format, thresholds
    from suite.errors import UsageError

    one_format(as_json, markdown)
    limits = thresholds(JUDGED, threshold)
    if baseline_python is not None:
        if baseline is not None or run is not None:
            extra = "--baseline" if baseline is not None else f"the run {run!r}"
            raise UsageError(f"--baseline-python measures both sides now: leave out {extra}.")
        asked = anew.Asked(baseline_python, limits, advisory, markdown, as_json)
        return anew.check(given, asked, out)
    if selected := options.typed(context, anew.SELECTION):
        raise UsageError(f"{selected[0]} selects what --baseline-python measures; a kept run is as it is.")
    if baseline is None:
        raise UsageError("--baseline is missing: give a path, a saved name, a run, or history.")
    chosen = settings.resolve(given)
    found = _compared(baseline, run or "latest", limits, settings.runs_directory(out), chosen.allow_estimates)
    return passed(found, limits, chosen.allow_estimates, chosen.strict, advisory, markdown, as_json)


def _compared(baseline: str, run: str, limits: Thresholds, directory: Path, allow_estimates: bool) -> Compared:
    """The run against its baseline. NotComparableError where there is none, UsageError for one that is the run."""
    from suite.commands.comparison import compared
    from suite.errors import UsageError
    from suite.results import baselines, past, store

    # The baseline goes first: where there is none, nobody cares which run was to be judged.
    named = None if baseline == baselines.HISTORY else baselines.load(baseline, directory)
    b = store.load(run, directory)
    a = named or past.before(b, past.of_machine(b, directory))[-1]
    if a.run.id == b.run.id:
        raise UsageError(f"the baseline {baseline!r} is the run to judge, {b.run.id}: measure again, or name another.")
    return compared(a, b, None, limits, directory, allow_estimates, history=named is None)


def passed(
    found: Compared,
    limits: Thresholds,
    allow_estimates: bool,
    strict: bool,
    advisory: bool,
    markdown: bool,
    as_json: bool,
) -> int:
    """Judge a comparison, say so, and give the exit code. NotComparableError where nothing can be judged."""
    from rich.text import Text

    from suite import terminal
    from suite.commands import comparison, comparison_text
    from suite.results.gate import judge, strictly

    if strict:
        found = replace(found, found=strictly(found.found))
    gate = judge(found.found, found.a, found.b, limits, allow_estimates)
    found = replace(found, gate=gate)
    code = 0 if advisory else gate.exit_code
    unmatched = limits.unmatched(one.id for one in found.b.cases)
    for pattern in unmatched:
        terminal.say(f"The pattern {pattern!r} of [thresholds] matches no case of {found.b.run.id}.")
    outcome = _outcome(gate, advisory)
    if as_json:
        document = comparison.document(found)
        terminal.print_json({**document, **_verdict(gate), "exit_code": code, "advisory": advisory})
    elif markdown:
        sentences = [outcome, *comparison_text.findings(gate)]
        title = f"Joulemark: {found.b.run.id} against {_baseline(found)}"
        print(comparison_text.markdown(found, title, sentences), end="")
    else:
        comparison_text.show(found)
        terminal.show("", *(Text(line) for line in (*comparison_text.findings(gate), outcome)))
    if as_json or markdown:
        terminal.say(outcome)
    return code


def _baseline(found: Compared) -> str:
    if found.by == "arm":
        return f"the baseline of {found.a.arms['a'].interpreter}, measured turn by turn"
    return f"the baseline {found.a.run.id}"


def _verdict(gate: Gate) -> dict[str, object]:
    return {
        "outcome": gate.outcome,
        **{
            name: [{"case": one.case, "metric": one.metric, "reason": one.reason} for one in some]
            for name, some in (("lost", gate.lost), ("not_judged", gate.aside))
        },
    }


def _outcome(gate: Gate, advisory: bool) -> str:
    """One line that says it all."""
    counts = (
        (len(gate.regressed), "regressed"),
        (len(gate.doubtful), "in doubt"),
        (len(gate.lost), "lost or failed"),
        (len(gate.held), "held"),
    )
    said = f"{gate.outcome.upper()}: {', '.join(f'{count} {word}' for count, word in counts if count)}."
    if gate.outcome == "not conclusive" and gate.doubtful:
        said += " More rounds tell more; `joulemark calibrate` finds out what this machine can tell apart."
    if advisory and gate.exit_code:
        said += f" Advisory: the exit code is 0 instead of {gate.exit_code}."
    return said

"""Options that several verbs share, so that each means the same wherever it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

SELECTION, CARBON, EFFORT, OUTPUT, POWER, VERDICT = "Selection", "Carbon", "Effort", "Output", "Power", "Verdict"

Profile = Annotated[
    str | None,
    typer.Option(
        help="Selection and effort: quick, standard, full or ci. (default: quick)",
        rich_help_panel=SELECTION,
        envvar="JOULEMARK_PROFILE",
    ),
]
Workload = Annotated[
    list[str] | None, typer.Option(help="Workload; repeatable, as all of this panel.", rich_help_panel=SELECTION)
]
Size = Annotated[list[str] | None, typer.Option(help="tiny, small, base, or its own.", rich_help_panel=SELECTION)]
Phase = Annotated[list[str] | None, typer.Option(help="inference, training or generation.", rich_help_panel=SELECTION)]
Framework = Annotated[list[str] | None, typer.Option(help="pytorch or tensorflow.", rich_help_panel=SELECTION)]
Mode = Annotated[
    list[str] | None,
    typer.Option(help="pytorch: eager, compile; tensorflow: eager, graph, xla.", rich_help_panel=SELECTION),
]
Device = Annotated[list[str] | None, typer.Option(help="cpu, cuda:0, ...", rich_help_panel=SELECTION)]
Precision = Annotated[list[str] | None, typer.Option(help="fp32, tf32, bf16 or fp16.", rich_help_panel=SELECTION)]
BatchSize = Annotated[list[int] | None, typer.Option(help="Samples in a batch.", rich_help_panel=SELECTION)]
Keyword = Annotated[
    list[str] | None,
    typer.Option("-k", metavar="EXPR", help="Keep cases whose id matches, as in pytest.", rich_help_panel=SELECTION),
]
Threads = Annotated[
    int | None,
    typer.Option(
        help="Threads of each framework. (default: the cores this process may use)",
        rich_help_panel=EFFORT,
        envvar="JOULEMARK_THREADS",
    ),
]
Allocator = Annotated[
    str | None,
    typer.Option(
        help="retain: glibc keeps freed memory, for both frameworks alike; default: as programs run. (default: retain)",
        rich_help_panel=EFFORT,
        envvar="JOULEMARK_ALLOCATOR",
    ),
]
Rounds = Annotated[
    int | None,
    typer.Option(
        help="Trials of each case. (default: the profile's)", rich_help_panel=EFFORT, envvar="JOULEMARK_ROUNDS"
    ),
]
MaxRounds = Annotated[
    int | None,
    typer.Option(
        help="Go on with pairs that the rounds leave in doubt, up to so many: a multiple of the rounds. Intervals are "
        "wider for it. (default: none goes on)",
        rich_help_panel=EFFORT,
    ),
]
Python = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FW=PATH", help="Interpreter for a framework, which has joulemark in it.", rich_help_panel=EFFORT
    ),
]
Sensor = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="rapl, rapl:psys, perf, nvml, amdsmi, codecarbon, replay:FILE, simulated:BOARD/LOAD; meter:FILE is read "
        "beside the others. Repeatable. (default: all there is)",
        rich_help_panel=POWER,
    ),
]
SecondOpinion = Annotated[
    bool,
    typer.Option("--second-opinion", help="Run codecarbon's tracker beside the run.", rich_help_panel=POWER),
]
Zone = Annotated[
    str | None,
    typer.Option(
        help="Grid zone, such as CH or DE. (default: the world's average)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_ZONE",
    ),
]
Coordinates = Annotated[
    str | None,
    typer.Option(metavar="LAT,LON", help="Instead of a zone: degrees, such as 47.37,8.54.", rich_help_panel=CARBON),
]
DataCenter = Annotated[
    str | None,
    typer.Option(
        metavar="PROVIDER:REGION", help="Instead of a zone, such as gcp:europe-west6.", rich_help_panel=CARBON
    ),
]
EmissionFactors = Annotated[
    str | None,
    typer.Option(
        help="lifecycle: the whole life of power plants; direct: their operation only. (default: lifecycle)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_EMISSION_FACTORS",
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Ask nothing of a network.", rich_help_panel=CARBON, envvar="JOULEMARK_OFFLINE"),
]
Intensity = Annotated[
    str | None,
    typer.Option(
        metavar="G_PER_KWH|FILE",
        help="Your own carbon intensity: g/kWh, LOW..VALUE..HIGH, or a CSV of times and values.",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_INTENSITY",
    ),
]
Pue = Annotated[
    str | None,
    typer.Option(
        metavar="PUE|PRESET",
        help="Power usage effectiveness: a number, LOW..VALUE..HIGH, or local, uptime-2025, green-algorithms, google, "
        "aws, azure, jean-zay. (default: 1.0)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_PUE",
    ),
]
Embodied = Annotated[
    str | None,
    typer.Option(
        metavar="KG|assumed",
        help="Charge making the hardware too: kg CO2e of the computer, LOW..VALUE..HIGH, or assumed. (default: not)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_EMBODIED",
    ),
]
LifespanYears = Annotated[
    float | None,
    typer.Option(
        help="Years that the hardware is in use, for --embodied. (default: 4)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_LIFESPAN_YEARS",
    ),
]
Psf = Annotated[
    float | None,
    typer.Option(
        help="How often the computation is repeated; multiplies the run's totals only. (default: 1)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_PSF",
    ),
]
Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where run files and pages are kept.", rich_help_panel=OUTPUT)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.", rich_help_panel=OUTPUT)]
Resume = Annotated[
    str | None,
    typer.Option(metavar="RUN", help="Go on with an interrupted run, as it was asked for. Takes no selection."),
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no page.", rich_help_panel=OUTPUT)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be run and how long it would take, and stop.")]
AllowEstimates = Annotated[
    bool,
    typer.Option(
        "--allow-estimates",
        help="Rank estimated energy too, also against measured energy.",
        rich_help_panel=EFFORT,
    ),
]
Threshold = Annotated[
    list[str] | None,
    typer.Option(
        metavar="METRIC:PERCENT",
        help="How much worse matters, such as throughput:5% or energy:off; of throughput, energy, memory, first-call. "
        "Repeatable; stronger than the settings file's thresholds.",
        rich_help_panel=VERDICT,
    ),
]
Markdown = Annotated[
    bool,
    typer.Option("--markdown", help="Markdown on standard output, fit for a pull request.", rich_help_panel=OUTPUT),
]
RunName = Annotated[str, typer.Argument(metavar="RUN", help="A path, an id, a unique beginning of one, or latest.")]


def settings_from_context(context: typer.Context, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Of a command's arguments, as its `locals()` at the start hold them: those that are settings and were given.

    What is typed is stronger than what the environment says.
    """
    from joulemark.suite.plan.case_filter import any_of
    from joulemark.suite.records import Settings
    from joulemark.suite.settings import ALIASES, over

    named = {ALIASES.get(name, name): value for name, value in arguments.items()}
    if "keyword" in named:
        named["keyword"] = any_of(named["keyword"])
    given = {
        name: value
        for name, value in named.items()
        if name in Settings.model_fields and value is not None and value is not False and value != []
    }
    from_environment = {name for name in given if "ENVIRONMENT" in str(context.get_parameter_source(name))}
    return over(
        {name: given[name] for name in from_environment},
        {name: value for name, value in given.items() if name not in from_environment},
    )


def given_flags(context: typer.Context, names: Iterable[str]) -> list[str]:
    """Of the options `names`, as people type them: those given on the command line and not by the environment."""
    parameters = {"keyword": "k"}
    sources = {name: context.get_parameter_source(parameters.get(name, name)) for name in names}
    named = [name for name, source in sources.items() if "COMMANDLINE" in str(source)]
    return ["-k" if name in ("k", "keyword") else f"--{name.replace('_', '-')}" for name in named]


PAGE = (".html", ".htm")
"""Endings of a page."""


def ending(output: Path | None, known: Sequence[str]) -> None:
    """UsageError for an `output` whose ending says that it is something else; one without any is as good."""
    from joulemark.suite.errors import UsageError

    if output is not None and output.suffix and output.suffix.lower() not in known:
        raise UsageError(f"-o got {str(output)!r}: what is written ends in {' or '.join(known)}, not {output.suffix}.")

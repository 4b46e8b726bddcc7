"""Groups of options that verbs take together, each option defined once.

A verb takes a group by a parameter `**given: Unpack[GROUP]`; `suite.cli.arguments.expand` makes options of it.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.options import CARBON, EFFORT, POWER, SELECTION
from joulemark.suite.trial.frameworks import FRAMEWORKS

_Texts = list[str] | None
"""Values of a repeatable option."""


_FRAMEWORKS = " or ".join(FRAMEWORKS) + "."
_MODES = "; ".join(f"{name}: {', '.join(framework.modes)}" for name, framework in FRAMEWORKS.items()) + "."


class Selection(TypedDict):
    """Which cases to run, and how often."""

    profile: Annotated[
        str | None,
        typer.Option(
            help="Selection and effort: quick, standard, full or ci. (default: quick)",
            rich_help_panel=SELECTION,
            envvar="JOULEMARK_PROFILE",
        ),
    ]
    workload: Annotated[
        _Texts, typer.Option(help="Workload; repeatable, like all options here.", rich_help_panel=SELECTION)
    ]
    size: Annotated[
        _Texts, typer.Option(help="tiny, small, base, or one of the workload's own.", rich_help_panel=SELECTION)
    ]
    phase: Annotated[_Texts, typer.Option(help="inference, training or generation.", rich_help_panel=SELECTION)]
    framework: Annotated[_Texts, typer.Option(help=_FRAMEWORKS, rich_help_panel=SELECTION)]
    mode: Annotated[_Texts, typer.Option(help=_MODES, rich_help_panel=SELECTION)]
    device: Annotated[_Texts, typer.Option(help="cpu, cuda:0, ...", rich_help_panel=SELECTION)]
    precision: Annotated[_Texts, typer.Option(help="fp32, tf32, bf16 or fp16.", rich_help_panel=SELECTION)]
    batch_size: Annotated[list[int] | None, typer.Option(help="Samples per batch.", rich_help_panel=SELECTION)]
    k: Annotated[
        _Texts,
        typer.Option(
            "-k", metavar="EXPR", help="Keep cases whose id matches, as in pytest.", rich_help_panel=SELECTION
        ),
    ]
    threads: Annotated[
        int | None,
        typer.Option(
            help="Threads per framework. (default: the cores available to this process)",
            rich_help_panel=EFFORT,
            envvar="JOULEMARK_THREADS",
        ),
    ]
    allocator: Annotated[
        str | None,
        typer.Option(
            help="retain: glibc keeps freed memory, for both frameworks; default: glibc's own settings. "
            "(default: retain)",
            rich_help_panel=EFFORT,
            envvar="JOULEMARK_ALLOCATOR",
        ),
    ]
    rounds: Annotated[
        int | None,
        typer.Option(
            help="Trials per case. (default: the profile's)", rich_help_panel=EFFORT, envvar="JOULEMARK_ROUNDS"
        ),
    ]


class Carbon(TypedDict):
    """Inputs of the carbon accounting."""

    zone: options.Zone
    coordinates: options.Coordinates
    data_center: options.DataCenter
    emission_factors: options.EmissionFactors
    intensity: options.Intensity
    pue: options.Pue
    psf: options.Psf
    embodied: Annotated[
        str | None,
        typer.Option(
            metavar="KG|assumed",
            help="Include the hardware's embodied carbon: kg CO2e of the computer, LOW..VALUE..HIGH, or assumed. "
            "(default: not)",
            rich_help_panel=CARBON,
            envvar="JOULEMARK_EMBODIED",
        ),
    ]
    lifespan_years: Annotated[
        float | None,
        typer.Option(
            help="Years that the hardware is in use, for --embodied. (default: 4)",
            rich_help_panel=CARBON,
            envvar="JOULEMARK_LIFESPAN_YEARS",
        ),
    ]


class Recompute(Carbon):
    """The same inputs, to recompute a finished run with: only from the command line.

    joulemark.toml and the environment are about runs to come. `expand` drops their variables and defaults.
    """


class Measurement(Selection, Carbon):
    """All that `run` and `ab` have in common."""

    python: options.Python
    offline: options.Offline
    sensor: options.Sensor
    second_opinion: Annotated[
        bool,
        typer.Option("--second-opinion", help="Run codecarbon's tracker alongside.", rich_help_panel=POWER),
    ]
    allow_estimates: options.AllowEstimates
    out: options.Out
    as_json: options.Json
    no_report: options.NoReport
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be run and how long it would take, and stop.")
    ]
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Finish an interrupted run with its own settings. Takes no selection."),
    ]

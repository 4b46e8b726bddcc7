"""Groups of options that verbs take together, each option defined once.

A verb takes a group by a parameter `**given: Unpack[GROUP]`; `suite.cli.arguments.expand` makes options of it.
"""

from __future__ import annotations

from typing import Annotated, TypedDict

import typer

from joulemark.suite.cli import completion, options
from joulemark.suite.cli.completion import among, fixed
from joulemark.suite.cli.options import carbon, cluster, effort, power, selection
from joulemark.suite.trial.frameworks import FRAMEWORKS

_Texts = list[str] | None
"""Values of a repeatable option."""


_FRAMEWORKS = " or ".join(FRAMEWORKS) + "."
_MODES = "; ".join(f"{name}: {', '.join(framework.modes)}" for name, framework in FRAMEWORKS.items()) + "."

_STRATEGIES = (
    "; ".join(
        f"{name}: {', '.join(framework.strategies)}" for name, framework in FRAMEWORKS.items() if framework.strategies
    )
    + "."
)


class Selection(TypedDict):
    """Which cases to run, and how often."""

    profile: Annotated[
        str | None,
        selection(
            help="Selection and effort: quick, standard, full or ci. (default: quick)",
            envvar="JOULEMARK_PROFILE",
            autocompletion=among(completion.profiles),
        ),
    ]
    workload: Annotated[
        _Texts,
        selection(help="Workload; repeatable, like all options here.", autocompletion=among(completion.workloads)),
    ]
    size: Annotated[
        _Texts,
        selection(
            help="tiny, small, base, or one of the workload's own.", autocompletion=fixed("tiny", "small", "base")
        ),
    ]
    phase: Annotated[
        _Texts,
        selection(
            help="inference, training, generation, prefill, response or forward.",
            autocompletion=among(completion.phases),
        ),
    ]
    framework: Annotated[_Texts, selection(help=_FRAMEWORKS, autocompletion=fixed(*FRAMEWORKS))]
    mode: Annotated[_Texts, selection(help=_MODES, autocompletion=among(completion.modes))]
    device: Annotated[
        _Texts,
        selection(
            help="cpu, cuda:0, ...; all: every GPU alone, and all at once.",
            autocompletion=fixed("cpu", "cuda:0", "all"),
        ),
    ]
    precision: Annotated[
        _Texts, selection(help="fp32, tf32, bf16 or fp16.", autocompletion=fixed("fp32", "tf32", "bf16", "fp16"))
    ]
    batch_size: Annotated[list[int] | None, selection(help="Samples per batch.")]
    prompt: Annotated[int | None, selection(help="Prompt tokens in phase response. (default: the size's)")]
    new_tokens: Annotated[int | None, selection(help="New tokens of each response. (default: the size's)")]
    k: Annotated[_Texts, selection("-k", metavar="EXPR", help="Keep cases whose id matches, as in pytest.")]
    threads: Annotated[
        int | None,
        effort(
            help="Threads per framework. (default: the cores available to this process)", envvar="JOULEMARK_THREADS"
        ),
    ]
    allocator: Annotated[
        str | None,
        effort(
            help="retain: glibc keeps freed memory, for all frameworks; default: glibc's own settings. "
            "(default: retain)",
            envvar="JOULEMARK_ALLOCATOR",
            autocompletion=fixed("retain", "default"),
        ),
    ]
    rounds: Annotated[
        int | None,
        effort(
            help="Trials per case. (default: the profile's, or in ci those of the machine's calibration; 10 in sweep)",
            envvar="JOULEMARK_ROUNDS",
        ),
    ]
    window: Annotated[
        float | None, effort(metavar="SECONDS", help="Length of a trial's window. (default: as for the rounds)")
    ]
    warmup: Annotated[
        float | None, effort(metavar="SECONDS", help="Shortest warm-up of a trial. (default: as for the rounds)")
    ]


class Distribution(TypedDict):
    """Which cases train on several ranks, and how."""

    ranks: Annotated[
        list[int] | None,
        selection(help="Processes or GPUs that train together; beside each, its baselines. (default: none)"),
    ]
    strategy: Annotated[
        _Texts,
        selection(help=f"{_STRATEGIES} (default: the framework's first)", autocompletion=among(completion.strategies)),
    ]
    scaling: Annotated[
        str | None,
        selection(
            help="weak: the batch of each rank is fixed; strong: that of all. (default: weak)",
            autocompletion=fixed("weak", "strong"),
        ),
    ]


class Cluster(TypedDict):
    """Which machines measure."""

    on: Annotated[
        str | None,
        cluster(
            metavar="local|ray[:ADDRESS]",
            help="ray: on every node of a Ray cluster, HOST:PORT. (default: local, this machine)",
        ),
    ]
    nodes: Annotated[int | None, cluster(min=1, help="Nodes of the cluster that measure. (default: all)")]


class Place(TypedDict):
    """Where the electricity comes from, instead of a zone, and what its intensity includes."""

    coordinates: options.Coordinates
    data_center: options.DataCenter
    emission_factors: options.EmissionFactors


class Carbon(Place):
    """Inputs of the carbon accounting."""

    zone: options.Zone
    intensity: options.Intensity
    pue: options.Pue
    psf: options.Psf
    embodied: Annotated[
        str | None,
        carbon(
            metavar="KG|assumed",
            help="Include the hardware's embodied carbon: kg CO2e of the computer, LOW..VALUE..HIGH, or assumed. "
            "(default: not)",
            envvar="JOULEMARK_EMBODIED",
        ),
    ]
    lifespan_years: Annotated[
        float | None,
        carbon(
            help="Years that the hardware is in use, for --embodied. (default: 4)", envvar="JOULEMARK_LIFESPAN_YEARS"
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
    second_opinion: Annotated[bool, power("--second-opinion", help="Run codecarbon's tracker alongside.")]
    allow_estimates: options.AllowEstimates
    out: options.Out
    as_json: options.Json
    no_report: options.NoReport
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be run and how long it would take, and stop.")
    ]
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="RUN",
            help="Finish an interrupted run with its own settings. Takes no selection.",
            autocompletion=options.a_run,
        ),
    ]

"""The options that several verbs share, each defined once, and the groups that verbs take them in.

A verb takes a group by a parameter `**given: Unpack[GROUP]`; `suite.cli.arguments.expand` makes options of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypedDict

import typer

SELECTION, CARBON, EFFORT, OUTPUT, POWER, VERDICT = "Selection", "Carbon", "Effort", "Output", "Power", "Verdict"

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A path, an id, a unique beginning of one, or latest.")]

Out = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where run files and pages are kept.", rich_help_panel=OUTPUT)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.", rich_help_panel=OUTPUT)]
Markdown = Annotated[
    bool,
    typer.Option("--markdown", help="Markdown on standard output, short enough for a comment.", rich_help_panel=OUTPUT),
]
NoReport = Annotated[bool, typer.Option("--no-report", help="Write no page.", rich_help_panel=OUTPUT)]
Anonymous = Annotated[bool, typer.Option("--anonymous", help="Leave out host name, user and paths.")]
PlotlyJs = Annotated[
    str,
    typer.Option(
        help="Where the page finds Plotly: embed (in itself), cdn, directory (beside it), or a path ending in .js."
    ),
]

Zone = Annotated[
    str | None,
    typer.Option(
        help="Grid zone, such as CH or DE. (default: the world's average)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_ZONE",
    ),
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
Psf = Annotated[
    float | None,
    typer.Option(
        help="How often the computation is repeated; multiplies the run's totals only. (default: 1)",
        rich_help_panel=CARBON,
        envvar="JOULEMARK_PSF",
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Make no network requests.", rich_help_panel=CARBON, envvar="JOULEMARK_OFFLINE"),
]

Python = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FW=PATH", help="Interpreter for a framework, with joulemark installed.", rich_help_panel=EFFORT
    ),
]
MaxRounds = Annotated[
    int | None,
    typer.Option(
        help="Run more rounds of inconclusive pairs, up to this multiple of the rounds; widens intervals. "
        "(default: no more)",
        rich_help_panel=EFFORT,
    ),
]
Sensor = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="rapl, rapl:psys, perf, nvml, amdsmi, codecarbon, replay:FILE, simulated:BOARD/LOAD; meter:FILE is read "
        "alongside the others. Repeatable. (default: all available)",
        rich_help_panel=POWER,
    ),
]
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
        help="Smallest change that matters, such as throughput:5% or energy:off; metrics are throughput, energy, "
        "memory, first-call. Repeatable; overrides the thresholds of the settings file.",
        rich_help_panel=VERDICT,
    ),
]

Texts = list[str] | None
"""Values of a repeatable option."""


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
        Texts, typer.Option(help="Workload; repeatable, like all options here.", rich_help_panel=SELECTION)
    ]
    size: Annotated[
        Texts, typer.Option(help="tiny, small, base, or one of the workload's own.", rich_help_panel=SELECTION)
    ]
    phase: Annotated[Texts, typer.Option(help="inference, training or generation.", rich_help_panel=SELECTION)]
    framework: Annotated[Texts, typer.Option(help="pytorch or tensorflow.", rich_help_panel=SELECTION)]
    mode: Annotated[
        Texts, typer.Option(help="pytorch: eager, compile; tensorflow: eager, graph, xla.", rich_help_panel=SELECTION)
    ]
    device: Annotated[Texts, typer.Option(help="cpu, cuda:0, ...", rich_help_panel=SELECTION)]
    precision: Annotated[Texts, typer.Option(help="fp32, tf32, bf16 or fp16.", rich_help_panel=SELECTION)]
    batch_size: Annotated[list[int] | None, typer.Option(help="Samples per batch.", rich_help_panel=SELECTION)]
    k: Annotated[
        Texts,
        typer.Option("-k", metavar="EXPR", help="Keep cases whose id matches, as in pytest.", rich_help_panel=SELECTION),
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


class Location(TypedDict):
    """Where electricity comes from, other than by zone, and which emission factors apply."""

    coordinates: Annotated[
        str | None,
        typer.Option(metavar="LAT,LON", help="Instead of a zone: degrees, such as 47.37,8.54.", rich_help_panel=CARBON),
    ]
    data_center: Annotated[
        str | None,
        typer.Option(
            metavar="PROVIDER:REGION", help="Instead of a zone, such as gcp:europe-west6.", rich_help_panel=CARBON
        ),
    ]
    emission_factors: Annotated[
        str | None,
        typer.Option(
            help="lifecycle: the whole life of power plants; direct: their operation only. (default: lifecycle)",
            rich_help_panel=CARBON,
            envvar="JOULEMARK_EMISSION_FACTORS",
        ),
    ]


class Carbon(Location):
    """Inputs of the carbon accounting."""

    zone: Zone
    intensity: Intensity
    pue: Pue
    psf: Psf
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

    python: Python
    offline: Offline
    sensor: Sensor
    second_opinion: Annotated[
        bool,
        typer.Option("--second-opinion", help="Run codecarbon's tracker alongside.", rich_help_panel=POWER),
    ]
    allow_estimates: AllowEstimates
    out: Out
    as_json: Json
    no_report: NoReport
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be run and how long it would take, and stop.")
    ]
    resume: Annotated[
        str | None,
        typer.Option(metavar="RUN", help="Finish an interrupted run with its own settings. Takes no selection."),
    ]

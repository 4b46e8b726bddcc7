"""Options that several verbs share, one by one. `suite.cli.option_groups` has those that verbs take together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SELECTION, CARBON, EFFORT, OUTPUT, POWER, VERDICT = "Selection", "Carbon", "Effort", "Output", "Power", "Verdict"

PAGE_SUFFIXES = (".html", ".htm")

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
        help="rapl, rapl:psys, perf, nvml, amdsmi, codecarbon, replay:FILE, simulated:NAME/LOAD; meter:FILE is read "
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

"""Options that several verbs share, one by one. `suite.cli.option_groups` has those that verbs take together."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from joulemark.suite.cli import completion
from joulemark.suite.cli.completion import among, fixed

_panels = ("Selection", "Carbon", "Effort", "Output", "Power", "Verdict", "Cluster")
selection, carbon, effort, output, power, verdict, cluster = (
    partial(typer.Option, rich_help_panel=name) for name in _panels
)
PAGE_SUFFIXES = (".html", ".htm")
a_run = among(completion.runs)
RunName = Annotated[
    str,
    typer.Argument(metavar="RUN", help="A path, an id, a unique beginning of one, or latest.", autocompletion=a_run),
]
Out = Annotated[Path | None, output(metavar="DIR", help="Where run files and pages are kept.")]
Json = Annotated[bool, output("--json", help="One JSON object on standard output.")]
Markdown = Annotated[bool, output("--markdown", help="Markdown on standard output, short enough for a comment.")]
NoReport = Annotated[bool, output("--no-report", help="Write no page.")]
Anonymous = Annotated[bool, typer.Option("--anonymous", help="Leave out what is not known to be harmless.")]
PlotlyJs = Annotated[
    str,
    typer.Option(
        help="Where the page finds Plotly: embed (in itself), cdn, directory (beside it), or a path ending in .js."
    ),
]

Zone = Annotated[
    str | None,
    carbon(
        help="Grid zone, such as CH or DE. (default: the world's average)",
        envvar="JOULEMARK_ZONE",
        autocompletion=among(completion.zones),
    ),
]
ZoneArgument = Annotated[
    str | None,
    typer.Argument(metavar="ZONE", help="Grid zone, such as CH or DK-DK2.", autocompletion=among(completion.zones)),
]
Coordinates = Annotated[str | None, carbon(metavar="LAT,LON", help="Instead of a zone: degrees, such as 47.37,8.54.")]
DataCenter = Annotated[
    str | None, carbon(metavar="PROVIDER:REGION", help="Instead of a zone, such as gcp:europe-west6.")
]
EmissionFactors = Annotated[
    str | None,
    carbon(
        help="lifecycle: the whole life of power plants; direct: their operation only. (default: lifecycle)",
        envvar="JOULEMARK_EMISSION_FACTORS",
        autocompletion=fixed("lifecycle", "direct"),
    ),
]
Intensity = Annotated[
    str | None,
    carbon(
        metavar="G_PER_KWH|FILE",
        help="Your own carbon intensity: g/kWh, LOW..VALUE..HIGH, or a CSV of times and values.",
        envvar="JOULEMARK_INTENSITY",
    ),
]
Pue = Annotated[
    str | None,
    carbon(
        metavar="PUE|PRESET",
        help="Power usage effectiveness: a number, LOW..VALUE..HIGH, or local, uptime-2025, green-algorithms, google, "
        "aws, azure, jean-zay. (default: 1.0)",
        envvar="JOULEMARK_PUE",
        autocompletion=among(completion.presets),
    ),
]
Psf = Annotated[
    float | None,
    carbon(
        help="How often the computation is repeated; multiplies the run's totals only. (default: 1)",
        envvar="JOULEMARK_PSF",
    ),
]
Offline = Annotated[bool, carbon("--offline", help="Make no network requests.", envvar="JOULEMARK_OFFLINE")]

Python = Annotated[
    list[str] | None, effort(metavar="FW=PATH", help="Interpreter for a framework, with joulemark installed.")
]
MaxRounds = Annotated[
    int | None,
    effort(
        help="Run more rounds of inconclusive pairs, up to this multiple of the rounds; widens intervals. "
        "(default: no more)"
    ),
]
Sensor = Annotated[
    list[str] | None,
    power(
        metavar="NAME",
        help="rapl, rapl:psys, perf, nvml, amdsmi, power_model, codecarbon, replay:FILE, simulated:NAME/LOAD. Of the "
        "whole machine, and read alongside the others: meter:FILE, plug:ADDRESS, redfish:URL, ipmi; FILE#NAME and "
        "URL#NAME choose a column, plug or chassis. Repeatable. (default: all available)",
        autocompletion=among(completion.sensors),
    ),
]
AllowEstimates = Annotated[
    bool, effort("--allow-estimates", help="Rank estimated energy too, also against measured energy.")
]
Against = Annotated[
    list[str] | None,
    output(
        metavar="NAME",
        help="The reference machines that the page compares with; repeatable. `joulemark references` lists them. "
        "(default: all)",
        autocompletion=among(completion.references),
    ),
]
Price = Annotated[
    float | None,
    carbon(metavar="P", help="Of a kilowatt-hour, in your currency: what a year costs has a column of it."),
]
Track = Annotated[
    list[str] | None,
    output(
        metavar="TRACKER",
        help="Log the summary, the page and the run file: mlflow, wandb (offline), tensorboard or tensorboard:DIR. "
        "Repeatable.",
        autocompletion=fixed("mlflow", "wandb", "tensorboard"),
    ),
]
Threshold = Annotated[
    list[str] | None,
    verdict(
        metavar="METRIC:PERCENT",
        help="Smallest change that matters, such as throughput:5%, energy:off or operators:0; metrics are throughput, "
        "energy, memory, first-call, of responses ttft and tpot, and work, what a step does, with its counts one by "
        "one (docs/counts.md). Repeatable; overrides the thresholds of the settings file.",
    ),
]

"""`joulemark report`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.support import recompute

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile


def command(
    context: typer.Context,
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Paths, ids, beginnings of ids, or latest.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The page (.html), or a Markdown summary (.md); its folder is made. (default: beside the first run "
            "file)",
        ),
    ] = None,
    plotlyjs: Annotated[
        str,
        typer.Option(
            help="Where the page finds Plotly: embed (in itself), cdn, directory (beside it), or a path ending in .js."
        ),
    ] = "embed",
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write each figure as a picture (needs kaleido and Chrome).")
    ] = None,
    image_format: Annotated[str, typer.Option(help="Of the pictures: svg, png or pdf.")] = "svg",
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Leave out host name, user and paths, to hand the page round.")
    ] = False,
    zone: recompute.Zone = None,
    coordinates: recompute.Coordinates = None,
    data_center: recompute.DataCenter = None,
    emission_factors: recompute.EmissionFactors = None,
    intensity: recompute.Intensity = None,
    pue: recompute.Pue = None,
    psf: recompute.Psf = None,
    embodied: recompute.Embodied = None,
    lifespan_years: recompute.LifespanYears = None,
    offline: options.Offline = False,
    allow_estimates: options.AllowEstimates = False,
    out: options.Out = None,
) -> None:
    """Write one offline HTML page from run files. The first run is what later ones are compared with.

    Grams stay as each run was measured, whatever joulemark.toml and the environment say now; the carbon options here
    recompute them.
    """
    not_carbon = ("offline", "allow_estimates")
    given = options.settings_from_context(
        context, {name: value for name, value in locals().items() if name not in not_carbon}
    )
    from joulemark.suite.cli.support.carbon_inputs import under
    from joulemark.suite.errors import UsageError
    from joulemark.suite.results.store import find, load_path
    from joulemark.suite.settings import runs_directory
    from joulemark.suite.terminal import console as terminal
    from joulemark.suite.units import counted

    options.ending(output, (*options.PAGE, ".md"))
    if images is None and options.given_flags(context, ["image_format"]):
        raise UsageError("--image-format is of the pictures that --images DIR writes: give both, or neither.")
    if output is not None and _is_summary(output) and options.given_flags(context, ["plotlyjs"]):
        raise UsageError("--plotlyjs is of a page: a Markdown summary has no charts. Leave it out.")
    directory = runs_directory(out)
    paths = [find(run, directory) for run in runs]
    files = [under(load_path(path), given, offline) for path in paths]
    if allow_estimates:
        files = [
            file.model_copy(update={"settings": file.settings.model_copy(update={"allow_estimates": True})})
            for file in files
        ]
    if images is not None:  # before the page: what pictures need may not be there
        from joulemark.reports.images import write_images

        pictures = write_images(files, images, image_format, anonymous)
        terminal.print_message(f"Wrote {counted(len(pictures), 'picture')} to {images}")
    page = _write(files, output or paths[0].with_suffix(".html"), plotlyjs, anonymous, _typed(given, offline))
    terminal.print_message(f"Wrote {page} ({_size(page)})")


def _typed(given: Mapping[str, Any], offline: bool) -> list[str]:
    """The carbon options `given`, as one types them; whether the network was asked can make a difference to them."""
    words = [
        word
        for name, value in given.items()
        for word in (f"--{name.replace('_', '-')}", _number(value) if isinstance(value, float) else str(value))
    ]
    return [*words, "--offline"] if words and offline else words


def _number(value: float) -> str:
    """All digits of it: the command makes the same page again."""
    return str(int(value)) if value.is_integer() else str(value)


def _is_summary(output: Path) -> bool:
    return output.suffix.lower() == ".md"


def _write(files: list[RunFile], output: Path, plotlyjs: str, anonymous: bool, recomputed: list[str]) -> Path:
    """The page or, by the ending of `output`, the summary."""
    if _is_summary(output):
        from joulemark.reports.markdown import write_markdown

        return write_markdown(files, output, anonymous)
    from joulemark.reports import html
    from joulemark.suite.carbon.ember import countries

    return html.write(files, output, plotlyjs, anonymous, tuple(countries().values()), recomputed)


def _size(path: Path) -> str:
    size = path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.1f} kB"

"""`joulemark report`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Unpack

import typer

from joulemark.suite.cli import options
from joulemark.suite.cli.arguments import check_suffix, given_flags, settings_from_context
from joulemark.suite.cli.option_groups import Recompute
from joulemark.suite.errors import UsageError
from joulemark.suite.system.directories import find_runs
from joulemark.suite.terminal.console import print_message
from joulemark.suite.units import counted

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile
    from joulemark.suite.results.references.kept import Reference


def command(
    context: typer.Context,
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="Paths, ids, beginnings of ids, latest, or directories of run files.",
            autocompletion=options.a_run,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="The page (.html), or a Markdown summary (.md); its folder is created. (default: next to the first "
            "run file)",
        ),
    ] = None,
    plotlyjs: options.PlotlyJs = "embed",
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write each figure as a picture (needs kaleido and Chrome).")
    ] = None,
    image_format: Annotated[str, typer.Option(help="Of the pictures: svg, png or pdf.")] = "svg",
    anonymous: options.Anonymous = False,
    offline: options.Offline = False,
    allow_estimates: options.AllowEstimates = False,
    against: options.Against = None,
    price: options.Price = None,
    out: options.Out = None,
    **carbon: Unpack[Recompute],
) -> None:
    """Write one offline HTML page from run files. Later runs are compared with the first.

    Emissions stay as each run was measured, whatever joulemark.toml and the environment say now; the carbon options
    here recompute them.
    """
    from joulemark.suite.cli.named_runs import named_runs
    from joulemark.suite.cli.support.carbon_service import recompute_emissions
    from joulemark.suite.cluster import job_file
    from joulemark.suite.results.machine.year import check_price
    from joulemark.suite.results.references.kept import check_names, load_all

    given = settings_from_context(context, carbon)
    check_suffix(output, (*options.PAGE_SUFFIXES, ".md"))
    if images is None and given_flags(context, ["image_format"]):
        raise UsageError("--image-format applies to the pictures that --images DIR writes: give both, or neither.")
    if output is not None and _is_summary(output) and given_flags(context, ["plotlyjs"]):
        raise UsageError("--plotlyjs applies to a page: a Markdown summary has no charts. Leave it out.")
    check_names(against)
    check_price(price)
    directory = find_runs(out)
    named = named_runs(runs, directory)
    if not named:
        raise UsageError(f"no run in {', '.join(runs)} can be read. `joulemark list --runs` lists those that are kept.")
    job = job_file.find_exactly(runs[0], directory) if len(runs) == 1 else None
    lost = None if job is None else job_file.read(job).lost()
    paths = [path for path, _ in named]
    files = [recompute_emissions(run_file, given, offline) for _, run_file in named]
    references = load_all(against, files)
    if allow_estimates:
        files = [
            file.model_copy(update={"settings": file.settings.model_copy(update={"allow_estimates": True})})
            for file in files
        ]
    if images is not None:  # before the page: kaleido or Chrome may be missing
        from joulemark.reports.images import write_images

        pictures = write_images(files, images, image_format, anonymous)
        print_message(f"Wrote {counted(len(pictures), 'picture')} to {images}")
    arguments = [*_arguments(given, offline), *(word for name in against or () for word in ("--against", name))]
    arguments += [] if price is None else ["--price", _number(price)]
    page = output or (paths[0] if job is None else job).with_suffix(".html")
    _write(files, page, plotlyjs, anonymous, arguments, references, price, lost)
    print_message(f"Wrote {page}{_size(page)}")


def _arguments(given: Mapping[str, Any], offline: bool) -> list[str]:
    """Return the carbon options `given` as arguments, with --offline, which may change their effect."""
    arguments = [
        argument
        for name, value in given.items()
        for argument in (f"--{name.replace('_', '-')}", _number(value) if isinstance(value, float) else str(value))
    ]
    return [*arguments, "--offline"] if arguments and offline else arguments


def _number(value: float) -> str:
    """Return all digits of `value`: the command on the page has to make the same page again."""
    return str(int(value)) if value.is_integer() else str(value)


def _is_summary(output: Path) -> bool:
    return output.suffix.lower() == ".md"


def _write(
    files: Sequence[RunFile],
    output: Path,
    plotlyjs: str,
    anonymous: bool,
    recompute_arguments: Sequence[str],
    references: Sequence[Reference],
    price: float | None,
    lost: Mapping[int, str] | None,
) -> Path:
    """Write the page or, by the suffix of `output`, the Markdown summary."""
    if _is_summary(output):
        from joulemark.reports.markdown import write_markdown

        return write_markdown(files, output, anonymous)
    from joulemark.reports import html
    from joulemark.suite.carbon.ember import countries

    return html.write(
        files,
        output,
        plotlyjs,
        anonymous,
        tuple(countries().values()),
        recompute_arguments,
        references=references,
        price=price,
        lost_nodes=lost,
    )


def _size(path: Path) -> str:
    """Return the size of a file in parentheses; empty for a pipe or a device, which has none."""
    if not path.is_file():
        return ""
    size = path.stat().st_size
    return f" ({size / 1e6:.1f} MB)" if size >= 1e6 else f" ({size / 1e3:.1f} kB)"

"""`run --on`: measure on several nodes, or go on with that, and show what came home."""

from __future__ import annotations

import json
import sys
import zlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from joulemark.suite.cli.support.cluster.engine_choice import is_cluster
from joulemark.suite.cli.support.prepare import parse_interpreters
from joulemark.suite.cluster import job_file
from joulemark.suite.cluster.choice import assign, choose
from joulemark.suite.cluster.cluster_run import ClusterRun, NoListener
from joulemark.suite.cluster.engine import Engine, EngineNode, Outcome
from joulemark.suite.cluster.job_file import JobFile, Part
from joulemark.suite.cluster.ray.ray_engine import RayEngine
from joulemark.suite.errors import MeasurementError, UsageError
from joulemark.suite.plan.cases import check_names
from joulemark.suite.records import Settings
from joulemark.suite.records.run_id import new_run_id
from joulemark.suite.results.jobs.document import job_document
from joulemark.suite.results.jobs.members import members
from joulemark.suite.results.jobs.total import JobTotal, job_total
from joulemark.suite.settings import resolve
from joulemark.suite.system import settings_file
from joulemark.suite.system.directories import make_private, runs_directory
from joulemark.suite.system.redaction import redacted_command
from joulemark.suite.system.text import one_line
from joulemark.suite.terminal.console import ERR, print_json, print_message, print_text
from joulemark.suite.terminal.jobs.progress import show_nodes
from joulemark.suite.terminal.jobs.table import job_lines, job_table
from joulemark.suite.units import counted, duration

if TYPE_CHECKING:
    from joulemark.suite.records import RunFile

MANY_CORES: Final = 1 << 16
"""Nodes may have more cores than the head: each of them checks --threads for itself."""


def measure_on_nodes(values: Mapping[str, Any], given: Mapping[str, Any]) -> int:
    """Measure on the nodes of a cluster; return the exit code.

    Args:
        values: The settings on the command line.
        given: The options of `run`.
    """
    values = {name: value for name, value in values.items() if name != "nodes"}
    settings = resolve({**values, "python": parse_interpreters(values.get("python") or ())}, MANY_CORES, measures=True)
    check_names(settings)
    _check_settings(settings)
    directory = runs_directory(given["out"]).absolute()
    address = given["on"].partition(":")[2]
    engine = RayEngine(address)
    try:
        nodes = choose(engine.nodes(), given["nodes"])
        if settings.ranks and len(nodes) > 1:
            settings = settings.model_copy(update={"nodes": len(nodes)})
            check_names(settings)
        parts = tuple(Part(number=i, host=node.label, identity=node.identity) for i, node in enumerate(nodes))
        command = redacted_command(["joulemark", *sys.argv[1:]])
        job = JobFile(
            id=new_run_id(datetime.now(UTC)),
            engine="ray",
            address=address,
            command=command,
            settings=settings,
            parts=parts,
        )
        chosen = dict(enumerate(nodes))
        if given["dry_run"]:
            return _show_plans(job, engine, directory, chosen, given["as_json"])
        _make(directory)
        return _measure(job, engine, directory, chosen, given)
    finally:
        engine.close()


def resume_on_nodes(path: Path, given: Mapping[str, Any], flags: Sequence[str]) -> int:
    """Do what is missing of the job at `path`; return the exit code. `flags` would ask for something else."""
    if flags:
        raise UsageError(f"--resume uses the settings of the interrupted job: leave out {flags[0]}.")
    if given["nodes"] is not None:
        raise UsageError("--resume does the parts that are missing: leave out --nodes.")
    job, directory = job_file.read(path), path.parent.absolute()
    if job.complete:
        print_message(f"Job {job.id} is complete: there is nothing left to measure.")
        return _show(job, directory, False, given)
    settings_file.check_trust(path, job.settings.model_dump(exclude_none=True))
    address = given["on"].partition(":")[2] if given["on"] is not None and is_cluster(given) else job.address
    engine = RayEngine(address)
    try:
        chosen = assign(job, engine.nodes())
        missing = job.count if job.spans else sum(part.status != "ok" for part in job.parts)
        print_message(f"Job {job.id}: {counted(missing, 'part')} of {job.count} to be measured.")
        if len(chosen) < missing:
            print_message(
                f"The cluster has no node for {counted(missing - len(chosen), 'part')}: those that began it are gone, "
                "and no other is free. Resume again when more have joined."
            )
        if not chosen:
            raise MeasurementError(f"nothing of job {job.id} can be measured on the nodes of this cluster.")
        if given["dry_run"]:
            return _show_plans(job, engine, directory, chosen, given["as_json"])
        return _measure(job, engine, directory, chosen, given)
    finally:
        engine.close()


def _check_settings(settings: Settings) -> None:
    """Raise UsageError for settings that mean something else on another machine."""
    named = {"--intensity": settings.intensity, **{f"--sensor {each}": each for each in settings.sensor}}
    named |= {f"--python {name}": path for name, path in settings.python.items()}
    for option, value in named.items():
        path = str(value).partition(":")[2] if option.startswith("--sensor") else str(value)
        if option.startswith("--sensor") and not str(value).startswith(("replay:", "meter:")):
            continue
        if "/" in path and not path.startswith("/"):
            raise UsageError(f"{option} names a file, which every node looks for: give an absolute path.")


def _make(directory: Path) -> None:
    try:
        make_private(directory)
    except OSError as error:
        raise UsageError(f"cannot write {directory}: {error.strerror}. Choose another place with --out.") from None


def _measure(
    job: JobFile, engine: Engine, directory: Path, nodes: Mapping[int, EngineNode], given: Mapping[str, Any]
) -> int:
    labels = {number: node.label for number, node in nodes.items()}
    print_message(f"Job {job.id}: {counted(len(nodes), 'node')}.")
    with show_nodes(ERR, labels) as listener:
        run = ClusterRun(job, engine, directory, listener)
        interrupted = run.run(nodes)
    return _show(run.job, directory, interrupted, given)


def _show(job: JobFile, directory: Path, interrupted: bool, given: Mapping[str, Any]) -> int:
    """Print the nodes of a job side by side and write its page; return the exit code."""
    files = job_file.run_files(job, directory) if any(part.run for part in job.parts) else []
    total = job_total(members(files), job.lost()) if files else None
    path = job_file.path_of(job.id, directory)
    if total is not None and not given["as_json"]:
        print_text(job_table(total), "\n".join(job_lines(total)))
    for part in job.parts:
        if part.status != "ok":
            print_message(f"node {part.number} ({one_line(part.host)}): {part.status}: {one_line(part.reason)}")
    print_message(f"Job file: {path}")
    page = None if given["no_report"] or not files else _write_page(job, path, files, given)
    if given["as_json"]:
        print_json(_document(job, total, path, page))
    if interrupted:
        print_message(f"Interrupted: continue with --resume {job.id}.")
        return 130
    if not job.complete:
        print_message(f"Job {job.id} is not complete: do what is missing with --resume {job.id}.")
    return _exit_code(job)


def _write_page(job: JobFile, path: Path, files: Sequence[tuple[str, RunFile]], given: Mapping[str, Any]) -> Path:
    from joulemark.reports import html
    from joulemark.suite.carbon.ember import countries
    from joulemark.suite.results.references.kept import load_all

    runs = [run_file for _, run_file in files]
    page = html.write(
        runs,
        path.with_suffix(".html"),
        zones=tuple(countries().values()),
        private=True,
        references=load_all(given["against"]),
        price=given["price"],
        lost_nodes=job.lost(),
    )
    print_message(f"Report:   {page}")
    return page


def _exit_code(job: JobFile) -> int:
    codes = [part.exit_code for part in job.parts]
    if all(code == 2 for code in codes):
        return 2  # the same that was wrong everywhere
    return 0 if job.complete and not any(codes) else 4


def _document(job: JobFile, total: JobTotal | None, path: Path, page: Path | None) -> dict[str, Any]:
    """Return the job for `--json`."""
    whole = {} if total is None else job_document(total)
    parts = [part.model_dump(mode="json", exclude={"identity"}) for part in job.parts]
    return {
        **whole,
        "job": job.id,
        "complete": job.complete,
        "parts": parts,
        "path": str(path),
        "report": None if page is None else str(page),
    }


def _show_plans(job: JobFile, engine: Engine, directory: Path, nodes: Mapping[int, EngineNode], as_json: bool) -> int:
    """Print what each node would run; return the exit code."""
    run = ClusterRun(job, engine, directory, NoListener())
    plans = [_plan(job, outcome, number) for number, outcome in run.dry_run(nodes).items()]
    if as_json:
        print_json({"nodes": plans})
    else:
        for plan in plans:
            what = plan["reason"] or f"{counted(len(plan['cases']), 'case')}, about {duration(plan['expected_s'])}"
            print_text(f"node {plan['node']} {plan['host']}: {what}")
    return 2 if any(plan["reason"] for plan in plans) else 0


def _plan(job: JobFile, outcome: Outcome, number: int) -> dict[str, Any]:
    plan = {"node": number, "host": job.parts[number].host, "reason": outcome.reason}
    if outcome.exit_code == 0:
        outline = json.loads(zlib.decompress(outcome.run_data))
        plan |= {name: outline[name] for name in ("rounds", "expected_s", "cases")}
    return plan

"""`joulemark job`: one job out of the run files of its nodes; and the job in a report."""

from __future__ import annotations

import json
import re

import pytest
from command import joulemark
from job_files import node_file
from run_files import energy, run_file

from joulemark.reports.html import render
from joulemark.suite.records import write

pytestmark = pytest.mark.slow


def test_a_directory_of_node_files_is_a_job(tmp_path):
    for rank in (0, 1):
        write(node_file(rank, count=3), tmp_path / f"fit.node{rank}.json")
    write(run_file(), tmp_path / "other.json")
    (tmp_path / "broken.json").write_text("{")
    done = joulemark(tmp_path, "job", str(tmp_path), "--json")
    assert done.returncode == 0
    assert "left out: " in done.stderr
    job = json.loads(done.stdout)
    assert job["schema_version"] == 1
    assert job["energy_j"] == pytest.approx(240.0)
    assert job["lower_bound"] is True
    assert job["missing"] == [{"what": "node 2", "reason": "it has no run file"}]
    assert [(node["rank"], node["energy_j"], node["lower_bound"]) for node in job["nodes"]] == [
        (0, pytest.approx(120.0), False),
        (1, pytest.approx(120.0), False),
    ]
    assert {entry["what"] for entry in job["not_measured"]} == {"network", "switches"}
    assert "network" not in job["components_j"]

    shown = joulemark(tmp_path, "job", *(str(tmp_path / f"fit.node{rank}.json") for rank in (1, 0))).stdout
    assert "≥ 240 J" in shown
    assert "~" not in shown
    assert "Energy: measured (rapl)." in shown
    assert "node 2: it has no run file" in shown
    assert "Not measured: network" in shown


def test_estimates_have_their_mark_and_range_in_the_terminal_and_on_the_page(tmp_path):
    estimates = (energy(14.0, kind="model", gain=0.5), energy(7.0, "dram", kind="model", gain=0.5))
    files = [node_file(rank, readings=estimates) for rank in (0, 1)]
    for rank, file in enumerate(files):
        write(file, tmp_path / f"fit.node{rank}.json")
    shown = joulemark(tmp_path, "job", str(tmp_path)).stdout
    page = render(files, plotlyjs="cdn")
    page = page[page.index('<section id="job"') :]
    page = page[: page.index("</section>")]
    for text in (shown, page):
        for amount in ("~21 J", "~42 J", "~28 J", "~14 J", "~7.0 J", "(21 to 63)"):  # 42 J +- 50 %
            assert amount in text
        assert re.findall(r"(?<![~\d.])[\d.]+ [mµ]?[Jg]\b", text) == []
        assert "Energy: " in text
        assert "estimated (" in text
    assert shown.count("(10 to 32)") == 2  # 21 J +- 50 %, to the digits of the value


def test_runs_are_named_as_for_other_verbs(tmp_path):
    home = tmp_path / "home"
    ids = []
    for rank in (0, 1):
        file = node_file(rank)
        ids.append(file.run.id)
        write(file, home / "runs" / f"{file.run.id}.json")
    done = joulemark(home, "job", ids[0], "latest", "--json")
    assert json.loads(done.stdout)["energy_j"] == pytest.approx(240.0), done.stderr
    assert json.loads(joulemark(home, "job", "latest", "--json").stdout)["energy_j"] == pytest.approx(120.0)
    done = joulemark(tmp_path, "job", *ids, "--out", str(home / "runs"), "--json")
    assert json.loads(done.stdout)["lower_bound"] is False, done.stderr
    for name, told in (
        ("", "name of a run is empty"),
        ("2026", "give more of the id"),
        ("never", "unknown run 'never'"),
    ):
        done = joulemark(home, "job", name)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert told in done.stderr


def test_each_damaged_file_is_one_line_and_all_are_counted(tmp_path):
    job = tmp_path / "job"
    for rank in (0, 1):
        write(node_file(rank), job / f"fit.node{rank}.json")
    whole = (job / "fit.node1.json").read_text()
    (job / "fit.node1.json").write_text(whole[: len(whole) // 2])
    (job / "other.json").write_bytes(b"\0\xff")
    done = joulemark(tmp_path, "job", "job", "--json")
    assert done.returncode == 0
    assert [line.partition(": ")[2].split()[0] for line in done.stderr.splitlines()] == ["left", "left", "2"]
    assert "2 of 3 files in job were left out" in done.stderr
    assert json.loads(done.stdout)["missing"] == [{"what": "node 1", "reason": "it has no run file"}]
    done = joulemark(tmp_path, "job", *(str(path) for path in sorted(job.iterdir())))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 2)
    assert "2 of 3 files cannot be read" in done.stderr
    (job / "fit.node0.json").unlink()
    for verb in ("job", "report"):
        done = joulemark(tmp_path, verb, "job")
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 4


def test_a_report_takes_a_directory(tmp_path):
    for rank in (0, 1):
        write(node_file(rank), tmp_path / "job" / f"fit.node{rank}.json")
    (tmp_path / "empty").mkdir()
    done = joulemark(tmp_path, "report", "job", "-o", "page.html")
    assert done.returncode == 0, done.stderr
    assert "240 J" in (tmp_path / "page.html").read_text()
    done = joulemark(tmp_path, "report", "empty")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "directory without a run file" in done.stderr


def test_what_a_node_lacks_is_in_its_row_and_in_the_sum(tmp_path):
    files = [node_file(0), node_file(1, readings=(energy(100.0), energy(None, "dram")))]
    for rank, file in enumerate(files):
        write(file, tmp_path / f"fit.node{rank}.json")
    page = render(files, plotlyjs="cdn")
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", page[page.index('<section id="job"') :])
    on_page = [re.findall(r"<bdi>(.*?)</bdi>", row) for row in rows[:3]]
    assert [row[2:5] for row in on_page] == [
        ["120 J", "20.0 J", "100 J"],
        ["≥ 100 J", "not measured", "100 J"],
        ["≥ 220 J", "≥ 20.0 J", "200 J"],
    ]
    assert [row[5].startswith("≥ ") for row in on_page] == [False, True, True]
    shown = joulemark(tmp_path, "job", ".").stdout
    for text in ("≥ 20.0 J", "not measured", "≥ 220 J", *(row[5] for row in on_page)):
        assert text in shown


@pytest.mark.parametrize("name", [".", "run.json", "nowhere.json"])
def test_without_a_job_there_is_one_line(tmp_path, name):
    write(run_file(), tmp_path / "run.json")
    done = joulemark(tmp_path, "job", str(tmp_path / name))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


def test_a_report_of_the_nodes_has_the_job():
    files = [node_file(rank, count=3) for rank in (0, 1)]
    page = render(files, plotlyjs="cdn")
    for text in ("≥ 240 J", "node 2: it has no run file", "switches: no sensor of a node reads them"):
        assert text in page
    hidden = render(files, plotlyjs="cdn", anonymous=True)
    assert "≥ 240 J" in hidden  # two hosts of one name stay two machines
    assert "0123456789ab" not in hidden
    assert 'id="job"' not in render([run_file()], plotlyjs="cdn")

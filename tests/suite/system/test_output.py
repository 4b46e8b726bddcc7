"""Writing a file in one step, and in place where it is no file or cannot be replaced."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from joulemark.suite.errors import UsageError
from joulemark.suite.system.output import atomic_replacement, output_file

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts, makes devices, and becomes another user")


def write(path: Path, text: str = "new") -> None:
    with output_file(path) as temporary:
        temporary.write_text(text)


def test_the_old_content_stays_until_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with atomic_replacement(path, 0o640) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_old_content_and_no_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail_halfway() -> None:
        with atomic_replacement(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_replacement(tmp_path / "missing" / "file"):
        pytest.fail("there is no temporary file to write")


def test_an_output_makes_its_folders(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b" / "file")
    assert (tmp_path / "a" / "b" / "file").read_text() == "new"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_permissions_of_an_existing_file_stay(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(mode)
    write(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_long_name_has_room_for_the_temporary_file(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write(path)
    assert path.read_text() == "new"


@pytest.mark.parametrize("exists", [True, False])
def test_the_target_of_a_symbolic_link_is_written(tmp_path: Path, exists: bool) -> None:
    (tmp_path / "real").mkdir()
    target = tmp_path / "real" / "file"
    if exists:
        target.write_text("old")
    link, second = tmp_path / "link", tmp_path / "second"
    link.symlink_to("real/file")
    second.symlink_to(link)
    write(second)
    assert target.read_text() == "new"
    assert second.is_symlink()
    assert link.is_symlink()
    assert list(target.parent.iterdir()) == [target]


def test_a_fifo_stays_and_its_reader_gets_everything(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(fifo.read_text()))
    reader.start()
    write(fifo, "x" * 200_000)
    reader.join(60)
    assert received == ["x" * 200_000]
    assert stat.S_ISFIFO(fifo.stat().st_mode)
    assert list(tmp_path.iterdir()) == [fifo]


def test_a_file_that_may_be_written_in_a_folder_that_may_not(tmp_path: Path) -> None:
    """A container's read-only root with one writable file."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    (folder / "file").write_text("old and longer")
    (folder / "file").chmod(0o666)
    folder.chmod(0o555)
    # Below the folder, which root may pass and another user may not.
    code = "import os; os.chdir(sys.argv[1]); os.getuid() or os.setuid(65534); write(Path('file'))"
    subprocess.run([*python(code), folder], check=True)
    assert (folder / "file").read_text() == "new"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
@pytest.mark.parametrize("kind", ["pipe", "socket", "file"])
def test_a_descriptor_of_this_process_goes_on_where_it_is(tmp_path: Path, name: str, kind: str) -> None:
    code = f"print('before', flush=True); write(Path({name!r}), 'new\\n'); print('after')"
    if kind == "file":
        path = tmp_path / "file"
        with path.open("w") as file:
            subprocess.run(python(code), stdout=file, check=True)
        received = path.read_text()
    elif kind == "pipe":
        received = subprocess.run(python(code), check=True, capture_output=True, text=True).stdout
    else:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            subprocess.run(python(code), stdout=theirs.fileno(), check=True)
            received = ours.recv(1000).decode()
    assert received == "before\nnew\nafter\n"


def test_process_substitution(tmp_path: Path) -> None:
    path = tmp_path / "upper"
    script = 'upper=$1; shift; "$@" >(tr a-z A-Z > "$upper") || exit; wait $!'
    subprocess.run(["bash", "-c", script, "bash", path, *python("write(Path(sys.argv[1]))")], check=True)
    assert path.read_text() == "NEW"


@root
def test_a_device_stays_a_device(tmp_path: Path) -> None:
    null = tmp_path / "null"
    try:
        os.mknod(null, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    except OSError:
        pytest.skip("devices cannot be made here")
    write(null)
    assert stat.S_ISCHR(null.stat().st_mode)
    assert list(tmp_path.iterdir()) == [null]


@root
def test_a_file_that_is_mounted_on_its_own(tmp_path: Path) -> None:
    """`docker run -v ./page.html:/page.html`."""
    single, mounted = tmp_path / "single", tmp_path / "mounted"
    single.write_text("old and longer")
    mounted.touch()
    code = "write(Path(sys.argv[1]))"
    script = 'mount --bind "$1" "$2" || exit 77; shift; file=$1; shift; "$@" "$file"'
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", single, mounted, *python(code)], check=False)
    if done.returncode == 77:
        pytest.skip("nothing can be mounted here")
    assert done.returncode == 0
    assert single.read_text() == "new"
    assert sorted(tmp_path.iterdir()) == [mounted, single]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("folder", errno.EISDIR),
        ("file/below", errno.ENOTDIR),
        ("loop", errno.ELOOP),
        ("link/file", errno.ENOENT),
        ("x" * 300, errno.ENAMETOOLONG),
    ],
)
def test_what_cannot_be_written_is_one_line(tmp_path: Path, name: str, reason: int) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("nowhere/at/all")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=f"^cannot write {tmp_path / name}: {os.strerror(reason)}.$"):
        write(tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_private_output_and_its_folders_are_its_users_alone(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    with output_file(path, private=True) as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o600
        temporary.write_text("new")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (path, *path.parents[:2])] == [0o600, 0o700, 0o700]
    path.chmod(0o644)  # a user who shares it may write it again
    with output_file(path, private=True) as temporary:
        temporary.write_text("newer")
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@root
@pytest.mark.parametrize("name", ["link", "second", "folder/file"])
def test_another_users_link_in_a_folder_of_all_is_not_followed(tmp_path: Path, name: str) -> None:
    """Root's own file would be replaced; the kernel refuses to follow such links too (sysctl fs.protected_symlinks)."""
    shared, precious = tmp_path / "tmp", tmp_path / "precious"
    shared.mkdir()
    shared.chmod(0o1777)
    precious.mkdir()
    (precious / "file").write_text("a year of notes")
    (shared / "link").symlink_to(precious / "file")
    (shared / "folder").symlink_to(precious)
    for planted in ("link", "folder"):
        os.chown(shared / planted, 54321, 54321, follow_symlinks=False)
    (shared / "second").symlink_to("link")
    with pytest.raises(UsageError, match=f"^cannot write {shared / name}: .*another user's link"):
        write(shared / name)
    assert (precious / "file").read_text() == "a year of notes"
    (shared / "own").symlink_to(precious / "file")
    write(shared / "own")
    assert (precious / "file").read_text() == "new"


PROGRAM = """
import sys
from pathlib import Path
from joulemark.suite.system.output import output_file
def write(path, text="new"):
    with output_file(path) as temporary:
        temporary.write_text(text)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-P", "-c", PROGRAM + code]

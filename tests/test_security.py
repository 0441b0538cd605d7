"""What SECURITY.md promises of files, folders, links and the processes that we start."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stimctl.control import FACE
from stimctl.control.link import face_link
from stimctl.control.wire import ENVIRONMENT
from stimctl.engine import State
from stimctl.errors import RecordError, UsageError
from stimctl.records import reading
from stimctl.records.journal import Journal
from tests.session_rig import EMG, Rig

pytestmark = pytest.mark.skipif(os.name != "posix", reason="modes, links and descriptors of POSIX")

ROOT = Path(__file__).parents[1]


def journal(path: Path) -> Journal:
    return Journal(path, wall_clock=lambda: "2026-01-01T00:00:00.000+00:00")


# --- files and folders --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_all_that_a_session_writes_is_the_users_own(mask: int, tmp_path: Path) -> None:
    """Record, SQLite's log and shared memory, and raw EMG, while the session runs and afterwards."""
    before = os.umask(mask)
    try:
        rig = Rig(tmp_path, EMG)
        try:
            rig.work(State.READY)
            running = {path.name: stat.S_IMODE(path.stat().st_mode) for path in rig.store.parent.iterdir()}
        finally:
            rig.close()
    finally:
        os.umask(before)
    assert {Path(name).suffix.partition("-")[2] or Path(name).suffix for name in running} == {
        ".db",
        "wal",
        "shm",
        ".emg",
    }
    assert set(running.values()) == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in rig.store.parent.iterdir()} == {0o600}
    assert stat.S_IMODE(rig.store.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["r.db", "r.db-wal", "r.db-shm", "r.db-journal"])
def test_nothing_is_written_through_a_planted_link(name: str, tmp_path: Path) -> None:
    """SQLite itself would follow the ones beside the record."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "store").mkdir(mode=0o700)
    (tmp_path / "store" / name).symlink_to(victim)
    with pytest.raises(RecordError, match=r"not an ordinary file"):
        journal(tmp_path / "store" / "r.db")
    assert victim.read_text() == "precious"
    assert [path.name for path in (tmp_path / "store").iterdir()] == [name]


@pytest.mark.parametrize("name", ["r.db", "r.db-wal"])
def test_a_file_that_somebody_else_put_there_first_is_no_record(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.db").touch(mode=0o600)
    (tmp_path / name).touch(mode=0o600)
    me = os.geteuid()
    owner = Path.lstat

    def lstat(path: Path) -> os.stat_result:
        found = owner(path)
        return os.stat_result((*found[:4], me + 1, *found[5:])) if path.name == name else found

    monkeypatch.setattr(Path, "lstat", lstat)
    with pytest.raises(RecordError, match="belongs to another user"):
        journal(tmp_path / "r.db")


@pytest.mark.parametrize("home", ["", "relative/home"])
def test_the_record_never_lies_where_one_happens_to_stand(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says: the system knows where this user lives."""
    for name in ("HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, home)
    with contextlib.suppress(RecordError):  # a user whom the system does not know has no place, and is told
        assert reading.default_store().is_absolute()


@pytest.mark.parametrize("folder", ["~", "share/stimctl"])
def test_a_data_folder_that_is_no_place_of_its_own_is_refused(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import platformdirs

    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_args, **_more: folder)
    with pytest.raises(RecordError, match="no place of its own"):
        reading.default_store()


# --- the protocol file --------------------------------------------------------------------------------------------


def test_a_file_that_changes_after_it_was_opened_changes_no_session(tmp_path: Path) -> None:
    """Its bytes are read once: what was checked, what is flown and what is recorded are the same ones."""
    rig = Rig(tmp_path)
    try:
        was = rig.path.read_bytes()
        rig.work(State.SCREENING)
        rig.path.write_bytes(was.replace(b"amplitude_ma = 6.0", b"amplitude_ma = 7.5"))
        rig.work()
        opened = rig.events()[0].payload
        assert opened["protocol_sha256"] == hashlib.sha256(was).hexdigest()
        assert opened["protocol_text"] == was.decode()
        assert rig.session.engine.schedule.channels[0].target_ua == 6_000
    finally:
        rig.close()


# --- the face's process -------------------------------------------------------------------------------------------


def test_the_face_runs_nothing_that_lies_in_the_users_folder(tmp_path: Path) -> None:
    """As when somebody opens a protocol in a folder of downloads, in which a file is called like a module."""
    for name in ("json", "textual", "argparse", "stimctl"):
        (tmp_path / f"{name}.py").write_text("import pathlib\npathlib.Path('ran').touch()\n")
    code = "import subprocess, sys; from stimctl.control import FACE; sys.exit(subprocess.call(FACE))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not (tmp_path / "ran").exists()
    assert (done.returncode, done.stdout) == (2, "")
    assert "cannot be started by itself" in done.stderr


def test_our_own_face_is_the_command() -> None:
    assert FACE[-3:] == ("-m", "stimctl", "--face")


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "fds:",
            "fds:0",
            "fds:a,b",
            "fds:-1,-1",
            "fds:0,1,2",
            f"fds:{2**70},1",
            "fds:1000000,1000001",
            "fds:\0,1",
        ),
        *("tcp:", "tcp:x:y", "tcp:99999:y", f"tcp:{2**70}:y", "tcp:-1:y", "pipe:3,4", "fds", ":,"),
    ],
)
def test_a_face_that_nobody_started_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {**os.environ, ENVIRONMENT: address})
    with pytest.raises(UsageError, match="cannot be started by itself"):
        face_link()
    assert ENVIRONMENT not in os.environ, "nor does a child of the face inherit the address"


def test_the_lines_to_the_face_are_in_nobodys_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair of sockets without a name, handed on as descriptors: nothing to connect to, nothing secret to read."""
    from stimctl.control import child

    told: dict[str, object] = {}

    def started(_command: object, _stdin: object, link: str, fds: tuple[int, ...]) -> object:
        told["link"] = link
        told["names"] = [socket.socket(fileno=os.dup(fd)) for fd in fds]
        raise OSError("not really")

    monkeypatch.setattr(child, "_start", started)
    with pytest.raises(Exception, match="not really"):
        child.FaceChild(["face"], tcp=False)
    sockets = told["names"]
    assert isinstance(sockets, list)
    assert str(told["link"]).startswith("fds:")
    for each in sockets:
        assert each.family == socket.AF_UNIX
        assert each.getsockname() == ""
        each.close()


# --- what else is installed ---------------------------------------------------------------------------------------


def test_nothing_that_is_installed_beside_us_has_a_say_in_what_a_file_means(tmp_path: Path) -> None:
    """Pydantic loads whatever calls itself a plugin of it, and asks it about every file that is validated."""
    packages = tmp_path / "packages"
    about = packages / "meddler-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: meddler\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[pydantic]\nmeddler = meddler:plugin\n")
    (packages / "meddler.py").write_text("raise SystemExit('meddled')\n")
    file = ROOT / "stimctl" / "protocols" / "library" / "mirror-box.toml"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(packages)))}
    done = subprocess.run(
        [sys.executable, "-m", "stimctl", "check", str(file)], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout

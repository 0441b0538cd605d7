"""Real streams over loopback: found or refused in one line, read without waiting, kept to this computer, lost with a cause."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stimctl.errors import LinkLost, UsageError
from stimctl.sensors.lsl import LslSource
from stimctl.session.search import Search, ahead, search
from stimctl.transport import lsl
from stimctl.transport.lsl_in import Pulled, Stream, find
from tests.lsl_rig import Sender, outlet

PATIENCE_S = 30.0
ROOT = Path(__file__).parent.parent


def until(holds: Callable[[], Any]) -> Any:
    """What ``holds`` gives once it gives anything; fails when it does not in time."""
    end_s = time.monotonic() + PATIENCE_S
    while not (found := holds()):
        assert time.monotonic() < end_s, "it never came to be"
    return found


def unique(name: str) -> str:
    """A name that no other test's stream has, run beside this one."""
    return f"{name}-{os.getpid()}"


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    made = Sender(tmp_path, unique("Amp"))
    yield made
    made.close()


def hear(stream: Stream, count: int) -> list[Pulled]:
    """Pull until there are ``count`` samples."""
    pulled: list[Pulled] = []

    def enough() -> bool:
        new = stream.pull(0)
        pulled.extend([new] if new is not None else [])
        return sum(len(each.values) for each in pulled) >= count

    until(enough)
    return pulled


def open_to_all() -> list[str]:
    """What of this process hears every interface, as the kernel tells: Linux's list of its sockets."""
    inodes = set()
    for each in Path("/proc/self/fd").iterdir():
        try:
            inodes.add(str(each.readlink()).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue
    tied = subprocess.run(["ss", "-H", "-lntue"], capture_output=True, text=True, check=True).stdout.splitlines()
    mine = [line for line in tied if any(f"ino:{inode} " in f"{line} " for inode in inodes)]
    return [line for line in mine if not line.split()[4].startswith(("127.", "[::1]", "0.0.0.0%lo:"))]


def test_a_stream_of_another_process_is_heard(sender: Sender, tmp_path: Path) -> None:
    """By its name, type or source_id; its samples bear their ages, and a killed sender is told at once."""
    name = unique("Amp")
    stream = find("name", name)
    assert (stream.facts.rate_hz, stream.facts.labels, stream.facts.units) == (1_000, ("EMG",), ("microvolts",))
    pulled = hear(stream, 500)
    assert all(age > -5_000 for each in pulled for age in each.ages_us), (
        "none is from the future, by what clocks are off"
    )
    if sys.platform == "linux":
        assert open_to_all() == []
    source = LslSource(find("source_id", name))
    assert source.in_microvolts
    sender.close()

    until(lambda: _is_lost(stream))
    with pytest.raises(LinkLost, match=f"the sender of the LSL stream {name} is gone"):
        stream.pull(0)
    back = Sender(tmp_path, name)
    try:
        until(lambda: not _is_lost(stream))
        assert hear(stream, 100)
    finally:
        back.close()
        stream.close()
    with pytest.raises(LinkLost):
        stream.pull(0)


def _is_lost(stream: Stream) -> bool:
    try:
        stream.pull(0)
    except LinkLost:
        return True
    return False


def test_what_cannot_be_listened_to_is_refused_in_one_line() -> None:
    """No such stream, several, one of events, one of text; and every line says what to do."""
    name, pylsl = unique("Lab"), lsl.library()
    made = [outlet(f"{name}-twice", source_id=f"{name}-{n}") for n in (1, 2)]
    made += [outlet(f"{name}-events", rate_hz=pylsl.IRREGULAR_RATE), outlet(f"{name}-text", form="string")]
    if sys.platform == "linux":
        assert open_to_all() == []
    for value, said in (
        (f"{name}-nothing", r"no LSL stream whose name is .* within 3 s; there are: "),
        (f"{name}-twice", rf"there are 2 LSL streams .*source_id {name}-[12].*; name one by its source_id"),
        (f"{name}-events", "has no even rate: it carries events"),
        (f"{name}-text", "carries text, and not numbers"),
        ("a'b\"c", "cannot be the name of an LSL stream"),
    ):
        with pytest.raises(UsageError, match=said) as raised:
            find("name", value)
        assert "\n" not in str(raised.value)
    del made


def test_a_search_goes_on_beside_the_loop_and_is_made_once(sender: Sender) -> None:
    url = f"lsl:{unique('Amp')}"
    looked = Search(url)
    assert not looked.done, "nobody waits for it"
    looked.wait()
    assert looked.result().name == f"LSL {unique('Amp')}"
    ahead(url)
    found = search(url)
    assert found.done
    assert search(url) is not found, "what was found ahead is taken once"
    with pytest.raises(UsageError, match="has no one channel '7'"):
        ahead(f"{url}#7")


def test_a_url_without_a_stream_is_known_at_once() -> None:
    with pytest.raises(UsageError, match="names no LSL stream"):
        Search("lsl:")


# --- the library ---------------------------------------------------------------------------------------------------


def alone(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_without_the_package_it_says_how_to_get_it() -> None:
    done = alone(
        "import sys; sys.modules['pylsl'] = None; from stimctl.cli import main\n"
        "sys.exit(main(['run', 'wrist-finger-extensors-emg', '--headless', '--emg', 'lsl:Amp']))"
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "pip install 'stimctl[lsl]'" in done.stderr


def test_no_file_of_settings_opens_it_to_the_network(tmp_path: Path) -> None:
    """liblsl takes its settings from a file that the environment names, or that lies about; ours go before."""
    (tmp_path / "lsl_api.cfg").write_text("[multicast]\nResolveScope = global\n", encoding="utf-8")
    code = (
        "from tests.test_lsl_streams import open_to_all\nfrom tests.lsl_rig import outlet\n"
        "made = outlet('Alone'); import sys; sys.exit('\\n'.join(open_to_all()) or 0)"
    )
    if sys.platform == "linux":
        done = alone(code, LSLAPICFG=str(tmp_path / "lsl_api.cfg"))
        assert (done.returncode, done.stderr) == (0, "")


def test_a_scope_is_opened_on_purpose_and_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lsl, "_library", None)
    monkeypatch.setattr(lsl, "_scope", lsl.MACHINE)
    with pytest.raises(UsageError, match="there are machine, link, site"):
        lsl.widen("galaxy")
    lsl.widen("link")
    assert lsl.scope() == "link"
    assert lsl.keep_here(), "what was opened on purpose is left open"
    monkeypatch.setattr(lsl, "_library", object())
    lsl.widen("link")
    with pytest.raises(UsageError, match="settled when it is first used"):
        lsl.widen("machine")

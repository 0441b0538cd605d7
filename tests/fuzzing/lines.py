"""Lines that others write to: the board's wire, both ways; the face's link; the terminal."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path
from zlib import crc32

from stimctl.boards.reference.codec import END, STOP_FRAME, WIRE_MAX, Decoder, Frame
from stimctl.control.keys import StopKey, StopScanner
from stimctl.control.port import ORDERS_MAX, FacePort
from stimctl.control.wire import LINE_MAX
from stimctl.driver import Driver, DriverState, OutputState
from stimctl.errors import StimctlError
from stimctl.orders import Order, OrderKind, order_from_json, status_from_json, to_json
from stimctl.safety import Latch
from stimctl.transport import memory_pair
from tests.fuzzing.mangle import mangled, text
from tests.fuzzing.probe import Probe, given, no_streams
from tests.session_rig import Rig
from tests.sim_host import MS, TOKEN, Host, make_twin
from tests.test_wire_codec import FRAMES

# --- the wire -----------------------------------------------------------------------------------------------------


def frames(chance: random.Random, most: int = 6) -> bytes:
    """Frames, mangled frames, frames with a body of their own and a right checksum, and noise."""
    draw = (
        lambda: chance.choice(FRAMES),
        lambda: mangled(chance.choice(FRAMES), chance),
        lambda: framed(mangled(chance.choice(FRAMES)[1:-5], chance)),
        lambda: chance.randbytes(chance.randrange(80)),
        lambda: chance.choice((END, b"\xdb", b"\xdb\xdb", END * 9, b"x" * 2_000)),
    )
    return b"".join(chance.choice(draw)() for _ in range(chance.randint(1, most)))


def framed(body: bytes) -> bytes:
    whole = body + crc32(body).to_bytes(4, "little")
    return END + whole.replace(b"\xdb", b"\xdb\xdd").replace(END, b"\xdb\xdc") + END


def decoder(chance: random.Random, _folder: Path) -> None:
    """Bytes from a board into words: nothing is raised, little is held, and how they are cut makes no difference."""
    data = frames(chance)
    with given(data):
        whole, parts = Decoder(), Decoder()
        expected = whole.feed(data)
        found: list[Frame] = []
        at = 0
        while at < len(data):
            size = chance.randint(1, 30)
            found += parts.feed(data[at : at + size])
            at += size
        assert tuple(found) == expected
        assert parts.faults == whole.faults
        assert len(whole._tail) <= WIRE_MAX
        for frame in expected:
            assert repr(frame.word).isprintable()


def driver(chance: random.Random, _folder: Path) -> None:
    """A board that talks nonsense, before and after it was asked who it is: told or dropped, and never called off."""
    ours, theirs = memory_pair()
    now_us, latch = 0, Latch()
    made = Driver(ours, latch, tokens=lambda: TOKEN)
    said = []
    try:
        made.open(now_us)
        for _ in range(chance.randint(1, 12)):
            said.append(frames(chance, 2))
            with given(said):
                theirs.write(said[-1][:4_000])
                theirs.read()
                now_us += chance.choice((1, 1_000, 20_000, 120_000))
                for event in made.poll(now_us):
                    assert str(event).isprintable()
                assert made.state in DriverState
                if not any(STOPPED in each or IDENTITY in each for each in said):
                    assert made.output is not OutputState.OFF, "no board has said so"
                if made.state is DriverState.LOST:
                    break
    finally:
        made.close()
        theirs.close()


STOPPED, IDENTITY = (frame[:3] for frame in (FRAMES[13], FRAMES[8]))
"""How the two frames begin that can tell of zero."""


def twin(chance: random.Random, _folder: Path) -> None:
    """Bytes to a board in the middle of a treatment: no output of it ever rises by them, and a stop after them stops."""
    host = Host(make_twin())
    host.go(0, 6_000)
    board = host.twin
    for _ in range(chance.randint(1, 6)):
        data = foreign(chance)
        with given(data):
            board.feed(data, host.now_us)
            board.outgoing()
            host.now_us += chance.randrange(30 * MS)
            board.advance(host.now_us)
            assert board.current_ua(0) in (0, 6_000)
            assert not any(board.current_ua(output) for output in (1, 2, 3))
    board.feed(STOP_FRAME, host.now_us)
    assert not board.energised


def foreign(chance: random.Random) -> bytes:
    """What is not the session's own: noise, other people's frames, its own frames damaged."""
    data = frames(chance)
    return data.replace(TOKEN.to_bytes(4, "little"), b"\0\0\0\0")


# --- the face's link ----------------------------------------------------------------------------------------------


def lines(chance: random.Random) -> bytes:
    """Lines that a face might send, and many that none should."""
    order = Order(chance.choice(list(OrderKind)), *(text(chance) for _ in range(chance.randrange(9))))
    good = to_json(order)
    draw = (
        lambda: good,
        lambda: mangled(good, chance),
        lambda: json.dumps({chance.choice(FIELDS): chance.choice(VALUES) for _ in range(3)}).encode(),
        lambda: json.dumps(chance.choice(VALUES)).encode(),
        lambda: b'{"beat":' + chance.randbytes(9),
        lambda: chance.randbytes(60),
        lambda: b"[" * 3_000,
        lambda: b'{"kind":"note","text":"' + b"\\ud800" * 10 + b'"}',
        lambda: b"x" * (LINE_MAX + 10) if chance.random() < 0.02 else b"",
    )
    return b"".join(chance.choice(draw)() + b"\n" for _ in range(chance.randint(1, 40)))


FIELDS = ("kind", "name", "value", "text", "protocol", "patient", "side", "board", "emg", "__class__", "other", "")
VALUES: tuple[object, ...] = (
    None,
    True,
    3,
    -1e300,
    "note",
    "open",
    "start",
    [],
    {},
    ["note"],
    {"kind": "note"},
    "\ud800",
    "\x1b[2J",
    "x" * 5_000,
)


def face(chance: random.Random, _folder: Path) -> None:
    """Bytes from a face: whole orders, a few at a time, and the rest counted; what is no order is none."""
    (near, far), (stop, stop_far) = socket.socketpair(), socket.socketpair()
    port = FacePort(near, stop)
    data = lines(chance)
    try:
        far.setblocking(False)
        with given(data):
            sent = 0
            while sent < len(data) and not port.closed:
                sent += far.send(data[sent : sent + 50_000])
                orders = port.orders()
                assert len(orders) <= ORDERS_MAX
                for order in orders:
                    assert order_from_json(to_json(order)) == order
    finally:
        port.close()
        far.close()
        stop_far.close()


def orders(chance: random.Random, folder: Path) -> None:
    """Orders that are words and make no sense: refused in a sentence, and the status after them can still be sent."""
    rig = Rig(folder)
    try:
        for _ in range(chance.randint(2, 25)):
            order = sensible(chance, rig) if chance.random() < 0.5 else order_from_json(to_json(senseless(chance)))
            with given(order), no_streams():
                try:
                    rig.session.order(order, rig.now_us)
                except StimctlError:
                    pass  # the status below has to tell it
                rig.go(chance.choice((0, 20, 100)) * MS)
                status = rig.status
                assert status_from_json(to_json(status)) == status
        assert rig.session.case is None or rig.session.case.simulated
    finally:
        rig.close()


def sensible(chance: random.Random, rig: Rig) -> Order:
    """What the scripted operator would do next, if it would do anything."""
    wished = list(rig.operator(rig.status, rig.now_us))
    return wished[0] if wished else Order(chance.choice(list(OrderKind)))


def senseless(chance: random.Random) -> Order:
    name, value, words, patient = (text(chance) if chance.random() < 0.6 else chance.choice(NAMES) for _ in range(4))
    return Order(
        chance.choice(list(OrderKind)),
        name=name,
        value=value,
        text=words,
        protocol=chance.choice(FILES),
        patient=patient,
        side=chance.choice(("left", "", "up")),
        board=chance.choice(BOARDS),
        emg=chance.choice(EMG),
    )


NAMES = ("extensors", "pacemaker", "yes", "no", "11", "-1", "1e3", "sensory", "P-1", "\ud800", "\x00", "x" * 300)
FILES = ("protocol.toml", "", "/dev/zero", ".", "\ud800.toml", "a\x00b", "x" * 5_000, "tens-conventional-forearm", "~")
BOARDS = (
    "sim:",
    "",
    "reference:",
    "reference:/dev/null",
    "reference:spy://x",
    "reference:\ud800",
    "p24:x",
    ":",
    "sim:x",
)
EMG = ("", "sim:", "board:", "file:", "file:/dev/zero", "file:.", "file:\ud800", "lsl:x", "file:protocol.toml?rate=9")


# --- the terminal -------------------------------------------------------------------------------------------------

KEYS = (
    *(b"\x1b[32u", b"\x1b[120;5u", b"\x1b[27;5;120~", b"\x1b", b" ", b"\x03", b"\x18", b"\x1b[A", b"\x1b[<35;10;10M"),
    *(
        b"\x1b[200~",
        b"\x1b[201~",
        b"\x9b32u",
        b"\x1b]0;",
        b"\x1bP",
        b"\x1b[",
        b"\xe2\x80\x83",
        b"\x1b[M !!",
        b"9;" * 40,
    ),
)
PLAIN_STOPS = {b" ": StopKey.SPACE, b"\x18": StopKey.CTRL_X, b"\x03": StopKey.CTRL_C}


def terminal(chance: random.Random, _folder: Path) -> None:
    """Bytes from a terminal: nothing is raised or piled up, and a plain stop key after them is one."""
    scanner = StopScanner()
    data = b"".join(
        chance.choice(
            (chance.choice(KEYS), mangled(chance.choice(KEYS), chance, most=2), chance.randbytes(chance.randrange(20)))
        )
        for _ in range(chance.randint(1, 30))
    )
    with given(data):
        at = 0
        while at < len(data):
            size = chance.randint(1, 12)
            scanner.feed(data[at : at + size])
            at += size
        assert len(scanner._begun) < 4
        typed, key = chance.choice(list(PLAIN_STOPS.items()))
        assert key in scanner.feed(typed)


PROBES = (
    Probe("decoder", "bytes from a board, decoded", decoder),
    Probe("driver", "bytes from a board, to the driver", driver),
    Probe("twin", "bytes to a board under current", twin),
    Probe("face", "bytes from a face", face),
    Probe("orders", "orders without sense", orders),
    Probe("terminal", "bytes from a terminal", terminal),
)

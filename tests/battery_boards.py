"""The boards, described for the battery."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

from stimctl.boards.neurostimduino import answers as nsd_answers
from stimctl.boards.neurostimduino import codec as nsd
from stimctl.boards.neurostimduino import words as nw
from stimctl.boards.neurostimduino.stopping import STOP as NSD_STOP
from stimctl.boards.openemsstim import codec as ems
from stimctl.boards.openemsstim import dialects as d
from stimctl.boards.openemsstim import words as ew
from stimctl.boards.openemsstim.stopping import STOPS
from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codec import END, STOP_FRAME, WIRE_MAX, encode
from stimctl.boards.reference.codec import Decoder as ReferenceDecoder
from stimctl.boards.sciencemode.framing import BREAK
from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2.codes import Command as Command2
from stimctl.boards.sciencemode4 import codec as codec4
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_3
from stimctl.boards.stops import StopSequence
from stimctl.boards.uecu import codec as uecu
from stimctl.boards.uecu import words as uw
from stimctl.boards.uecu.stopping import STOP as UECU_STOP
from stimctl.sim.neurostimduino import NeuroStimDuino
from stimctl.sim.openemsstim import OpenEmsStim
from stimctl.sim.rehastim2 import RehaStim2
from stimctl.sim.sciencemode4 import ScienceMode4Board
from stimctl.sim.sciencemode_model import P24, REHAMOVE3, Model
from stimctl.sim.uecu import Uecu
from stimctl.units import MS, SECOND
from tests.board_battery import AnyTwin, Described, Twinned
from tests.fuzzing.boards import FRAMES
from tests.sciencemode_naive import SM2, SM4, Wire
from tests.sciencemode_words import written2, written4
from tests.sim_host import Host, make_twin, train
from tests.wire_words import EXAMPLES

# --- the reference board -----------------------------------------------------------------------------------------

_BOARD_WORDS = (m.Identity, m.LimitsTable, m.Ack, m.Nak, m.Status, m.Stopped, m.Samples, m.Event)


class _ReferenceWords:
    """Its decoder's words, without the frames around them."""

    def __init__(self) -> None:
        self.decoder = ReferenceDecoder()

    def feed(self, data: bytes) -> tuple[m.Word, ...]:
        return tuple(frame.word for frame in self.decoder.feed(data))


def _host(*, go: bool = False, arm: bool = False, stop: bool = False) -> Callable[[], AnyTwin]:
    def make() -> AnyTwin:
        host = Host(make_twin())
        if go or stop:
            host.go(ua=4_000)
        elif arm:
            host.arm()
        if stop:
            host.raw(STOP_FRAME)
        host.twin.advance(host.now_us)
        return host.twin

    return make


def _update() -> bytes:
    host = Host(make_twin())
    host.go(ua=4_000)
    return host.frame(m.Update(host.counter + 1, host.host_ms, (m.Entry(0, train(3_000)),)))


REFERENCE = Described(
    name="reference",
    commands=(
        *(
            encode(word, sequence=1, token=0)
            for *_, word in EXAMPLES
            if not isinstance(word, (*_BOARD_WORDS, m.Update))
        ),
        _update(),
    ),
    answers=tuple(encode(word, sequence=1, token=0) for *_, word in EXAMPLES if isinstance(word, _BOARD_WORDS)),
    decoder=_ReferenceWords,
    claims=lambda word: isinstance(word, _BOARD_WORDS),
    held=lambda words: len(words.decoder._tail),
    held_max=WIRE_MAX,
    resync=END,
    checked=True,
    twin=Twinned(
        states={"idle": _host(), "armed": _host(arm=True), "running": _host(go=True), "stopped": _host(stop=True)},
        running="running",
        stop=StopSequence((STOP_FRAME,), 0, 0, confirmed_by="STOPPED"),
        silent_us=500 * MS,
    ),
)


# --- openEMSstim -------------------------------------------------------------------------------------------------


def _ems(dialect: d.Dialect, *drives: ew.Drive, then: bytes = b"", wait_us: int = 0) -> Callable[[], AnyTwin]:
    def make() -> AnyTwin:
        twin = OpenEmsStim(dialect)
        twin.advance(7 * SECOND)
        for drive in drives:
            twin.feed(ems.encode(drive, dialect.form), twin.now_us)
            twin.advance(twin.now_us + 20 * MS)
        twin.feed(then, twin.now_us)
        twin.advance(twin.now_us + wait_us)
        return twin

    return make


def _openemsstim(dialect: d.Dialect) -> Described:
    everywhere = tuple(ew.Drive(channel, 60, 400) for channel in range(dialect.channels))
    words: tuple[ew.HostWord, ...] = (
        *everywhere,
        ew.Drive(0, 100, 5_000),
        ew.Drive(1, 1, 1),
        ew.StopAll(),
        ew.Disconnect(),
    )
    return Described(
        name=f"openemsstim {dialect.name}",
        commands=tuple(ems.encode(word, dialect.form) for word in words),
        answers=(b"SETUP DONE (LED 13 WILL BE ON)\r\n", b"\tUSB: received command: C0I10T300G\r\n"),
        decoder=ems.Decoder,
        claims=lambda word: isinstance(word, ew.Ready | ew.Received),
        held=lambda decoder: decoder.held,
        held_max=512,
        resync=ems.LINE_FEED,
        checked=False,
        twin=Twinned(
            states={
                "idle": _ems(dialect),
                "running": _ems(dialect, *everywhere),
                "running long": _ems(dialect, ew.Drive(0, 100, 5_000)),
                "opening its relays": _ems(dialect, *everywhere, wait_us=345 * MS),
                "in the middle of a line": _ems(dialect, *everywhere, then=b"WV,0,4330"),
            },
            running="running",
            stop=STOPS[dialect],
            silent_us=5_000 * MS + dialect.channels * 50 * MS + 100 * MS,
            hair_trigger=True,  # letters toggle its relays
            beyond_help=lambda twin: twin.crashed,  # two commands run into one name a channel that is not there
        ),
    )


OPENEMSSTIM = tuple(_openemsstim(dialect) for dialect in d.DIALECTS)

# --- NeuroStimDuino ----------------------------------------------------------------------------------------------

_TALK = (nw.Welcome, nw.Remark, nw.Refused)


def _nsd(*words: nw.HostWord | bytes, wait_us: int = 0) -> Callable[[], AnyTwin]:
    def make() -> AnyTwin:
        twin = NeuroStimDuino()
        twin.advance(100 * MS)
        for word in words:
            twin.feed(word if isinstance(word, bytes) else nsd.encode(word), twin.now_us)
            twin.advance(twin.now_us + 10 * MS)
        twin.advance(twin.now_us + wait_us)
        twin.outgoing()
        return twin

    return make


_NSD_ON = (
    nw.Set(0, nw.Register.AMPLITUDE_UA, 14_880),
    nw.Set(1, nw.Register.AMPLITUDE_UA, 9_600),
    nw.Stimulate(0, 2),
    nw.Stimulate(1, 2),
)

running_neurostimduino = _nsd(*_NSD_ON)

NEUROSTIMDUINO = Described(
    name="neurostimduino",
    commands=tuple(
        nsd.encode(word) for word in (*_NSD_ON, nw.Stop(0), nw.EmergencyOff(), nw.Read(1, nw.Register.GAP_US))
    ),
    answers=(
        b"Channel 1, amplitude is set to 14.880 mA\r\n",
        b"Channel 2, pulse duration is set to 300 uSec\r\n",
        b"Channel 1 will generate 400 stim. pulses\r\n",
        b"Channel 2 has stopped\r\n",
        b"Channel 2 has not stopped\r\n",
        b"I2C error = 2\r\n",
        b"Emergency OFF called via Software\r\n",
        b"Channel 1, AMPL = 14.880\r\n",
    ),
    decoder=nsd_answers.Decoder,
    claims=lambda word: not isinstance(word, _TALK),
    held=lambda decoder: decoder.held,
    held_max=1_024,
    resync=nsd.LINE_END,
    checked=False,
    twin=Twinned(
        states={
            "idle": _nsd(),
            "running": running_neurostimduino,
            "set and not started": _nsd(*_NSD_ON[:2]),
            "sampling": _nsd(*_NSD_ON, nw.Sample(0)),
            "in the middle of a line": _nsd(*_NSD_ON, b"AMPL 1 3"),
            "run out": _nsd(*_NSD_ON, wait_us=3 * SECOND),
        },
        running="running",
        stop=NSD_STOP,
        silent_us=2_000 * MS + 165 * MS,
    ),
)

# --- UECU --------------------------------------------------------------------------------------------------------


def _uecu(*words: uw.HostWord | bytes, wait_us: int = 0) -> Callable[[], AnyTwin]:
    def make() -> AnyTwin:
        twin = Uecu()
        for word in words:
            twin.feed(word if isinstance(word, bytes) else uecu.encode(word), twin.now_us)
            twin.advance(twin.now_us + 20 * MS)
        twin.advance(twin.now_us + wait_us)
        twin.outgoing()
        return twin

    return make


_UECU_READY = (
    uw.SetUp(0, 40, 250, 100),
    uw.SetUp(1, 40, 250, 100),
    uw.NewSchedule(0xAA, 50),
    uw.NewEvent(1, 0, 0, 0, 0),
    uw.NewEvent(1, 5, 1, 0, 0),
)
_UECU_ON = (*_UECU_READY, uw.Go(0xAA), uw.ChangeEvent(1, 200, 20), uw.ChangeEvent(2, 200, 20))


def _uecu_claims(word: Any) -> bool:
    return not isinstance(word, uw.Unknown)


UECU = Described(
    name="uecu",
    commands=tuple(
        uecu.encode(word) for word in (*_UECU_ON, uw.Halt(), uw.DropEvent(1), uw.ChangeSchedule(1, 0xAA, 100))
    ),
    answers=tuple(
        uecu.wrap(number, data, 7)
        for number, data in (
            (0x11, b"\x01"),
            (0x16, b"\x01\x01\x03\x00"),
            (0x05, b"\x01\x19"),
            (0x06, b"\x01\x02\x03\x01"),
        )
    ),
    decoder=uecu.Decoder,
    claims=_uecu_claims,
    held=lambda decoder: decoder.held,
    held_max=26,
    resync=b"\x00" * 26,
    checked=True,
    twin=Twinned(
        states={
            "idle": _uecu(),
            "ready": _uecu(*_UECU_READY),
            "running": _uecu(*_UECU_ON),
            "halted": _uecu(*_UECU_ON, uw.Halt()),
            "in the middle of a frame": _uecu(*_UECU_ON, b"\x04\x80\x19\x04\x01"),
            "behind a broken length": _uecu(*_UECU_ON, b"\x04\x80\x19\xff"),
        },
        running="running",
        stop=UECU_STOP,
        silent_us=None,
    ),
)

# --- ScienceMode -------------------------------------------------------------------------------------------------

_SCIENCEMODE_NOTHING = (m4.Unknown, m4.Senseless, m2.Motomed, m2.Unknown, m2.Senseless)


def _sciencemode(
    name: str, wire: Wire, decoder: Callable[[], Any], host_words: Any, wire_max: int, twin: Twinned
) -> Described:
    """The frames of ``wire`` that mean something to ``decoder``: RehaMove3 knows fewer of them than P24."""
    heard = {frame: decoder().feed(frame)[0].word for frame in FRAMES[wire]}
    words = {frame: word for frame, word in heard.items() if not isinstance(word, _SCIENCEMODE_NOTHING)}
    return Described(
        name=name,
        commands=tuple(frame for frame, word in words.items() if isinstance(word, host_words)),
        answers=tuple(frame for frame, word in words.items() if not isinstance(word, host_words)),
        decoder=decoder,
        claims=lambda frame: not isinstance(frame.word, (*get_args(host_words), *_SCIENCEMODE_NOTHING)),
        held=lambda each: each.held,
        held_max=wire_max,
        resync=BREAK,
        checked=True,
        twin=twin,
    )


_POINTS = (m4.Point(250, 20_000), m4.Point(100, 0), m4.Point(250, -20_000))
_SM4_ON = (m4.MlInit(), m4.Update((m4.Pattern(0, 25_000, _POINTS, 3), m4.Pattern(2, 30_000, _POINTS))))
_SM4_PULSES = tuple(m4.ChannelConfig(colour, 0, _POINTS) for colour in (0, 1, 2))


def _sm4(model: Model, *words: m4.Word, then: bytes = b"", wait_us: int = 0) -> Callable[[], AnyTwin]:
    def make() -> AnyTwin:
        twin = ScienceMode4Board(model)
        for number, word in enumerate(words):
            twin.feed(written4(word, number, model.dialect), twin.now_us)
            twin.advance(twin.now_us + 50 * MS)
        twin.feed(then, twin.now_us)
        twin.advance(twin.now_us + wait_us)
        twin.outgoing()
        return twin

    return make


def _sm4_twin(model: Model) -> Twinned:
    pulses = b"".join(written4(word, 9, model.dialect) for word in _SM4_PULSES * 3)
    return Twinned(
        states={
            "idle": _sm4(model),
            "mid level open": _sm4(model, *_SM4_ON[:1]),
            "running": _sm4(model, *_SM4_ON, wait_us=300 * MS),
            "rising": _sm4(model, *_SM4_ON),
            "switching": _sm4(model, *_SM4_ON, then=codec4.encode(m4.MlInit(), 1), wait_us=MS),
            "low level open": _sm4(model, m4.LlInit()),
            "pulses wait": _sm4(model, m4.LlInit(), then=pulses, wait_us=MS),
            "in the middle of a frame": _sm4(model, *_SM4_ON, then=pulses[:17]),
            "run out": _sm4(model, *_SM4_ON, wait_us=3 * SECOND),
        },
        running="running",
        stop=StopSequence((BREAK + codec4.ML_STOP_FRAME + codec4.LL_STOP_FRAME,), 0, 400 * MS, "Get_stim_status"),
        silent_us=2 * SECOND,
    )


_SM2_HOST = (m2.Ack(Command2.INIT_ACK, 0), m2.Bare(Command2.WATCHDOG))
_SM2_LIST = m2.InitChannelList((1, 2, 6), 8_000, 25_000)
_SM2_GROUPS = m2.StartChannelList((m2.Group(1, 200, 20_000), m2.Group(2, 250, 15_000), m2.Group(3, 20, 5_000)))
_SM2_ON = (*_SM2_HOST, _SM2_LIST, _SM2_GROUPS)


def _sm2(*words: m2.Word, then: bytes = b"", wait_us: int = 0) -> Callable[[], AnyTwin]:
    def make() -> AnyTwin:
        twin = RehaStim2()
        for number, word in enumerate(words):
            twin.feed(written2(word, number), twin.now_us)
            twin.advance(twin.now_us + 20 * MS)
        twin.feed(then, twin.now_us)
        twin.advance(twin.now_us + wait_us)
        twin.outgoing()
        return twin

    return make


_SM2_TWIN = Twinned(
    states={
        "unconnected": _sm2(),
        "connected": _sm2(*_SM2_HOST),
        "initialised": _sm2(*_SM2_ON[:-1]),
        "running": _sm2(*_SM2_ON),
        "once": _sm2(*_SM2_HOST, m2.InitChannelList((3,), 8_000, 1_000), m2.StartChannelList((_SM2_GROUPS.groups[1],))),
        "a pulse waits": _sm2(*_SM2_HOST, then=written2(m2.SinglePulse(0, 200, 20_000), 9), wait_us=5 * MS),
        "in the middle of a frame": _sm2(*_SM2_ON, then=written2(_SM2_GROUPS, 9)[:11]),
        "run out": _sm2(*_SM2_ON, wait_us=2 * SECOND),
    },
    running="running",
    stop=StopSequence((BREAK + codec2.STOP_FRAME,), 0, 100 * MS, "StopChannelListModeAck"),
    silent_us=1_200 * MS,
)

P24_BOARD = _sciencemode("sciencemode4 P24", SM4, codec4.Decoder, m4.HostWord, codec4.WIRE_MAX, _sm4_twin(P24))
REHAMOVE3_BOARD = _sciencemode(
    "sciencemode4 RehaMove3",
    SM4,
    partial(codec4.Decoder, SCIENCEMODE_3),
    m4.HostWord,
    codec4.WIRE_MAX,
    _sm4_twin(REHAMOVE3),
)
REHASTIM2_BOARD = _sciencemode("sciencemode2", SM2, codec2.Decoder, m2.HostWord, codec2.WIRE_MAX, _SM2_TWIN)

BOARDS: tuple[Described, ...] = (
    *(REFERENCE, *OPENEMSSTIM, NEUROSTIMDUINO, UECU),
    *(P24_BOARD, REHAMOVE3_BOARD, REHASTIM2_BOARD),
)
"""All of them: each one's words are refused by all others."""


def all_boards() -> tuple[Described, ...]:
    return BOARDS

"""Words of the reference board for tests: one example of each, and Hypothesis strategies for all of them."""

from __future__ import annotations

from hypothesis import strategies as st

from stimctl.boards.reference import messages as m
from stimctl.boards.reference.codes import Capability, Cause, Reason, Trouble
from stimctl.boards.reference.facts import table_crc
from stimctl.envelope.latch import approve
from stimctl.pulse import Command, Output, PulseTrain, symmetric
from stimctl.safety import Approved, Latch

REPORT = m.Report(
    armed=True,
    listening=True,
    stop_button=False,
    cause=Cause.NONE,
    challenge=0x0007_0003,
    last_sequence=0x0104,
    uptime_ms=123_456,
    dead_man_ms=380,
    outputs=(m.OutputReport(12_500, 12_380, 1_900), m.OutputReport(0, 0, None, Trouble.OPEN)),
)
QUIET = m.Report(
    armed=False,
    listening=True,
    stop_button=False,
    cause=Cause.STOP_COMMAND,
    challenge=0x0007_0004,
    last_sequence=0x0105,
    uptime_ms=123_500,
    dead_man_ms=0,
    outputs=(m.OutputReport(0, 0, 1_900), m.OutputReport(0, 0, None, Trouble.OPEN)),
)
TABLE = m.LimitsTable(60_000, 20, 500, 500, 500, 200_000, 10, 30_000, 50_000, 300_000, 50, 100_000, 200_000)
TRAIN = symmetric(12_500, 250, 35_000, interphase_gap_us=100)
TOKEN = 0xC0DB_1234  # both bytes that need stuffing

# Name in hw/wire.md, sequence, token, word.
EXAMPLES: tuple[tuple[str, int, int, m.Word], ...] = (
    ("STOP", 0, 0, m.Stop()),
    ("HELLO", 1, 0, m.Hello()),
    ("STATUS?", 2, TOKEN, m.StatusRequest()),
    ("ARM", 0x0101, TOKEN, m.Arm(0x0007_0002, 400, 0b0011, table_crc(TABLE), 41, 1_000)),
    ("CONFIGURE", 0x0102, TOKEN, m.Configure(0, 30_000, 300, 100, 300, 50_000, 2)),
    ("UPDATE", 0x0104, TOKEN, m.Update(42, 1_050, (m.Entry(0, TRAIN),))),
    ("HEARTBEAT", 0x0105, TOKEN, m.Heartbeat(43, 1_100)),
    ("LISTEN", 3, 0, m.Listen(1_000)),
    ("IDENTITY", 1, 0, m.Identity("reference", "R00017", "1.0", 4, 100, 1, 1_000, Capability(7), 1_000, 0x0007_0001)),
    ("LIMITS", 2, 0, TABLE),
    ("ACK", 3, TOKEN, m.Ack(0x0101)),
    ("NAK", 4, TOKEN, m.Nak(0x0104, Reason.LIMIT, 0, 7)),
    ("STATUS", 5, TOKEN, m.Status(2, REPORT)),
    ("STOPPED", 6, 0, m.Stopped(0, QUIET)),
    ("SAMPLES", 7, 0, m.Samples(4_000, 1_000, 250, 5_000_000, (0, -1, 32_767, -32_768), (1, 3))),
    ("EVENT", 8, 0, m.Event(Cause.DEAD_MAN, 0xFF, 0, 123_460)),
)

u8, u16, u32 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32))
u64 = st.integers(0, 2**64 - 1)
known_u32 = st.integers(0, 2**32 - 2)  # the last one stands for "not known"

trains = st.builds(PulseTrain, u32, u16, u16, u32, u16, u32, u8)
entries = st.lists(st.integers(0, 15), unique=True, max_size=16).flatmap(
    lambda numbers: st.tuples(*(st.builds(m.Entry, st.just(number), trains) for number in sorted(numbers)))
)
texts = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=32)
outputs = st.builds(m.OutputReport, u32, st.none() | known_u32, st.none() | known_u32, st.integers(0, 31).map(Trouble))
reports = st.builds(
    m.Report,
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from(Cause),
    u32,
    u16,
    u32,
    u16,
    st.lists(outputs, max_size=16).map(tuple),
)
updates = st.builds(m.Update, u32, u32, entries)


@st.composite
def samples(draw: st.DrawFn) -> m.Samples:
    values = draw(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=100))
    pulses = draw(st.lists(st.integers(0, len(values) - 1), unique=True, max_size=20).map(sorted))
    return m.Samples(draw(u32), draw(st.integers(1, 65_535)), draw(u32), draw(u64), tuple(values), tuple(pulses))


speakable = st.one_of(
    st.just(m.Hello()),
    st.just(m.Stop()),
    st.just(m.StatusRequest()),
    st.builds(m.Arm, u32, u16, u16, u32, u32, u32),
    st.builds(m.Configure, u8, u32, u16, u16, u16, u32, u8),
    st.builds(m.Heartbeat, u32, u32),
    st.builds(m.Listen, u16),
    st.builds(
        m.Identity,
        texts,
        texts,
        texts,
        st.integers(1, 16),
        st.integers(1, 65_535),
        st.integers(1, 65_535),
        st.integers(1, 2**32 - 1),
        st.integers(0, 15).map(Capability),
        u16,
        u32,
    ),
    st.builds(m.LimitsTable, *(u32,) * 13),
    st.builds(m.Ack, u16),
    st.builds(m.Nak, u16, st.sampled_from(Reason), u8, u8),
    st.builds(m.Status, u16, reports),
    st.builds(m.Stopped, u16, reports),
    samples(),
    st.builds(m.Event, st.sampled_from(Cause), u8, u32, u32),
)
"""Every word that ``codec.encode`` takes: all but an update."""


def permit(word: m.Update, latch: Latch | None = None) -> Approved:
    """What the limiter would have approved for this update; minted past it, as only a test may."""
    latch = latch or Latch()
    command = Command(tuple(Output(entry.output, entry.train) for entry in word.entries))
    return approve(command, latch.epoch, latch)

"""Words of ScienceMode for tests: Hypothesis strategies for all that can be said, and one frame of each."""

from __future__ import annotations

from hypothesis import strategies as st

from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import codes as codes2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2 import output as output2
from stimctl.boards.sciencemode4 import codec as codec4
from stimctl.boards.sciencemode4 import codes as codes4
from stimctl.boards.sciencemode4 import layout as layout4
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4 import output as output4
from stimctl.boards.sciencemode4.dialect import SCIENCEMODE_3, SCIENCEMODE_4, Dialect

u8, u16 = st.integers(0, 255), st.integers(0, 65_535)
i8, i16 = st.integers(-128, 127), st.integers(-32_768, 32_767)
numbers4, numbers2 = st.integers(0, 63), u8

# --- ScienceMode 3 and 4 ---------------------------------------------------------------------------------------

points = st.builds(
    m4.Point,
    st.just(0) | st.integers(10, 4_095) | st.sampled_from((0x0F0, 0xF0F, 0x810, 0x081)),
    st.integers(-300, 300).map(lambda steps: 500 * steps),
)
pulses = st.lists(points, min_size=1, max_size=16).map(tuple)
periods = st.tuples(st.integers(1, 32_766).map(lambda count: 500 * count), st.just(False))
fine_periods = st.tuples(st.integers(1, 32_767).map(lambda count: 250 * count), st.just(True))


@st.composite
def updates(draw: st.DrawFn, dialect: Dialect) -> m4.Update:
    patterns = []
    for channel in sorted(draw(st.sets(st.integers(0, dialect.channels - 1)))):
        period_us, quarter_ms = draw(periods | fine_periods if dialect.quarter_ms else periods)
        patterns.append(m4.Pattern(channel, period_us, draw(pulses), draw(st.integers(0, 15)), quarter_ms))
    return m4.Update(tuple(patterns))


def configs(dialect: Dialect) -> st.SearchStrategy[m4.ChannelConfig]:
    place = (st.integers(0, 3), st.integers(0, dialect.sockets - 1))
    held = st.builds(m4.ChannelConfig, *place, st.just(()), st.just(value=False), st.integers(1, 16))
    return st.builds(m4.ChannelConfig, *place, pulses, st.booleans()) | held


def outputs4(dialect: Dialect) -> st.SearchStrategy[m4.Output]:
    return updates(dialect) | configs(dialect)


@st.composite
def measured(draw: st.DrawFn) -> m4.ChannelConfigAck:
    samples = draw(st.lists(u16, min_size=128, max_size=128).map(tuple))
    place = (draw(st.integers(0, 15)), draw(st.integers(0, 15)))
    return m4.ChannelConfigAck(draw(u8), *place, draw(st.integers(1, 255)), draw(u16), samples)


def flags(count: int) -> st.SearchStrategy[tuple[bool, ...]]:
    return st.tuples(*[st.booleans()] * count)


versions = st.tuples(u8, u8, u8)
ids = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126), max_size=10)
_either = (
    *(st.builds(m4.Bare, st.just(command)) for command in sorted(codes4.BARE - {codes4.Command.GET_EXTENDED_VERSION})),
    st.builds(m4.Ack, st.sampled_from(sorted(codes4.RESULT_ONLY)), u8),
    st.builds(m4.DeviceId, u8, ids),
    st.builds(m4.Battery, u8, u8, u16),
    st.builds(m4.StimStatus, u8, u8, u8),
    st.builds(m4.MainStatus, u8, u8),
    st.builds(m4.Version, st.sampled_from((codes4.Command(51), codes4.Command(61))), u8, versions, versions),
    st.builds(m4.ElectrodeErrors, u8, st.booleans(), flags(4)),
)
said3 = st.one_of(
    *_either,
    st.builds(m4.Ack, st.sampled_from(sorted(layout4.LONGER - {69})), st.integers(1, 255)),
    st.builds(m4.LlInit, st.integers(0, 6)),
    st.just(m4.MlInit()),
    st.just(m4.GetCurrentData(2)),
    st.builds(m4.ChannelConfigAck, u8, st.integers(0, 15)),
)
said4 = st.one_of(
    *_either,
    st.just(m4.Bare(codes4.Command.GET_EXTENDED_VERSION)),
    st.builds(m4.Ack, st.sampled_from(sorted(layout4.LONGER)), st.integers(1, 255)),
    st.builds(m4.LlInit, st.integers(0, 6), st.integers(0, 3)),
    st.builds(m4.MlInit, st.booleans()),
    st.builds(m4.GetCurrentData, st.integers(2, 4)),
    st.builds(m4.ChannelConfigAck, u8, st.integers(0, 15), st.integers(0, 15)),
    measured(),
    st.builds(m4.ElectrodeErrors, u8, st.booleans(), flags(8)),
    st.builds(m4.ChannelStates, u8, flags(8), st.tuples(*[st.integers(0, 15)] * 8)),
    st.builds(m4.ExtendedVersion, u8, versions, versions, st.binary(min_size=4, max_size=4), u8, u8),
)
spoken4: dict[Dialect, st.SearchStrategy[m4.Word]] = {
    SCIENCEMODE_3: st.one_of(said3, outputs4(SCIENCEMODE_3)),
    SCIENCEMODE_4: st.one_of(said4, outputs4(SCIENCEMODE_4)),
}
"""Every word of each dialect."""


def written4(word: m4.Word, number: int = 5, dialect: Dialect = SCIENCEMODE_4) -> bytes:
    """The frame of any word, by whichever door it leaves."""
    if isinstance(word, m4.Output):
        return output4.encode_output(word, number, dialect)
    return codec4.encode(word, number, dialect)


# --- ScienceMode 2 ---------------------------------------------------------------------------------------------

widths = st.just(0) | st.integers(20, 500)
currents = st.integers(0, 130).map(lambda ma: 1_000 * ma)
groups = st.builds(m2.Group, st.integers(1, 3), widths, currents)
channel_sets = st.sets(st.integers(1, 8)).map(lambda numbers: tuple(sorted(numbers)))
lists = st.builds(
    m2.InitChannelList,
    channel_sets.filter(bool),
    st.integers(0, 255).map(lambda code: 1_500 + 500 * code),
    st.integers(0, 2_048).map(lambda code: 1_000 + 500 * code),
    channel_sets,
    st.integers(0, 7),
    st.integers(0, 1),
)
outputs2: st.SearchStrategy[m2.Output] = st.builds(
    m2.StartChannelList, st.lists(groups, min_size=1, max_size=8).map(tuple)
) | st.builds(m2.SinglePulse, st.integers(0, 7), widths, currents)
modes = st.sampled_from(sorted(codes2.MODE_ACKS))
said2 = st.one_of(
    *(st.just(m2.Bare(command)) for command in sorted(codes2.BARE)),
    lists,
    st.builds(m2.Init, u8),
    st.builds(m2.Ack, st.sampled_from(sorted(codes2.RESULT_ONLY)), i8),
    st.builds(m2.ModeAck, modes, st.just(0), i8),
    st.builds(m2.ModeAck, modes, i8.filter(bool), st.none()),
    st.builds(m2.UnknownCommand, u8),
    st.builds(m2.ActualValues, u16, i16, i16),
    st.builds(m2.PhaseResult, u8, u16, u16, u8, u8, u16, u16, u16, u8, u8, u8),
)
spoken2: st.SearchStrategy[m2.Word] = st.one_of(said2, outputs2)
"""Every word."""


def written2(word: m2.Word, number: int = 5) -> bytes:
    """The frame of any word, by whichever door it leaves."""
    if isinstance(word, m2.Output):
        return output2.encode_output(word, number)
    return codec2.encode(word, number)

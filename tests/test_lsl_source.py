"""An LSL stream on the session's clock, by a stream that is made up: places, losses, rates, ages, pulses."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pytest

from stimctl.errors import LinkLost, UsageError
from stimctl.sensors.lsl import AHEAD_US, JUMP_US, LOST_US, LslSource
from stimctl.sensors.onset import Onset
from stimctl.sensors.pulses import AFTER_US, BEFORE_US, Output
from stimctl.sensors.quality import Quality
from stimctl.sensors.samples import STALE_US, Chunk, Source
from stimctl.sensors.streams import address, channel_of, microvolts
from stimctl.transport.lsl_in import Pulled, StreamFacts
from stimctl.units import MS, SECOND
from tests.sensors_kit import bursts, detector

MS_10 = 10 * MS


def facts(rate_hz: float = 1_000.0, labels: tuple[str, ...] = ("EMG",), unit: str = "microvolts") -> StreamFacts:
    return StreamFacts("Amp", "EMG", "amp-1", "here", rate_hz, labels, (unit,) * len(labels))


class Made:
    """A stream whose samples are laid in by hand, each with the session time at which it was taken."""

    def __init__(self, said: StreamFacts | None = None) -> None:
        self.facts = said or facts()
        self.lost = ""
        self.closed = False
        self._values: list[float] = []
        self._taken_us: list[float] = []
        self.now_us = 0

    def lay(self, values: Any, taken_us: Any) -> None:
        self._values += list(values)
        self._taken_us += list(taken_us)

    def pull(self, channel: int) -> Pulled | None:
        if self.lost:
            raise LinkLost(self.lost)
        if not self._values:
            return None
        pulled = Pulled(np.array(self._values) * (channel + 1), self.now_us - np.array(self._taken_us))
        self._values, self._taken_us = [], []
        return pulled

    def close(self) -> None:
        self.closed = True


class Played(NamedTuple):
    chunks: list[Chunk]
    source: LslSource
    stream: Made


def play(
    seconds: float, *, said: StreamFacts | None = None, lag_us: int = 3 * MS, jitter_us: int = 0, real_hz: float = 1_000.0,
    missing: range = range(0), at_us: int = 0, source: LslSource | None = None, stream: Made | None = None,
) -> Played:  # fmt: skip
    """Chunks of 10 ms, stamped as a whole by a sender that is late by up to ``jitter_us``; ``missing`` numbers are not sent."""
    stream = stream or Made(said)
    source = source or LslSource(stream)
    random = np.random.default_rng(1)
    if at_us == 0:
        source.start(0)
    chunks: list[Chunk] = []
    size = round(real_hz / 100)
    for number in range(round(seconds * 100)):
        stream.now_us = at_us + (number + 1) * MS_10 + lag_us
        if number not in missing:
            last_us = at_us + (number + 1) * MS_10 + random.uniform(0, 1) * jitter_us
            stream.lay(range(size), last_us - np.arange(size)[::-1] * 1e6 / stream.facts.rate_hz)
            stream.now_us += jitter_us
        chunks += source.read(stream.now_us)
    return Played(chunks, source, stream)


# --- places --------------------------------------------------------------------------------------------------------


def test_it_is_a_source() -> None:
    source: Source = LslSource(Made())
    assert (source.name, source.rate_hz, source.finished, source.next_due_us()) == ("LSL Amp", 1_000.0, False, 5_000)


def test_every_sample_has_its_place_and_its_time() -> None:
    """The end of a chunk is when its last sample was taken, and not when it came."""
    chunks, source, _ = play(1.0)
    assert np.concatenate([each.values_uv for each in chunks]).tolist() == list(range(10)) * 100
    assert all(a.first_index + len(a.values_uv) == b.first_index for a, b in itertools.pairwise(chunks))
    assert [each.at_us for each in chunks] == [(n + 1) * MS_10 for n in range(100)]
    assert (source.trouble, source.gaps) == ("", 0)


@pytest.mark.parametrize("jitter_us", [5 * MS, 40 * MS])
def test_a_sender_that_stamps_late_loses_nothing(jitter_us: int) -> None:
    chunks, source, _ = play(3.0, jitter_us=jitter_us)
    assert sum(len(each.values_uv) for each in chunks) == 3_000
    assert (source.gaps, source.trouble) == (0, "")


def test_a_clock_that_drifts_is_followed() -> None:
    """Half a percent, fifty times what two quartzes differ by: no jump in twenty seconds, and no other rate."""
    chunks, source, _ = play(20.0, real_hz=1_000.0, said=facts(995.0))
    assert (source.gaps, source.trouble, sum(len(each.values_uv) for each in chunks)) == (0, "", 20_000)


def test_what_is_missing_is_left_out_of_the_index() -> None:
    chunks, source, _ = play(2.0, missing=range(100, 120))
    [broken] = [n for n, (a, b) in enumerate(itertools.pairwise(chunks)) if a.first_index + 10 != b.first_index]
    assert chunks[broken + 1].first_index - chunks[broken].first_index == 10 + 200
    assert (source.gaps, source.missing, source.trouble) == (1, 200, "")


def test_a_break_within_one_pull_is_a_break() -> None:
    made = Made()
    source = LslSource(made)
    source.start(0)
    made.now_us = SECOND
    made.lay([1.0] * 20, [*(800 * MS + n * MS for n in range(10)), *(900 * MS + n * MS for n in range(10))])
    first, second = source.read(SECOND)
    assert (first.at_us, second.at_us, second.first_index - first.first_index) == (809 * MS, 909 * MS, 10 + 90)


def test_time_that_goes_back_is_a_break() -> None:
    """As after a sender that was started anew: nobody takes its samples for neighbours of the old ones."""
    played = play(1.0)
    again = play(0.5, at_us=SECOND - 2 * JUMP_US, source=played.source, stream=played.stream)
    assert again.chunks[0].first_index > played.chunks[-1].first_index + 10
    assert played.source.gaps == 1


def test_stamps_without_order_are_not_taken() -> None:
    made = Made()
    source = LslSource(made)
    source.start(0)
    made.now_us = 20 * SECOND
    made.lay([1.0] * 100, np.random.default_rng(2).uniform(0, 10 * SECOND, 100))
    assert source.read(made.now_us) == ()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_stamps_that_are_no_times_are_not_taken(wrong: float) -> None:
    made = Made()
    source = LslSource(made)
    source.start(0)
    made.now_us = MS_10
    made.lay([1.0] * 10, [wrong] * 10)
    assert source.read(MS_10) == ()


def test_what_waited_in_the_stream_before_the_start_is_dropped() -> None:
    made = Made()
    source = LslSource(made)
    made.now_us = SECOND
    made.lay([1.0] * 100, [SECOND - n * MS for n in range(100, 0, -1)])
    source.start(SECOND)
    made.now_us += MS_10
    made.lay([2.0] * 20, [SECOND - 10 * MS + n * MS for n in range(1, 21)])
    [chunk] = source.read(made.now_us)
    assert chunk.values_uv.tolist() == [2.0] * 10


def test_a_start_does_not_join_what_it_parts() -> None:
    played = play(1.0)
    played.source.start(SECOND)
    again = play(0.1, at_us=SECOND, source=played.source, stream=played.stream)
    assert again.chunks[0].first_index > played.chunks[-1].first_index + 10


# --- ages ------------------------------------------------------------------------------------------------------------


def test_a_little_ahead_is_now_and_more_is_nothing() -> None:
    assert [each.at_us for each in play(0.1, lag_us=-AHEAD_US).chunks] == [n * MS_10 - 5 * MS for n in range(1, 11)]
    chunks, source, _ = play(1.5, lag_us=-AHEAD_US - 20 * MS)
    assert all(each.is_stale(each.at_us - AHEAD_US - 20 * MS) for each in chunks)
    assert "-25 ms old" in source.trouble


def test_old_samples_are_no_signal_and_the_age_is_named() -> None:
    chunks, source, _ = play(0.7, lag_us=STALE_US + 50 * MS)
    ear = detector()
    for each in chunks:
        assert each.is_stale(each.at_us + STALE_US + 50 * MS)
    assert ear.watch(700 * MS) is Quality.STALE
    assert source.trouble == "", "late by less than a second only bars the trigger"
    source = play(1.5, lag_us=STALE_US + 50 * MS).source
    assert source.trouble == "the samples of the LSL stream Amp are 250 ms old"


def test_silence_is_named_and_over_when_samples_come() -> None:
    played = play(1.0)
    source, stream = played.source, played.stream
    last_us = stream.now_us
    assert source.read(last_us + LOST_US) == ()
    assert source.trouble == ""
    source.read(last_us + LOST_US + MS)
    assert source.trouble == "the LSL stream Amp has given nothing for 1.0 s"
    play(0.1, at_us=last_us + 3 * SECOND, source=source, stream=stream)
    assert (source.trouble, source.gaps) == ("", 1)


def test_a_sender_that_is_gone_is_named_and_its_return_is_a_break() -> None:
    played = play(1.0)
    source, stream = played.source, played.stream
    stream.lost = "the sender of the LSL stream Amp is gone"
    assert source.read(SECOND + 100 * MS) == ()
    assert source.trouble == stream.lost
    stream.lost = ""
    back = play(0.1, at_us=SECOND + 200 * MS, source=source, stream=stream)
    assert source.trouble == ""
    assert back.chunks[0].first_index > played.chunks[-1].first_index + 10
    source.close()
    assert stream.closed


# --- rates -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("real_hz", [500.0, 900.0, 1_100.0, 2_000.0])
def test_another_rate_than_the_stream_says_is_not_believed(real_hz: float) -> None:
    chunks, source, _ = play(6.0, real_hz=real_hz)
    assert "is not what it says: it says 1000 samples a second and gives" in source.trouble
    assert max(each.at_us for each in chunks) < 3 * SECOND, "and nothing of it is given any more"


def test_a_right_rate_is_believed_again() -> None:
    played = play(4.0, real_hz=900.0)
    assert played.source.trouble
    play(5.0, at_us=4 * SECOND, source=played.source, stream=played.stream)
    assert played.source.trouble == ""


def test_a_loss_is_no_other_rate() -> None:
    assert play(4.0, missing=range(150, 190)).source.trouble == ""


@pytest.mark.parametrize("rate_hz", [0.0, 50.0, 20_000.0])
def test_a_rate_that_cannot_be_used_is_refused(rate_hz: float) -> None:
    with pytest.raises(UsageError, match="100 to 10000 can be used"):
        LslSource(Made(facts(rate_hz)))


# --- what makes an onset ---------------------------------------------------------------------------------------------


def heard_on(values: Any, *, missing: range = range(0)) -> list[int]:
    made = Made()
    source, ear, found = LslSource(made), detector(), []
    source.start(0)
    for number in range(len(values) // 10):
        made.now_us = (number + 1) * MS_10
        if number not in missing:
            made.lay(values[number * 10 : number * 10 + 10], made.now_us - np.arange(10)[::-1] * MS)
        for chunk in source.read(made.now_us):
            found += [onset.at_us for onset in ear.push(chunk)]
    return found


def test_an_effort_is_heard_and_a_gap_sets_nothing_off() -> None:
    """Two efforts of 1.5 s, at 4 s and 8 s. What is loud behind a gap has no rise, and so it is no attempt."""
    values = bursts(1_000.0)
    assert [round(each / SECOND) for each in heard_on(values)] == [4, 8]
    assert [round(each / SECOND) for each in heard_on(values, missing=range(390, 430))] == [8]


# --- pulses ------------------------------------------------------------------------------------------------------------


def test_samples_taken_while_pulses_may_come_are_marked() -> None:
    """From the pass before the order on, and behind the last one, each by what is not known of the clocks."""
    output = Output()
    for now_us, on in (
        (SECOND, False),
        (1_020 * MS, True),
        (1_100 * MS, True),
        (1_120 * MS, False),
        (1_140 * MS, False),
    ):
        output.step(now_us, on=on)
    first_us, last_us = SECOND - BEFORE_US, 1_120 * MS + AFTER_US
    marks = output.offsets(1_999 * MS, 1_000, MS)
    assert (marks[0] * MS + SECOND, marks[-1] * MS + SECOND) == (SECOND, last_us)
    assert np.diff(marks).max() == 1
    assert output.offsets(first_us - MS, 100, MS) == ()
    assert output.offsets(first_us, 100, MS) == (99,)
    assert output.offsets(last_us + 10 * SECOND, 100, MS) == ()


def test_output_that_goes_on_is_marked_beyond_the_newest_pass() -> None:
    output = Output()
    output.step(0, on=False)
    output.step(20 * MS, on=True)
    assert len(output.offsets(400 * MS, 10, MS)) == 10
    output.step(500 * MS, on=False)
    assert output.offsets(700 * MS, 10, MS) == ()
    assert len(output.offsets(500 * MS, 10, MS)) == 10


@pytest.mark.parametrize("rate_hz", [200.0, 1_000.0, 4_000.0])
def test_marks_stand_closer_than_any_blanking_time(rate_hz: float) -> None:
    output = Output()
    output.step(0, on=True)
    output.step(SECOND, on=True)
    marks = output.offsets(800 * MS, 200, 1e6 / rate_hz)
    assert np.diff(marks).max() * 1e6 / rate_hz <= max(1_000, 1e6 / rate_hz)


def test_chunks_carry_the_marks() -> None:
    made = Made()
    source = LslSource(made)
    source.start(0)
    source.output.step(0, on=False)
    source.output.step(500 * MS, on=True)
    source.output.step(510 * MS, on=False)
    chunks = play(1.0, at_us=MS, source=source, stream=made).chunks
    marked = [each.at_us for each in chunks if each.pulse_offsets]
    assert (min(marked), max(marked)) == (11 * MS, 561 * MS)


def test_the_stimulators_own_noise_sets_nothing_off() -> None:
    """A second of artefacts of 300 µV at 40 Hz, and 15 ms of M-wave behind each: marked, the detector hears none of it."""
    values = bursts(1_000.0, at_s=())
    for pulse in range(6_000, 7_000, 25):
        values[pulse : pulse + 15] += 300.0
    for marked in (False, True):
        made, ear = Made(), detector()
        source = LslSource(made)
        found: list[Onset] = []
        source.start(0)
        for number in range(1_200):
            made.now_us = (number + 1) * MS_10
            source.output.step(made.now_us, on=marked and 600 <= number < 700)
            made.lay(values[number * 10 : number * 10 + 10], made.now_us - np.arange(10)[::-1] * MS)
            for chunk in source.read(made.now_us):
                found += ear.push(chunk)
        assert bool(found) is not marked


# --- names -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("lsl:Amp", ("name", "Amp", "")),
        ("lsl:My amp = 2#EXT", ("name", "My amp = 2", "EXT")),
        ("lsl:type=EMG", ("type", "EMG", "")),
        ("lsl:source_id=sn-1#2", ("source_id", "sn-1", "2")),
        ("lsl:name=type=EMG", ("name", "type=EMG", "")),
    ],
)
def test_a_stream_is_named_by_what_it_says(url: str, meant: tuple[str, str, str]) -> None:
    assert address(url) == meant


@pytest.mark.parametrize("url", ["lsl:", "lsl:#1", "lsl:type=", "lsl: "])
def test_a_url_that_names_nothing(url: str) -> None:
    with pytest.raises(UsageError, match="names no LSL stream; write lsl:NAME"):
        address(url)


def test_a_channel_is_named_or_numbered() -> None:
    several = facts(labels=("EXT", "FLEX", "FLEX"))
    assert (channel_of(facts(), ""), channel_of(several, "EXT"), channel_of(several, "3")) == (0, 0, 2)
    for wanted in ("", "FLEX", "0", "4", "ext"):
        with pytest.raises(UsageError, match="1 EXT, 2 FLEX, 3 FLEX"):
            channel_of(several, wanted)
    assert LslSource(Made(several), "2").name == "LSL Amp #FLEX"


@pytest.mark.parametrize(("unit", "scale"), [("uV", 1.0), ("mV", 1e3), ("V", 1e6), ("degrees", None), ("", None)])
def test_units_become_microvolts(unit: str, scale: float | None) -> None:
    assert microvolts(unit) == scale
    played = play(0.1, said=facts(unit=unit))
    assert played.chunks[0].values_uv[-1] == 9 * (scale or 1.0)
    assert played.source.in_microvolts is (scale is not None)

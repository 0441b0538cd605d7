"""Frames that other programs made (``data/sciencemode``): read as what went into them, and written again to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stimctl.boards.sciencemode2 import codec as codec2
from stimctl.boards.sciencemode2 import messages as m2
from stimctl.boards.sciencemode2.codes import Command as Command2
from stimctl.boards.sciencemode4 import codec as codec4
from stimctl.boards.sciencemode4 import messages as m4
from stimctl.boards.sciencemode4.codes import Command as Command4
from tests.sciencemode_words import written2, written4

FILE = json.loads((Path(__file__).parent / "data" / "sciencemode" / "vectors.json").read_text("utf-8"))
VECTORS: list[dict[str, Any]] = FILE["vectors"]
STREAMS: list[dict[str, Any]] = FILE["streams"]

Args = dict[str, Any]


def us(ms: float) -> int:
    return exactly(ms * 1_000)


def exactly(number: float) -> int:
    assert number == int(number)
    return int(number)


def points(args: Args) -> tuple[m4.Point, ...]:
    return tuple(m4.Point(each["duration_us"], us(each["current_ma"])) for each in args["points"])


def pattern(args: Args) -> m4.Pattern:
    return m4.Pattern(
        args["channel"], us(args["period_ms"]), points(args), args["ramp"], args.get("double_accuracy", False)
    )


def bare(args: Args) -> dict[str, Any]:
    return {name: value for name, value in args.items() if "packet_number" not in name}


def config(args: Args) -> m4.ChannelConfig:
    declared = args.get("declared_points")
    return m4.ChannelConfig(args["channel"], args["connector"], points(args), args["execute"], declared)


def current_data(args: Args) -> m4.ChannelStates:
    assert args["selection"] == 4
    return m4.ChannelStates(args["result"], tuple(map(bool, args["active"])), tuple(args["channel_state"]))


def extended(args: Args) -> m4.ExtendedVersion:
    versions = (tuple(args["firmware"]), tuple(args["science_mode"]))
    return m4.ExtendedVersion(
        args["result"], *versions, bytes.fromhex(args["hash"]), args["hash_type"], args["hash_valid"]
    )


SM4: dict[str, Callable[[Args], m4.Word]] = {
    "ll_init": lambda args: m4.LlInit(args["high_voltage"], args["measurement"]),
    "ll_channel_config": config,
    "ml_init": lambda args: m4.MlInit(args["stop_all_on_error"]),
    "ml_update": lambda args: m4.Update(tuple(map(pattern, args["channels"]))),
    "ml_get_current_data": lambda args: m4.GetCurrentData(args["selection"]),
    "ll_channel_config_ack": lambda args: m4.ChannelConfigAck(
        args["result"], args["channel"], args["connector"], args["measurement"]
    ),
    "ml_get_current_data_ack": current_data,
    "get_stim_status_ack": lambda args: m4.StimStatus(args["result"], args["stim_status"], args["high_voltage"]),
    "get_device_id_ack": lambda args: m4.DeviceId(args["result"], args["device_id"]),
    "get_extended_version_ack": extended,
    "unknown_cmd": lambda args: m4.Ack(Command4.UNKNOWN_COMMAND, args["result"]),
}
SM2: dict[str, Callable[[Args], m2.Word]] = {
    "init": lambda args: m2.Init(args["version"]),
    "get_stimulation_mode_ack": lambda args: m2.ModeAck(
        Command2.GET_STIMULATION_MODE_ACK, args["result"], args["mode"]
    ),
    "init_channel_list_mode": lambda args: m2.InitChannelList(
        tuple(args["active_channels"]),
        us(args["inter_pulse_interval_ms"]),
        us(args["main_interval_ms"]),
        tuple(args["low_frequency_channels"]),
        args["low_frequency_factor"],
        args["channel_execution"],
    ),
    "start_channel_list_mode": lambda args: m2.StartChannelList(
        tuple(m2.Group(each["mode"] + 1, each["pulse_width_us"], us(each["current_ma"])) for each in args["channels"])
    ),
    "single_pulse": lambda args: m2.SinglePulse(args["channel_index"], args["pulse_width_us"], us(args["current_ma"])),
    "stimulation_error": lambda args: m2.Ack(Command2.STIMULATION_ERROR, args["error"]),
    "actual_values": lambda args: m2.ActualValues(args["angle_deg"], args["speed_rpm"], args["torque_dnm"]),
}


def word_of(vector: dict[str, Any]) -> m4.Word | m2.Word:
    """What a vector's arguments are in our words."""
    name, args = vector["cmd"], vector["args"]
    if vector["proto"] == "SM4":
        if name in SM4:
            return SM4[name](args)
        command = Command4[name.upper()]
        return m4.Ack(command, args["result"]) if "result" in args else m4.Bare(command)
    if name in SM2:
        return SM2[name](args)
    answer = Command2[name.upper()]
    return m2.Ack(answer, args["result"]) if "result" in args else m2.Bare(answer)


def number_of(vector: dict[str, Any]) -> int:
    args = vector["args"]
    number: int = args["packet_number"] if "packet_number" in args else args["echo_packet_number"]
    return number


def test_all_are_there() -> None:
    assert (len(VECTORS), len(STREAMS)) == (47, 5)
    assert {vector["proto"] for vector in VECTORS} == {"SM2", "SM4"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: f"{vector['id']}-{vector['cmd']}")
def test_each_frame_both_ways(vector: dict[str, Any]) -> None:
    wire, word, number = bytes.fromhex(vector["hex"]), word_of(vector), number_of(vector)
    if vector["proto"] == "SM4":
        assert [(each.number, each.word) for each in codec4.Decoder().feed(wire)] == [(number, word)]
        assert not isinstance(word, m2.Word)
        assert written4(word, number) == wire
    else:
        assert [(each.number, each.word) for each in codec2.Decoder().feed(wire)] == [(number, word)]
        assert isinstance(word, m2.Word)
        assert written2(word, number) == wire


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: str(stream["name"]))
def test_each_stream(stream: dict[str, Any]) -> None:
    decoder = codec4.Decoder() if stream["proto"] == "SM4" else codec2.Decoder()
    got = [frame for chunk in stream["chunks"] for frame in decoder.feed(bytes.fromhex(chunk))]
    wanted = [(each["packet_number"], each["command"], each["data"]) for each in stream["expect"]]
    assert [(frame.number, frame.command, frame.payload.hex()) for frame in got] == wanted
    assert decoder.damaged == ("bad checksum" in stream["name"])
    assert decoder.held == 0


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["id"]))
def test_the_other_version_hears_nothing(vector: dict[str, Any]) -> None:
    wire = bytes.fromhex(vector["hex"])
    assert (codec2.Decoder() if vector["proto"] == "SM4" else codec4.Decoder()).feed(wire) == ()

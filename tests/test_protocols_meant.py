"""What an author meant: one fault for one slip, and another word for the same is told with the one that is taken."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from pydantic import BaseModel

from stimctl.protocols import KINDS, PAD_MODELS, library_text, meant
from stimctl.protocols.checks import Choice
from stimctl.protocols.meant import value_meant
from stimctl.protocols.unknown import fields, inner_model
from tests.protocol_texts import (
    CONTRALATERAL,
    CYCLIC,
    EMG,
    PROPORTIONAL,
    SEQUENCE,
    SWITCH,
    TENS,
    drop,
    edit,
    faults,
    the_fault,
)

# --- one slip, one fault ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "change", "field", "hint"),
    [
        (CYCLIC, ("max_amplitude_ma", "max_amplitud_ma"), "channel[1].max_amplitud_ma", "did you mean `max_amplitude_ma`?"),
        (CYCLIC, ("\namplitude_ma", "\namplitud_ma"), "channel[1].amplitud_ma", "did you mean `amplitude_ma`?"),
        (CYCLIC, ("muscle =", "muskel ="), "channel[1].muskel", "did you mean `muscle`?"),
        (CYCLIC, ("rate_hz", "frequency_hz"), "channel[1].frequency_hz", "write rate_hz"),
        (CYCLIC, ("model", "area_cm2"), "pads.proximal.area_cm2", "write model"),
        (CYCLIC, ("[burst]", "[burts]"), "burts", "did you mean `burst`?"),
        (CYCLIC, ("[[channel]]", "[[chanel]]"), "chanel", "did you mean `channel`?"),
        (CYCLIC, ("kind =", "kin ="), "kin", "did you mean `kind`?"),
        (CYCLIC, ("title =", "titel ="), "titel", "did you mean `title`?"),
        (CYCLIC, ("set_rest_s", "set_pause_s"), "dose.set_pause_s", "did you mean `set_rest_s`?"),
        (EMG, ("threshold_sd", "treshold_sd"), "trigger.treshold_sd", "did you mean `threshold_sd`"),
        (EMG, ("attempt_window_s", "atempt_window_s"), "trigger.atempt_window_s", "did you mean `attempt_window_s`?"),
        (SEQUENCE, (", delay_s = 0.4", ", delay = 0.4"), "phase[2].channel.flexors.delay", "did you mean `delay_s`?"),
        (SEQUENCE, ("channel.flexors = { share_percent = 100", "chanel.flexors = { share_percent = 100"),
         "phase[2].chanel", "did you mean `channel`?"),
        (CONTRALATERAL, ("floor_width_us", "flor_width_us"), "control.flor_width_us", "did you mean `floor_width_us`?"),
        (TENS, ("duration_min", "duration"), "dose.duration", "TENS duration_min"),
        (CYCLIC, ("hold_s", "duration_s"), "burst.duration_s", "a burst hold_s"),
        (SEQUENCE, ("length_s = 3.0", "duration_s = 3.0"), "phase[1].duration_s", "a phase or step has length_s"),
    ],
)  # fmt: skip
def test_a_misspelt_field_is_one_fault(text: str, change: tuple[str, str], field: str, hint: str) -> None:
    fault = the_fault(edit(text, change))
    assert (fault.field, hint in fault.message) == (field, True), fault


def test_two_fields_under_one_word_are_one_fault() -> None:
    text = drop(edit(CYCLIC, ("\namplitude_ma", "\ncurrent_ma")), "max_amplitude_ma")
    assert the_fault(text).message == "unknown field (write amplitude_ma and max_amplitude_ma)"


def test_what_a_slip_does_not_explain_is_still_missing() -> None:
    found = faults(drop(edit(CYCLIC, ("max_amplitude_ma", "max_amplitud_ma")), "rate_hz"))
    assert sorted((each.field, each.message[:13]) for each in found) == [
        ("channel[1].max_amplitud_ma", "unknown field"),
        ("channel[1].rate_hz", "is missing"),
    ]


def test_a_field_that_is_stated_is_not_what_was_meant() -> None:
    """`max_amplitude_ma` is there, so that the other one was meant, however it was spelt."""
    fault = the_fault(edit(CYCLIC, ("\namplitude_ma", "\nx_amplitude_ma")))
    assert fault.message == "unknown field (did you mean `amplitude_ma`?)"
    doubled = the_fault(edit(CYCLIC, ("rate_hz", "rate_Hz = 40\nrate_hz")))
    assert doubled.message == "unknown field (did you mean `rate_hz`?)"


@pytest.mark.parametrize(
    ("text", "changes", "field", "where"),
    [
        (CYCLIC, [("rest_s = 10.0\n", ""), ("[dose]", "[dose]\nrest_s = 10.0")], "dose.rest_s", "under [burst]"),
        (CYCLIC, [("[dose]", "[dose]\nstages = [1]")], "dose.stages", "at the top of the file"),
        (CYCLIC, [("rate_hz = 35\n", ""), ("[dose]", "[dose]\nrate_hz = 35")], "dose.rate_hz", "under [[channel]]"),
        (EMG, [("dwell_ms = 50\n", ""), ("[dose]", "[dose]\ndwell_ms = 50")], "dose.dwell_ms", "under [trigger]"),
    ],
)
def test_a_field_in_the_wrong_part_is_one_fault_that_says_where_it_belongs(
    text: str, changes: list[tuple[str, str]], field: str, where: str
) -> None:
    fault = the_fault(edit(text, *changes))
    assert (fault.field, fault.message.startswith(f"unknown field (it belongs {where}")) == (field, True), fault


# --- another word for the same ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "change", "option"),
    [
        (SEQUENCE, ('start = "time"', 'start = "emg"'), "attempt"),
        (SEQUENCE, ('start = "time"', 'start = "Own effort"'), "attempt"),
        (SEQUENCE, ('start = "time"', 'start = "clock"'), "time"),
        (SEQUENCE, ('start = "time"', 'start = "hand-switch"'), "key"),
        (SEQUENCE, ('advance = "key"', 'advance = "button"'), "key"),
        (SEQUENCE, ('advance = "key"', 'advance = "robot"'), "key"),
        (SWITCH, ('source = "key"', 'source = "button"'), "key"),
        (SWITCH, ('source = "key"', 'source = "glove"'), "robot"),
        (SWITCH, ('on_missed = "count"', 'on_missed = "help"'), "assist"),
        (EMG, ('on_missed = "count"', 'on_missed = "ignore"'), "count"),
        (CONTRALATERAL, ('"sound-hand-angle"', '"goniometer"'), "sound-hand-angle"),
        (CONTRALATERAL, ('modulates = "width"', 'modulates = "pulse width"'), "width"),
        (CONTRALATERAL, ('modulates = "width"', 'modulates = "current"'), "amplitude"),
        (PROPORTIONAL, ('"own-emg"', '"emg"'), "own-emg"),
        (CYCLIC, ('"forearm-dorsal"', '"dorsal forearm"'), "forearm-dorsal"),
        (CYCLIC, ('"forearm-dorsal"', '"dorsal-hand"'), "hand-dorsal"),
        (CYCLIC, ('"forearm-dorsal"', '"thumb"'), "thenar"),
        (CYCLIC, ('"square-50x50"', '"5x5 cm"'), "square-50x50"),
        (CYCLIC, ('"square-50x50"', '"50 x 90"'), "rectangle-50x90"),
        (CYCLIC, ('"square-50x50"', '"3.2 cm"'), "round-32"),
        (CYCLIC, ('"square-50x50"', '"round 3,2"'), "round-32"),
    ],
)  # fmt: skip
def test_another_word_for_the_same_is_told_with_the_one_that_is_taken(
    text: str, change: tuple[str, str], option: str
) -> None:
    [message] = [each.message for each in faults(edit(text, change)) if each.message.startswith("is not on the list")]
    assert f"(did you mean `{option}`?" in message


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("wrist", "(the wrist belongs to the forearm: forearm-dorsal or forearm-volar)"),
        ("forearm", "(did you mean `forearm-dorsal` or `forearm-volar`?)"),
        ("arm", "(which part of it: forearm-dorsal, forearm-volar or upper-arm)"),
        ("chest", "no current through head, neck, chest"),
    ],
)
def test_a_place_that_has_two_sides_is_asked_about(word: str, hint: str) -> None:
    assert hint in the_fault(edit(CYCLIC, ('"forearm-dorsal"', f'"{word}"'))).message


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ('"Let Go"', " (did you mean `let-go`?)"),
        ('"Extensors"', " (did you mean `extensors`?)"),
        ('"öffnen"', ""),
        ('"1st"', ""),
        ('""', ""),
        (f'"{"a" * 33}"', ""),
        ("7", ""),
    ],
)
def test_a_name_that_only_needs_small_letters_is_told(word: str, hint: str) -> None:
    assert the_fault(edit(CYCLIC, ('"extensors"', word))).message == f"is not a name{hint}"


@pytest.mark.parametrize(
    ("pads", "message"),
    [
        ('"proximal, distal"', "must be a list, in square brackets"),
        ('["proximal"]', "has 1 entry"),
        ('["proximal", "distal", "other"]', "has 3 entries"),
    ],
)
def test_what_is_no_pair_of_pads_is_told_how(pads: str, message: str) -> None:
    found = faults(edit(CYCLIC, ('["proximal", "distal"]', pads)))
    assert message in {fault.message for fault in found if fault.field == "channel[1].pads"}


def test_a_part_that_comes_several_times_needs_double_brackets() -> None:
    fault = the_fault(edit(SEQUENCE, ('[[phase]]\nname = "reach"', '[phase]\nname = "reach"')))
    assert fault.message.endswith("[phase] is stated twice; every phase begins with [[phase]], in double brackets")
    script = edit(EMG, ("[trigger]", '[script]\nsay = "x"\nlength_s = 2\n\n[trigger]'))
    assert the_fault(script).message == "must be written as [[script]], once for each sentence of a script"


def test_what_is_waited_for_is_missing_with_a_file_to_copy_it_from() -> None:
    for start, name in (("attempt", "wrist-finger-extensors-emg"), ("key", "wrist-finger-extensors-switch")):
        message = the_fault(edit(SEQUENCE, ('start = "time"', f'start = "{start}"'))).message
        assert f"copy that part from `stimctl library {name}`" in message
        assert f"\n[{'trigger' if start == 'attempt' else 'switch'}]\n" in library_text(name)


def test_the_word_for_the_emg_comes_with_its_reason() -> None:
    message = the_fault(edit(SEQUENCE, ('start = "time"', 'start = "emg"'))).message
    assert message.endswith("(did you mean `attempt`? The patient's own effort, heard in the EMG as [trigger] says)")


@pytest.mark.parametrize(
    ("path", "word", "options"),
    [
        (("sequence", "start"), "emg-button", ("time", "key", "attempt")),  # two of them: not guessed
        (("sequence", "start"), "moon", ("time", "key", "attempt")),
        (("sequence", "start"), "", ("time", "key", "attempt")),
        (("sequence", "start"), 7, ("time", "key", "attempt")),
        (("channel", 0, "site"), "dorsal-chest", ("forearm-dorsal", "hand-dorsal")),
        (("pads", "x", "model"), "60x60", tuple(PAD_MODELS)),
        (("pads", "x", "model"), "pad", tuple(PAD_MODELS)),
        (("pads", "x", "model"), "9" * 400, tuple(PAD_MODELS)),
        ((), "emg", ("attempt",)),
    ],
)
def test_what_cannot_be_known_is_not_guessed(
    path: tuple[str | int, ...], word: object, options: tuple[str, ...]
) -> None:
    assert value_meant(path, word, options) == ""


def test_a_word_of_another_kind_is_told_with_that_kind() -> None:
    message = next(each.message for each in faults(edit(CONTRALATERAL, ("sound-hand-angle", "own-emg"))))
    assert message == "is not on the list (the muscle's own EMG leads in the kind fes-emg-proportional)"


@pytest.mark.parametrize(
    ("text", "kind", "option"),
    [
        (CYCLIC, "nmes", "fes-cyclic"),
        (SEQUENCE, "nmes", "fes-sequence"),
        (EMG, "fes", "fes-emg-triggered"),
        (TENS, "tens", "tens-conventional"),
        (CYCLIC, "fes-cyclc", "fes-cyclic"),
    ],
)
def test_a_kind_is_known_by_its_word_or_its_parts(text: str, kind: str, option: str) -> None:
    own = text.partition('kind = "')[2].partition('"')[0]
    assert f"(did you mean `{option}`?" in the_fault(edit(text, (f'kind = "{own}"', f'kind = "{kind}"'))).message


# --- the table -------------------------------------------------------------------------------------------------------


def choices(model: type[BaseModel], at: str) -> dict[tuple[str, str], set[str]]:
    """Every closed list of a model: the part of the file, the field, and what it takes."""
    found: dict[tuple[str, str], set[str]] = {}
    for key, info in fields(model).items():
        lists = [each for each in [*info.metadata, *(_args(info.annotation))] if isinstance(each, Choice)]
        if lists:
            found[(at or key, key)] = set(lists[0].options)
        if inner := inner_model(info):
            found |= choices(inner, at or key)
    return found


def _args(annotation: object) -> list[Any]:
    return [each for part in get_args(annotation) for each in getattr(part, "__metadata__", ())]


def every_choice() -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {("kind", "kind"): set(KINDS)}
    for model in KINDS.values():
        for place, options in choices(model, "").items():
            found[place] = found.get(place, set()) | options
    return found


def test_every_closed_list_has_its_other_words_and_every_word_leads_to_something_on_it() -> None:
    lists = every_choice()
    assert set(meant._VALUES) == set(lists) - {("pads", "model")}
    for place, words in meant._VALUES.items():
        assert {word.option for word in words} - {""} <= lists[place], place


def test_no_other_word_is_itself_taken() -> None:
    for place, words in meant._VALUES.items():
        taken = every_choice()[place]
        if place != ("control", "source"):  # there each kind has a list of its own
            assert not {other for word in words for other in word.others.split()} & taken, place

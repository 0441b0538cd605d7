"""The words in which a file names a muscle: the usual abbreviations, what a word says about the pull, and slips of the pen.

Names are the usual anatomical ones, as the clinical reference has them (B.8), with the plain words of a clinic beside
them. This reads words; it is no anatomy.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Final

ABBREVIATIONS: Final[Mapping[str, str]] = {
    "ED": "extensor digitorum",
    "EDC": "extensor digitorum communis",
    "EDM": "extensor digiti minimi",
    "EI": "extensor indicis",
    "EIP": "extensor indicis proprius",
    "ECR": "extensor carpi radialis",
    "ECRL": "extensor carpi radialis longus",
    "ECRB": "extensor carpi radialis brevis",
    "ECU": "extensor carpi ulnaris",
    "EPL": "extensor pollicis longus",
    "EPB": "extensor pollicis brevis",
    "APL": "abductor pollicis longus",
    "APB": "abductor pollicis brevis",
    "ADP": "adductor pollicis",
    "OP": "opponens pollicis",
    "FDS": "flexor digitorum superficialis",
    "FDP": "flexor digitorum profundus",
    "FCR": "flexor carpi radialis",
    "FCU": "flexor carpi ulnaris",
    "FPL": "flexor pollicis longus",
    "FPB": "flexor pollicis brevis",
    "FDM": "flexor digiti minimi",
    "ADM": "abductor digiti minimi",
    "ODM": "opponens digiti minimi",
    "FDI": "first dorsal interosseous",
    "PL": "palmaris longus",
    "PT": "pronator teres",
    "PQ": "pronator quadratus",
    "BR": "brachioradialis",
    "BB": "biceps brachii",
    "TB": "triceps brachii",
}
"""What they stand for. Of two letters only capitals are read: `op` may be half a sentence, `EDC` and `edc` are not."""

DIRECTIONS: Final[Mapping[str, str]] = {
    "flex": "flexion",
    "biceps": "flexion",
    "brachialis": "flexion",
    "grip": "flexion",
    "clos": "flexion",
    "exten": "extension",
    "triceps": "extension",
    "anconeus": "extension",
    "open": "extension",
    "abduct": "abduction",
    "adduct": "adduction",
    "pronat": "pronation",
    "supinat": "supination",
}
"""What a word that begins so says about the pull."""

_MUSCLES: Final = frozenset({
    "abductor", "adductor", "anconeus", "biceps", "brachialis", "brachii", "brachioradialis", "brevis", "carpi",
    "communis", "deltoid", "deltoideus", "digiti", "digitorum", "dorsales", "extensor", "flexor", "indicis",
    "infraspinatus", "interossei", "interosseous", "interosseus", "longus", "lumbrical", "lumbricales", "minimi",
    "opponens", "palmares", "palmaris", "pollicis", "profundus", "pronator", "proprius", "quadratus", "quinti",
    "radialis", "sublimis", "superficialis", "supinator", "supraspinatus", "teres", "triceps", "ulnaris",
})  # fmt: skip
_PLAIN: Final = frozenset({
    "abduct", "abducting", "abduction", "adduct", "adducting", "adduction", "anterior", "close", "closing", "deep",
    "distal", "dorsal", "elbow", "extend", "extending", "extension", "fifth", "finger", "fingertip", "first",
    "flexing", "flexion", "forearm", "fourth", "gripping", "hand", "index", "knuckle", "lateral", "little", "lower",
    "medial", "median", "middle", "nerve", "opening", "opposition", "palmar", "posterior", "pronate", "pronation",
    "proximal", "radial", "ring", "second", "shoulder", "superficial", "supinate", "supination", "third", "thumb",
    "ulnar", "upper", "volar", "wrist",
})  # fmt: skip
_WORDS: Final = _MUSCLES | _PLAIN
_SHORTEST: Final = 5
"""Letters of a word that is compared: of shorter ones too many look alike."""
_ALIKE: Final = 0.8
"""Likeness from which on a word is taken for a slip of another: `comunis` and `communis` have 0.93, `longer` and `longus` 0.67."""


def words(muscle: str) -> list[str]:
    """The words of a muscle's name, as they are written."""
    return re.findall(r"[^\W\d_]+", muscle)


def spelt_out(muscle: str) -> str:
    """``muscle`` in small letters, with its abbreviations written out."""
    return " ".join(_long(word) or word for word in words(muscle)).lower()


def abbreviated(muscle: str) -> Iterator[tuple[str, str]]:
    """Each abbreviation in ``muscle``, with what it stands for."""
    for word in dict.fromkeys(words(muscle)):
        if long := _long(word):
            yield word, long


def _long(word: str) -> str:
    return ABBREVIATIONS.get(word if len(word) < 3 else word.upper(), "")


def pulls(muscle: str) -> frozenset[str]:
    """Where to a muscle of this name pulls; empty when its words are not known here, or say nothing of it."""
    return frozenset(
        pull for word in words(spelt_out(muscle)) for stem, pull in DIRECTIONS.items() if word.startswith(stem)
    )


def is_known(muscle: str) -> bool:
    """Whether a word of it names a muscle, whether or not its pull is known."""
    return any(_root(word) in _MUSCLES for word in words(spelt_out(muscle)))


def slips(muscle: str) -> Iterator[tuple[str, str]]:
    """Each word that looks like a slip of one that is known, with that one."""
    for word in dict.fromkeys(words(muscle)):
        small = word.lower()
        if len(word) < _SHORTEST or _long(word) or {small, _root(small)} & _WORDS:
            continue
        if close := difflib.get_close_matches(small, sorted(_WORDS), n=1, cutoff=_ALIKE):
            yield word, close[0]


def meant(muscle: str) -> str:
    """``muscle`` spelt out, with its slips mended: for what is only asked, never for what is refused."""
    mended = dict(slips(muscle))
    return spelt_out(" ".join(mended.get(word, word) for word in words(muscle)))


def _root(word: str) -> str:
    """A word without the s of several: `extensors`, `fingers`."""
    return word if word in _WORDS else word.removesuffix("s")

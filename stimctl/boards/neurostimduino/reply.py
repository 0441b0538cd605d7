"""Whether a word was carried out: the lines that follow it, taken together.

The sketch prints a line that looks like success even behind ``I2C error``, with a value that is old or zero; so the whole
reply is a failure as soon as one line of it is. It is over only with that line: else the next word would find it, and
take it for its own answer.
"""

from __future__ import annotations

from typing import Final, final

from stimctl.boards.neurostimduino import words as w
from stimctl.boards.neurostimduino.words import BoardWord, Halt, HostWord
from stimctl.boards.verdict import Verdict
from stimctl.units import MS

ANSWER_US: Final = 250 * MS
RESET_US: Final = 500 * MS
SAMPLE_US: Final = 1_500 * MS
"""How long an answer may take; silence is answered with the stop sequence."""


@final
class Reply:
    """The answer to ``word``, written at ``now_us``. :attr:`why` says in plain words what is wrong, once something is."""

    def __init__(self, word: HostWord, now_us: int) -> None:
        self.word = word
        self.verdict = Verdict.OPEN
        self.answer: BoardWord | None = None
        self.why = ""
        patience_us = RESET_US if isinstance(word, w.Reset) else SAMPLE_US if isinstance(word, w.Sample) else ANSWER_US
        self.due_us = now_us + patience_us

    def hear(self, word: BoardWord) -> None:
        """One more line. What is not about this word is let pass; once over, nothing changes it."""
        if self.verdict is not Verdict.OPEN:
            return
        if isinstance(word, w.I2cError):
            self._blame(f"the Arduino cannot reach the board (I2C error {word.code}); check its supply and seat")
        elif isinstance(word, w.Welcome):
            self._blame("the Arduino has started anew; the board behind it goes on with whatever it did")
            self._close(word)
        elif isinstance(word, w.Refused):
            self._blame(f"the board's sketch has refused a line: {word.text}")
            self._close(word)
        elif _answers(word, self.word):
            self._blame(_fault(word, self.word))
            self._close(word)

    def advance(self, now_us: int) -> None:
        """Time goes on."""
        if self.verdict is Verdict.OPEN and now_us >= self.due_us:
            self._blame("the board has not answered in time")
            self.verdict = Verdict.SILENCE

    def _blame(self, why: str) -> None:
        self.why = self.why or why

    def _close(self, word: BoardWord) -> None:
        self.answer = word
        self.verdict = Verdict.FAILED if self.why else Verdict.DONE


def _answers(said: BoardWord, asked: HostWord) -> bool:
    """Whether ``said`` is the line that ends the reply to ``asked``, whatever it says."""
    match asked:
        case w.Set(channel, register, _):
            return isinstance(said, w.WasSet) and (said.channel, said.register) == (channel, register)
        case w.Read(channel, register):
            return isinstance(said, w.ReadBack) and (said.channel, said.register) == (channel, register)
        case w.Stimulate(channel):
            return isinstance(said, w.WillGenerate) and said.channel == channel
        case w.Stop(channel):
            return isinstance(said, w.Halted) and said.channel == channel
        case w.EmergencyOff():
            return isinstance(said, w.EmergencyOffCalled)
        case w.Reset():
            return isinstance(said, w.DefaultsRestored)
    return isinstance(said, w.Sampled)


def _fault(said: BoardWord, asked: HostWord) -> str:
    """What is wrong with an answer, in itself; empty for nothing."""
    match said, asked:
        case w.WasSet(_, register, value), w.Set(_, _, wanted) if value != wanted:
            return f"the board has {register.name.lower()} {value} where {wanted} was asked for"
        case w.Halted(_, Halt.RUNNING), _:
            return "the board has not stopped"
        case w.Halted(_, Halt.FAULTY), _:
            return "the board reports a fault where it should have stopped"
    return ""

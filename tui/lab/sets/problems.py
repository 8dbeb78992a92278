"""Mistakes in a prompt set: one sentence each, with the line number and the correction."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tui.core.text.in_quotes import in_quotes
from tui.core.text.sanitize import clean_line
from tui.lab.sets.lines import Place, line_of

MAX_PROBLEMS = 20


class SetError(ValueError):
    """A prompt set that cannot be used; ``sentences`` has one for each mistake, sanitised."""

    def __init__(self, sentences: Collection[str]) -> None:
        self.sentences = tuple(clean_line(sentence, 400) for sentence in sentences)
        super().__init__(" ".join(self.sentences))


@dataclass(slots=True)
class Problems:
    """Collects sentences about one file."""

    name: str
    places: Mapping[Place, int]
    sentences: list[str] = field(default_factory=list)

    def add(self, place: Place, sentence: str) -> None:
        """Adds a mistake; ``sentence`` is a clause without its full stop."""
        if len(self.sentences) < MAX_PROBLEMS:
            line = line_of(self.places, place)
            where = self.name if line is None else f"{self.name} line {line}"
            stop = "" if sentence.endswith(("?", ".")) else "."
            self.sentences.append(f"{where}: {sentence}{stop}")

    def end(self) -> None:
        """Raises SetError if there are mistakes."""
        if self.sentences:
            raise SetError(self.sentences)


def meant(word: str, known: Collection[str]) -> str:
    """``did you mean x?``, or the list of valid names."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def quoted(value: object) -> str:
    """A value, shortened and in quotes, for a message."""
    return in_quotes(value, "a table")

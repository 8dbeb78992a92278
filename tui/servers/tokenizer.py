"""Exact counts of tokens, from the tokenizer file (``tokenizer.json``) of the model.

The file comes with a model on its way to the board, not with the .rkllm file, so a user names it.
The library that reads it is an extra (``npulse[tokenizer]``), loaded when the first answer is over.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.core.text.sanitize import clean_line

if TYPE_CHECKING:
    from tui.core.turn.turn import Turn

MAX_FILE_BYTES = 64 << 20
MAX_TEXT_CHARS = 2_000_000
"""A longer answer is not counted: that would take seconds on a board."""
TAG_TOKENS = 2
"""``<think>`` and ``</think>``, which stand in no text."""


class TokenizerError(Exception):
    """There is no such tokenizer; the text is one sentence."""


def load_counter(path: str) -> Callable[[str], int]:
    """A function that counts the tokens of a text. Takes a second on a board. Raises
    TokenizerError."""
    shown = clean_line(path, 200)
    estimated = "counts stay estimated"
    try:
        data = _read(Path(path).expanduser())
    except (OSError, RuntimeError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        sentence = f"server.tokenizer: {shown} cannot be read ({clean_line(why, 80)})"
        raise TokenizerError(f"{sentence}; {estimated}.") from None
    try:
        from tokenizers import Tokenizer
    except ImportError:
        raise TokenizerError(
            "server.tokenizer needs the extra of npulse that reads such files: pip install "
            f"'npulse[tokenizer]'; {estimated}."
        ) from None
    try:
        tokenizer = Tokenizer.from_buffer(data)
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode("a", add_special_tokens=False)
    except Exception as error:  # noqa: BLE001 - the library raises nothing more precise
        why = clean_line(str(error), 80)
        sentence = f"server.tokenizer: {shown} is not a tokenizer.json ({why})"
        raise TokenizerError(f"{sentence}; {estimated}.") from None
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def _read(path: Path) -> bytes:
    """The file. Raises OSError, for what is no file too, and ValueError where it is too large."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is not a file")
        if status.st_size > MAX_FILE_BYTES:
            raise ValueError(f"it is larger than {MAX_FILE_BYTES >> 20} MB")
        return file.read(MAX_FILE_BYTES)


class ModelTokenizer:
    """The tokenizer that a user named; ``path`` is empty where none was. Every method may be called
    in a worker thread; nothing is loaded before the first :meth:`note_counts`."""

    def __init__(self, path: str, on_problem: Callable[[str], None] = lambda _: None) -> None:
        self._path = path
        self._on_problem = on_problem
        self._count: Callable[[str], int] | None = None
        self._is_usable = bool(path)

    @property
    def is_usable(self) -> bool:
        """Whether there is one, as far as is known."""
        return self._is_usable

    def note_counts(self, turn: Turn) -> bool:
        """Counts a turn that is over. False where there is nothing to count with; why is told once,
        by ``on_problem``."""
        if not self._is_usable or not turn.phase.is_over:
            return False
        if self._count is None:
            try:
                self._count = load_counter(self._path)
            except TokenizerError as error:
                self._is_usable = False
                self._on_problem(str(error))
                return False
        text, thinking = turn.text, turn.thinking
        if len(text) + len(thinking) > MAX_TEXT_CHARS:
            return False
        tokens = self._count(text) + (self._count(thinking) + TAG_TOKENS if thinking else 0)
        prompt = [self._count(message.content) for message in turn.request.messages]
        turn.note_counted(tokens, prompt)
        return True

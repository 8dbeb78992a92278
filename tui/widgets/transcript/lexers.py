"""Loads Pygments' lexers in a thread, so that they do not block.

Importing a lexer and compiling its expressions takes tens of milliseconds, more than a frame. While
an answer streams that happens on a thread of its own, and the code is coloured when it is done;
otherwise at once.
"""

from __future__ import annotations

import re
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pygments.lexer import Lexer  # type: ignore[import-untyped]

_LANGUAGE = re.compile(r"[A-Za-z0-9+#._-]{1,30}$")
_PLAIN = frozenset(("text", "txt", "plain", "plaintext", "output", "console", "log"))


class Lexers:
    """The lexers met so far. ``is_patient`` says whether a caller may wait for a new one."""

    def __init__(self) -> None:
        self.is_patient = True
        self._known: dict[str, Lexer | None] = {}
        self._threads: dict[str, Thread] = {}
        self._warming: Thread | None = None

    def get(self, language: str) -> Lexer | None:
        """The lexer of a language; None where there is none or it is not ready yet."""
        language = language.lower()
        if language in self._known:
            return self._known[language]
        if not _LANGUAGE.match(language) or language in _PLAIN:
            return None
        if self.is_patient:
            self._load(language)
            return self._known[language]
        if language not in self._threads:
            thread = Thread(target=self._load, args=(language,), daemon=True)
            self._threads[language] = thread
            thread.start()
        return None

    def is_loading(self, language: str) -> bool:
        """Whether a lexer may still come."""
        language = language.lower()
        return language in self._threads and language not in self._known

    def warm_up(self) -> None:
        """Import what the first formatted answer needs while nothing has arrived."""
        if self._warming is None:
            self._warming = Thread(target=_import_parsers, daemon=True)
            self._warming.start()

    def _load(self, language: str) -> None:
        from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
        from pygments.util import ClassNotFound  # type: ignore[import-untyped]

        try:
            lexer = get_lexer_by_name(language)
            # The expressions are compiled with the first text.
            list(lexer.get_tokens_unprocessed("\n"))
        except ClassNotFound:
            lexer = None
        self._known[language] = lexer


def _import_parsers() -> None:
    from tui.widgets.transcript.inline import inline_spans

    inline_spans("*a*", "text", len)

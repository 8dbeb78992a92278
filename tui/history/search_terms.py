"""Terms of the full-text search: words, and single characters of scripts without spaces.

SQLite's tokenizer takes a run of Chinese or Japanese for one word. Each such character is set
apart, in what is indexed and in what is asked for, where characters that follow each other are a
phrase.
"""

from __future__ import annotations

import re

from tui.history.records import Snippet

_ALONE = re.compile(
    "([\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff])"
)
"""Han characters, kana and Hangul syllables (blocks of the Unicode Standard, version 15)."""
_TERM = re.compile(r'"([^"]*)"?|(\S+)')
MIN_PREFIX_CHARS = 3
"""Length from which the last word also matches as a prefix."""
MAX_TERMS = 32
MAX_INDEXED_CHARS = 1 << 18
"""What stands after so many characters of a turn is kept and not found. A context of 100,000 tokens
has fewer, and an index takes ten times the memory of its text while it is made."""
SNIPPET_CHARS = 160
LEAD_CHARS = 40


def indexed(text: str) -> str:
    """The text as it goes into the index: of one that no model ends, its beginning."""
    text = text[:MAX_INDEXED_CHARS]
    return text if text.isascii() else _ALONE.sub(r" \1 ", text)


def terms(query: str) -> list[str]:
    """The words and "phrases in quotes" of what a user typed."""
    found = (quoted or word for quoted, word in _TERM.findall(query))
    return [term for term in (" ".join(part.split()) for part in found) if _has_word(term)][
        :MAX_TERMS
    ]


def match_expression(query: str) -> str | None:
    """The query in the syntax of FTS5 (https://www.sqlite.org/fts5.html, section 3); None where
    there is no word in it. All words have to occur; the last one may be the beginning of one."""
    found = terms(query)
    if not found:
        return None
    quoted = ['"' + indexed(term).replace('"', '""').strip() + '"' for term in found]
    last = found[-1]
    is_typed = query.rstrip() == query and not query.endswith('"')
    if is_typed and len(last) >= MIN_PREFIX_CHARS and not _ALONE.search(last[-1]):
        quoted[-1] += "*"
    return " AND ".join(quoted)


def snippet(text: str, query: str) -> Snippet:
    """The part of the text around the first word that is found, in one line."""
    wanted = "|".join(_pattern(term) for term in terms(query))
    pattern = re.compile(wanted, re.IGNORECASE) if wanted else None
    first = None if pattern is None else pattern.search(text)
    start = 0 if first is None else max(first.start() - LEAD_CHARS, 0)
    if start:
        space = text.find(" ", start, start + LEAD_CHARS // 2)
        start = start if space < 0 else space + 1
    piece = " ".join(text[start : start + SNIPPET_CHARS].split())
    head = "…" if start else ""
    tail = "…" if start + SNIPPET_CHARS < len(text) else ""
    shown = head + piece + tail
    marks = () if pattern is None else tuple(m.span() for m in pattern.finditer(shown))
    return Snippet(shown, tuple(mark for mark in marks if mark[1] > mark[0]))


def _pattern(term: str) -> str:
    start = "" if _ALONE.match(term) else r"(?<![^\W_])"
    return start + r"\W+".join(re.escape(part) for part in term.split())


def _has_word(term: str) -> bool:
    return any(char.isalnum() for char in term)

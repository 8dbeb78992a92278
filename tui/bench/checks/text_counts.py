"""Counts words, sentences, paragraphs, headings, list items and time expressions in a text."""

from __future__ import annotations

import re
import unicodedata

from tui.bench.checks.fences import closed_fences

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*", re.UNICODE)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_SENTENCE_MARKS = re.compile(r"([.!?…。！？؟]+)[\"'”’»)\]*_]*")
_WIDE_MARKS = "。！？"
"""Marks that end a sentence also without a blank after them."""
_HEADING = re.compile(r"^\s{0,3}(#{1,6})\s+\S", re.MULTILINE)
_BOLD_LINE = re.compile(r"^\s{0,3}\*\*[^*\n]{2,80}\*\*:?\s*$", re.MULTILINE)
_NUMBERED = re.compile(r"^[^\S\n]*(\d+(?:\.\d+)*)[.)]?\s+\S", re.MULTILINE)
_BULLET = re.compile(r"^([^\S\n]*)(?:[-*+•]|\d+[.)])\s+\S", re.MULTILINE)
_TIME = re.compile(
    r"\b(?:\d+(?:[.,]\d+)?(?:\s*[-–]\s*\d+(?:[.,]\d+)?)?"
    r"|one|two|three|four|five|six|eight|ten|half an?)"
    r"\s*(?:working\s+)?(?:hours?|hrs?|days?|weeks?|months?|sprints?|h|d|w)\b"
    r"|\b(?:week|day|month|sprint)s?\s+\d+",
    re.IGNORECASE,
)
_SENTENCE_CLOSE = re.compile(r"[.!?…。！？؟][\"'”’»)\]*_`]*\s*\Z")


def words(text: str) -> int:
    """The number of words in any script; each CJK character counts as a word."""
    cjk = len(_CJK.findall(text))
    return cjk + len(_WORD.findall(_CJK.sub(" ", text)))


def word_list(text: str) -> list[str]:
    """The words in order, case-folded."""
    return [word.casefold() for word in _WORD.findall(text)]


def sentences(text: str) -> int:
    """The number of sentences, including a last one without an end mark."""
    stripped = text.strip()
    if not stripped:
        return 0
    ends = 0
    for run in _SENTENCE_MARKS.finditer(stripped):
        is_end = run.end() == len(stripped) or stripped[run.end()].isspace()
        ends += 1 if is_end else sum(mark in _WIDE_MARKS for mark in run[1])
    return ends if _SENTENCE_CLOSE.search(stripped) else ends + 1


def paragraphs(text: str) -> list[str]:
    """Blocks between blank lines, without those that are only a heading or a rule."""
    blocks = (block.strip() for block in re.split(r"\n\s*\n", text.strip()))
    return [
        block
        for block in blocks
        if block and not re.fullmatch(r"(#{1,6}[^\n]*|[-*_=\s]+|\*\*[^*\n]{1,80}\*\*:?)", block)
    ]


def ends_sentence(text: str) -> bool:
    """Whether the text ends with the end of a sentence."""
    return bool(_SENTENCE_CLOSE.search(text))


def headings(text: str) -> list[int]:
    """Levels of the Markdown headings in order; an all-bold line counts as level 7."""
    found = [(match.start(), len(match[1])) for match in _HEADING.finditer(text)]
    found += [(match.start(), 7) for match in _BOLD_LINE.finditer(text)]
    return [level for _, level in sorted(found)]


def outline_levels(text: str) -> tuple[int, int]:
    """(entries, levels): headings and numbered lines; distinct levels of these and of list
    items."""
    heads = headings(text)
    numbers = [match[1] for match in _NUMBERED.finditer(text)]
    depths = {("#", level) for level in heads} | {("1", number.count(".")) for number in numbers}
    indents = {len(match[1].expandtabs(4)) // 2 for match in _BULLET.finditer(text)}
    depths |= {("-", indent) for indent in indents}
    return len(heads) + len(numbers), len(depths)


def bullets(text: str) -> list[str]:
    """The list items in order, one line each."""
    return [
        line.strip()
        for line in text.splitlines()
        if _BULLET.match(line) and not re.fullmatch(r"\s*[-*_]{3,}\s*", line)
    ]


def time_expressions(text: str) -> int:
    """The number of durations and dates of a plan, such as "2 weeks", "week 3", "3-4 days"."""
    return len(_TIME.findall(text))


def fences(text: str) -> list[tuple[str, str]]:
    """(language, content) of all closed code fences."""
    return [(fence.language, text[fence.inner : fence.inner_end]) for fence in closed_fences(text)]


def script_shares(text: str) -> dict[str, float]:
    """Share of each script among the letters: Latin, Han, Arabic, Cyrillic, ..."""
    counts: dict[str, int] = {}
    for char in text:
        if char.isalpha():
            script = _script(char)
            counts[script] = counts.get(script, 0) + 1
    total = sum(counts.values())
    return {name: count / total for name, count in counts.items()} if total else {}


def _script(char: str) -> str:
    code = ord(char)
    if code < 0x250 or 0x1E00 <= code <= 0x1EFF:
        return "Latin"
    if _CJK.match(char):
        return "Kana" if 0x3040 <= code <= 0x30FF else "Han"
    name = unicodedata.name(char, "").split(" ")[0]
    return {"HANGUL": "Hangul", "CJK": "Han"}.get(name, name.capitalize() or "Unknown")

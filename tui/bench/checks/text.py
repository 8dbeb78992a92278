"""Checks of length, format and wording. Each returns (passed, detail)."""

from __future__ import annotations

import re

from tui.bench.checks import text_counts
from tui.bench.checks.loops import find_loop
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer, Outcome

MAX_MATCHED_CHARS = 20_000
"""Most characters of an answer that a regular expression is applied to."""
_NAME_PART = re.compile(r"[a-z0-9]+")


def _range(count: int, low: float, high: float | None, what: str) -> Outcome:
    wanted = f"at least {low:g}" if high is None else f"{low:g} to {high:g}"
    is_ok = count >= low and (high is None or count <= high)
    return is_ok, f"{count} {what}, required: {wanted}"


def nonempty(spec: s.Nonempty, answer: Answer) -> Outcome:
    return bool(answer.text.strip()), f"{len(answer.text.strip())} characters"


def no_loop(spec: s.NoLoop, answer: Answer) -> Outcome:
    loop = find_loop(answer.text)
    return (True, "no loop") if loop is None else (False, loop.sentence)


def words(spec: s.Words, answer: Answer) -> Outcome:
    grace = spec.slack_pct / 100
    high = None if spec.max is None else spec.max * (1 + grace)
    return _range(text_counts.words(answer.text), spec.min * (1 - grace), high, "words")


def sentences(spec: s.Sentences, answer: Answer) -> Outcome:
    return _range(text_counts.sentences(answer.text), spec.min, spec.max, "sentences")


def paragraphs(spec: s.Paragraphs, answer: Answer) -> Outcome:
    return _range(len(text_counts.paragraphs(answer.text)), spec.min, spec.max, "paragraphs")


def bullets(spec: s.Bullets, answer: Answer) -> Outcome:
    return _range(len(text_counts.bullets(answer.text)), spec.min, spec.max, "list items")


def lines(spec: s.Lines, answer: Answer) -> Outcome:
    count = sum(bool(line.strip()) for line in answer.text.splitlines())
    return _range(count, spec.min, spec.max, "lines")


def ends_sentence(spec: s.EndsSentence, answer: Answer) -> Outcome:
    is_ok = text_counts.ends_sentence(answer.text)
    return is_ok, "closed" if is_ok else f"ends with {answer.text.rstrip()[-20:]!r}"


def outline(spec: s.Outline, answer: Answer) -> Outcome:
    entries, levels = text_counts.outline_levels(answer.text)
    is_ok = entries >= spec.min_entries and levels >= spec.min_levels
    return is_ok, f"{entries} headings or numbers on {levels} levels"


def keywords(spec: s.Keywords, answer: Answer) -> Outcome:
    folded = answer.text.casefold()
    missing = [
        group[0] for group in spec.groups if not any(word.casefold() in folded for word in group)
    ]
    wanted = len(spec.groups) if spec.min is None else spec.min
    found = len(spec.groups) - len(missing)
    detail = f"{found} of {len(spec.groups)}"
    return found >= wanted, detail + (f", missing {', '.join(missing)}" if missing else "")


def times(spec: s.Times, answer: Answer) -> Outcome:
    return _range(text_counts.time_expressions(answer.text), spec.min, None, "time expressions")


def starts_with(spec: s.StartsWith, answer: Answer) -> Outcome:
    is_ok = answer.text.lstrip().startswith(spec.text)
    return is_ok, f"begins with {answer.text.lstrip()[: len(spec.text) + 10]!r}"


def ends_with(spec: s.EndsWith, answer: Answer) -> Outcome:
    is_ok = answer.text.rstrip().endswith(spec.text)
    return is_ok, f"ends with {answer.text.rstrip()[-len(spec.text) - 10 :]!r}"


def contains(spec: s.Contains, answer: Answer) -> Outcome:
    folded = answer.text.casefold()
    counts = {text: folded.count(text.casefold()) for text in spec.texts}
    short = [f"{text!r} {count} times" for text, count in counts.items() if count < spec.times]
    return not short, ", ".join(short) or "all found"


def equals(spec: s.Equals, answer: Answer) -> Outcome:
    is_ok = answer.text.strip() == spec.text.strip()
    return is_ok, "equal" if is_ok else f"is {answer.text.strip()[:60]!r}"


def has_text(spec: s.HasText, answer: Answer) -> Outcome:
    within, wanted = answer.text, spec.text
    if spec.any_case:
        within, wanted = within.casefold(), wanted.casefold()
    is_there = wanted in within
    return is_there, f"{spec.text[:60]!r} {'found' if is_there else 'not found'}"


def has_match(spec: s.HasMatch, answer: Answer) -> Outcome:
    found = re.search(spec.pattern, answer.text[:MAX_MATCHED_CHARS])
    return found is not None, f"found {found[0][:60]!r}" if found else "no match"


def latency(spec: s.Latency, answer: Answer) -> Outcome:
    if answer.latency_ms is None:
        return None, "the time of the answer is unknown"
    is_ok = answer.latency_ms <= spec.max_ms
    return is_ok, f"{answer.latency_ms:.0f} ms, required: at most {spec.max_ms:g}"


def excludes(spec: s.Excludes, answer: Answer) -> Outcome:
    found = [text for text in spec.texts if _occurs(text, answer.text)]
    return not found, f"found {', '.join(map(repr, found))}" if found else "none found"


def _occurs(text: str, within: str) -> bool:
    if not any(char.isalnum() for char in text):
        return text in within
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", within, re.IGNORECASE) is not None


def casing(spec: s.Casing, answer: Answer) -> Outcome:
    wrong = [
        char for char in answer.text if (char.isupper() if spec.case == "lower" else char.islower())
    ]
    if not any(char.isalpha() for char in answer.text):
        return False, "no letters"
    return not wrong, f"{len(wrong)} letters in the other case"


def matches(spec: s.Matches, answer: Answer) -> Outcome:
    # Suites are the user's own files: only the text for a pattern is limited, not its time.
    is_ok = (
        re.fullmatch(spec.pattern, answer.text.strip()[:MAX_MATCHED_CHARS], re.DOTALL) is not None
    )
    return is_ok, spec.what if is_ok else f"not {spec.what}"


def file_name(spec: s.FileName, answer: Answer) -> Outcome:
    name = answer.text.strip()
    if "\n" in name or not name:
        return False, "not one line"
    stem, dot, extension = name.rpartition(".")
    problems = []
    if not dot or extension != spec.extension:
        problems.append(f"extension is not .{spec.extension}")
    if len(name) > spec.max_length:
        problems.append(f"{len(name)} characters, {spec.max_length} allowed")
    if spec.date_first is not None and not stem.startswith(spec.date_first):
        problems.append(f"does not begin with {spec.date_first}")
    if not all(_NAME_PART.fullmatch(part) for part in stem.split(spec.separator)):
        problems.append(f"not lower-case words joined by {spec.separator!r}")
    problems += [f"no {word!r}" for word in spec.must_contain if word not in stem]
    return not problems, "; ".join(problems) or name

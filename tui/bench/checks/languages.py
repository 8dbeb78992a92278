"""Language checks: the language of a text, and whether strings and comments were translated."""

from __future__ import annotations

import io
import re
import tokenize

from tui.bench.checks import text_counts
from tui.bench.checks.fences import closed_fences
from tui.bench.checks.structured import parse_lenient
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer, Outcome

NAMES = {"en": "English", "hu": "Hungarian", "vi": "Vietnamese", "zh": "Chinese", "ar": "Arabic"}

_FUNCTION_WORDS = {
    "en": "the of and to in is for with this that on are be or not from it an as by if",
    "hu": "a az és egy hogy nem van meg ha vagy ezt azt kell lesz mert majd be ki fel le",
    "vi": "và của là các có được cho không một này đã để trong với người khi từ vào ra nếu",
}
_LETTERS = {
    "en": "",
    "hu": "áéíóöőúüű",
    "vi": "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
}
_PLACEHOLDER = re.compile(r"\{[^{}\s]*\}|%[sd]|%\(\w+\)[sd]|\$\{\w+\}")


def without_code(text: str) -> str:
    """The text without the contents of code fences and without inline code."""
    parts, begin = [], 0
    for fence in closed_fences(text):
        parts.append(text[begin : fence.inner])
        begin = fence.inner_end
    return re.sub(r"`[^`\n]*`", " ", "\n".join([*parts, text[begin:]]))


def language_scores(text: str) -> dict[str, float]:
    """A score per language, 0 or more; the highest is the likeliest. Distinguishes only these
    five."""
    shares = text_counts.script_shares(text)
    words = text_counts.word_list(text)
    count = max(1, len(words))
    scores = {"zh": 3 * shares.get("Han", 0.0), "ar": 3 * shares.get("Arabic", 0.0)}
    folded = text.casefold()
    letters = max(1, sum(char.isalpha() for char in folded))
    for language, functions in _FUNCTION_WORDS.items():
        known = set(functions.split())
        share = sum(word in known for word in words) / count
        special = sum(char in _LETTERS[language] for char in folded) / letters
        scores[language] = shares.get("Latin", 0.0) * (share + 6 * special)
    # Without its accents, each of these languages resembles English: accents count against it.
    marked = sum(ord(char) > 0x7F for char in folded if char.isalpha()) / letters
    scores["en"] = max(0.0, scores["en"] + 0.05 * shares.get("Latin", 0.0) - 3 * marked)
    return scores


def detect(text: str) -> str | None:
    """The likeliest of the five languages; None if the text gives too little evidence."""
    scores = language_scores(text)
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0.02 else None


def script(spec: s.Script, answer: Answer) -> Outcome:
    text = without_code(answer.text) if spec.ignore_code else answer.text
    shares = text_counts.script_shares(text)
    share = sum(shares.get(name, 0.0) for name in spec.scripts)
    shown = ", ".join(f"{name} {100 * part:.0f} %" for name, part in sorted(shares.items()))
    return share >= spec.min_share, shown or "no letters"


def language(spec: s.Language, answer: Answer) -> Outcome:
    found = detect(without_code(answer.text))
    return found == spec.language, f"looks like {NAMES.get(found or '', 'no known language')}"


def strings(spec: s.Strings, answer: Answer) -> Outcome:
    """Whether JSON strings are translated: same keys and placeholders, text in the language."""
    found = parse_lenient(answer.text)
    if found is None or not isinstance(found[0], dict):
        return False, "no JSON object"
    value = found[0]
    problems = []
    if set(value) != set(spec.source):
        missing, extra = set(spec.source) - set(value), set(value) - set(spec.source)
        problems.append(f"{len(missing)} keys missing, {len(extra)} unexpected")
    same = 0
    for key, source in spec.source.items():
        text = value.get(key)
        if not isinstance(text, str):
            continue
        if sorted(_PLACEHOLDER.findall(text)) != sorted(_PLACEHOLDER.findall(source)):
            problems.append(f"{key}: placeholders changed")
        same += text.strip().casefold() == source.strip().casefold()
    if spec.language != "en" and same > len(spec.source) // 3:
        problems.append(f"{same} of {len(spec.source)} strings left in English")
    joined = " . ".join(text for text in value.values() if isinstance(text, str))
    plain = _PLACEHOLDER.sub(" ", joined)
    if spec.language != "en" and detect(plain) != spec.language:
        problems.append(f"does not look like {NAMES[spec.language]}")
    return not problems, "; ".join(problems) or "translated"


def comments_of(code: str) -> list[str]:
    """The comments in Python code, also if it cannot be tokenised completely."""
    found: list[str] = []
    try:
        found.extend(
            token.string.lstrip("# ").strip()
            for token in tokenize.generate_tokens(io.StringIO(code).readline)
            if token.type == tokenize.COMMENT
        )
    except (tokenize.TokenError, SyntaxError):
        found = [match[1].strip() for match in re.finditer(r"#\s*([^\n]+)", code)]
    return [comment for comment in found if comment]


def _bare(code: str) -> list[str]:
    """The lines of code without comments, blank lines and docstring starts."""
    lines = (line.partition("#")[0].strip() for line in code.splitlines())
    return [line for line in lines if line and not line.startswith(('"""', "'''"))]


def comments(spec: s.Comments, answer: Answer) -> Outcome:
    """Whether the code is unchanged and has comments in the requested language."""
    blocks = [content for _, content in text_counts.fences(answer.text)]
    code = max(blocks, key=len, default=answer.text)
    found = comments_of(code)
    problems = []
    if len(found) < spec.min:
        problems.append(f"{len(found)} comments")
    kept = set(_bare(code))
    lost = [line for line in _bare(spec.code) if line not in kept]
    if lost:
        problems.append(f"{len(lost)} lines of the code changed")
    guess = detect(" . ".join(found)) if found else None
    if found and guess != spec.language:
        problems.append(f"comments look like {NAMES.get(guess or '', 'no known language')}")
    return not problems, "; ".join(problems) or f"{len(found)} comments"


def against_english(english: str, other: str, kind: str) -> Outcome:
    """Whether a translation is as complete as the English answer, and differs from it.

    ``kind`` is ``strings`` or ``comments``. Not applicable if the English answer is unusable.
    """
    if kind == "strings":
        left, right = parse_lenient(english), parse_lenient(other)
        if left is None or not isinstance(left[0], dict):
            return None, "the English answer is not JSON"
        if right is None or not isinstance(right[0], dict):
            return False, "not JSON, unlike the English answer"
        if set(left[0]) != set(right[0]):
            return False, "other keys than the English answer"
        same = sum(left[0][key] == right[0][key] for key in left[0])
        return same <= len(left[0]) // 3, f"{same} of {len(left[0])} strings as in English"
    first = max((c for _, c in text_counts.fences(english)), key=len, default=english)
    second = max((c for _, c in text_counts.fences(other)), key=len, default=other)
    wanted, found = comments_of(first), comments_of(second)
    if not wanted:
        return None, "the English answer has no comments"
    same = len(set(wanted) & set(found))
    is_ok = 2 * len(found) >= len(wanted) and same <= len(wanted) // 3
    return is_ok, f"{len(found)} comments, English has {len(wanted)}, {same} the same"

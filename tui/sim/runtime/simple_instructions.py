"""Simulated answers that follow simple instructions: length, JSON, language, yes or no.

For comparing prompts in the lab: the sentences are fixed, only the form follows the prompt.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable

_SENTENCES: dict[str, tuple[str, ...]] = {
    "English": (
        "The board reads every weight of the model once for each token.",
        "That is why the speed of the memory decides how fast it is.",
        "A shorter answer is the cheapest way to a faster one.",
        "The first token waits for the whole prompt to be read.",
        "Heat is not a problem as long as the fan turns.",
        "This is a simulated answer, and it is made of ready sentences.",
    ),
    "Hungarian": (
        "A lap minden szóhoz egyszer olvassa be a modell összes súlyát.",
        "Ezért a memória sebessége dönti el, hogy milyen gyors a válasz.",
        "A rövidebb válasz a legolcsóbb út a gyorsabbhoz.",
        "Az első szó megvárja, hogy a teljes kérdést elolvassa a gép.",
    ),
    "Vietnamese": (
        "Bo mạch đọc tất cả trọng số của mô hình một lần cho mỗi từ.",
        "Vì vậy tốc độ của bộ nhớ quyết định tốc độ trả lời.",
        "Một câu trả lời ngắn là cách rẻ nhất để nhanh hơn.",
        "Từ đầu tiên phải đợi cho đến khi câu hỏi được đọc xong.",
    ),
    "Chinese": (
        "每生成一个词，主板都要读取一次模型的全部权重。",
        "因此内存的速度决定了回答的速度。",
        "回答越短，速度就越快。",
        "第一个词要等整个问题读完才会出现。",
    ),
    "Arabic": (
        "تقرأ اللوحة كل أوزان النموذج مرة واحدة لكل كلمة.",
        "لذلك تحدد سرعة الذاكرة سرعة الجواب.",
        "الجواب القصير هو أرخص طريق إلى السرعة.",
        "تنتظر الكلمة الأولى حتى تنتهي قراءة السؤال كله.",
    ),
    "German": (
        "Die Platine liest für jedes Wort alle Gewichte des Modells einmal.",
        "Darum entscheidet das Tempo des Speichers über die Antwort.",
        "Eine kürzere Antwort ist der billigste Weg zu einer schnelleren.",
        "Das erste Wort wartet, bis die ganze Frage gelesen ist.",
    ),
}
_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "twelve": 12, "twenty": 20,
}  # fmt: skip
_N = r"(\d{1,4}|" + "|".join(_NUMBERS) + ")"
_UNIT = r"(words?|sentences?|bullet points?|bullets|items)"
_RANGE = re.compile(rf"\b{_N}\s*(?:to|-|–|and)\s*{_N}\s+{_UNIT}\b", re.IGNORECASE)
_LIMIT = re.compile(
    rf"\b(at most|no more than|up to|under|fewer than|less than|at least|exactly|in|with|of)\s+"
    rf"{_N}\s+{_UNIT}\b",
    re.IGNORECASE,
)
_LANGUAGE = re.compile(rf"\b(?:in|into) ({'|'.join(_SENTENCES)})\b", re.IGNORECASE)
_JSON = re.compile(r"\bJSON\b")
_KEY = re.compile(r'["`]([A-Za-z_][A-Za-z0-9_]{0,30})["`]')
_YES_NO = re.compile(r"\byes or no\b", re.IGNORECASE)
MAX_UNITS = 2000


def obeyed(rng: random.Random, prompt: str) -> str | None:
    """An answer in the form that ``prompt`` asks for; None if it asks for none of these forms."""
    if _YES_NO.search(prompt):
        return rng.choice(("Yes", "No"))
    found = _LANGUAGE.search(prompt)
    bank = _SENTENCES["English" if found is None else found[1].capitalize()]
    if _JSON.search(prompt):
        keys = list(dict.fromkeys(_KEY.findall(prompt))) or ["answer"]
        return json.dumps({key: rng.choice(bank) for key in keys}, ensure_ascii=False, indent=2)
    wanted = _length(rng, prompt)
    if wanted is not None:
        count, make = wanted
        return make(rng, bank, min(count, MAX_UNITS))
    return None if found is None else " ".join(_drawn(rng, bank, rng.randint(3, 6)))


_Make = Callable[[random.Random, tuple[str, ...], int], str]


def _length(rng: random.Random, prompt: str) -> tuple[int, _Make] | None:
    """The number and kind of units (words, sentences, bullets) in the last range or limit of the
    prompt; None without one."""
    ranges = list(_RANGE.finditer(prompt))
    if ranges:
        low, high = sorted((_number(ranges[-1][1]), _number(ranges[-1][2])))
        return rng.randint(low, high), _maker(ranges[-1][3])
    limits = list(_LIMIT.finditer(prompt))
    if not limits:
        return None
    word, count = limits[-1][1].lower(), _number(limits[-1][2])
    if word in ("under", "fewer than", "less than"):
        count -= 1
    if word in ("at most", "no more than", "up to", "under", "fewer than", "less than"):
        count = rng.randint(max(1, count // 2), max(1, count))
    elif word == "at least":
        count = rng.randint(count, count + count // 2)
    return max(1, count), _maker(limits[-1][3])


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text.lower()]


def _maker(unit: str) -> _Make:
    kind = unit.lower()
    return _words if kind.startswith("word") else _joined if kind.startswith("sent") else _bullets


def _drawn(rng: random.Random, bank: tuple[str, ...], count: int) -> list[str]:
    """``count`` random sentences; each is used once before any is used again."""
    out: list[str] = []
    while len(out) < count:
        out += rng.sample(bank, len(bank))
    return out[:count]


def _joined(rng: random.Random, bank: tuple[str, ...], count: int) -> str:
    return " ".join(_drawn(rng, bank, count))


def _bullets(rng: random.Random, bank: tuple[str, ...], count: int) -> str:
    return "\n".join(f"- {sentence}" for sentence in _drawn(rng, bank, count))


def _words(rng: random.Random, bank: tuple[str, ...], count: int) -> str:
    words: list[str] = []
    while len(words) < count:
        words += rng.choice(bank).split()
    text = " ".join(words[:count]).rstrip(".,;:。")
    return text + ("。" if bank is _SENTENCES["Chinese"] else ".")

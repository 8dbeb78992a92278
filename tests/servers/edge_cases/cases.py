"""The 25 edge cases of the protocols, and where one does not apply to a server, with the reason."""

from __future__ import annotations

from tui.servers.detect import KINDS

DIALECTS = tuple(KINDS)

CASES = {
    1: "bytes cut anywhere, CR LF, two events in one read",
    2: "comments before the first token",
    3: "events without text before the first token",
    4: "usage null in every chunk",
    5: "numbers in a chunk of their own, in the last, beside it",
    6: "an error inside the stream, without [DONE]",
    7: "the stream ends without an end",
    8: "the server's own JSON of an error",
    9: "a web page instead of an answer",
    10: "one JSON object instead of a stream",
    11: "every event repeats all before it",
    12: "a character in each chunk",
    13: "ms and ns under one name",
    14: "words counted as tokens",
    15: "numbers of the answer before, zeros, none",
    16: "marks of thinking split, missing, doubled",
    17: "the answer sent a second time",
    18: "an error that comes as text",
    19: "no text at all, and a clean finish",
    20: "a finish that does not say what happened",
    21: "busy: refused, queued, hanging",
    22: "stopped while it thinks or answers, then asked again",
    23: "settings and names that a server does not take",
    24: "the conversation reaches the model",
    25: "models listed, loaded, swapped",
}

_NO_USAGE = "no numbers in its streams"
_NO_TIMES = "it reports no times"
_NO_LOAD = "no route to load a model"
_TOKENS = "its chunks are tokens"

_REASONS: dict[int, dict[str, str]] = {
    4: {
        **dict.fromkeys(DIALECTS, "no usage in its chunks of text"),
        "rockchipllama": "",
        "openai": "",
        "rkllm": "",
    },
    5: {"rkllm-demo": _NO_USAGE, "rkllm-chat": _NO_USAGE},
    6: {
        "rkllm-demo": "it never reports an error in a stream",
        "rkllama": "its errors come as text: case 18",
        "rkllm-api-server": "its word for an error is a finish: case 20",
    },
    11: {**dict.fromkeys(DIALECTS, "its events hold what is new"), "rkllm-chat": ""},
    12: {**dict.fromkeys(DIALECTS, _TOKENS), "rkllm-demo": "", "rkllm-chat": ""},
    13: dict.fromkeys(
        ("rockchipllama", "rkllm-api-server", "rkllm-demo", "rkllm-chat", "rkllm", "openai"),
        _NO_TIMES,
    ),
    14: dict.fromkeys(
        ("rkllama", "orkllm", "rkllm-api-server", "llama.cpp", "ollama"),
        "its counts are the runtime's",
    )
    | {"rkllm-chat": "no numbers at all"},
    15: {
        "rockchipllama": "its usage is never read",
        "rkllm": "its usage is never read",
        "rkllm-demo": _NO_USAGE,
        "rkllm-chat": _NO_USAGE,
    },
    17: {**dict.fromkeys(DIALECTS, "it sends nothing twice"), "rkllama": ""},
    18: {**dict.fromkeys(DIALECTS, "its errors are no text"), "rkllama": ""},
    25: dict.fromkeys(
        ("rkllm-demo", "rkllm-chat", "llama.cpp", "rkllm", "openai", "ollama"), _NO_LOAD
    )
    | {"orkllm": "loading needs its administrator"},
}


def not_applicable(case: int, dialect: str) -> str:
    """Why this case cannot happen there; empty where it can."""
    return _REASONS.get(case, {}).get(dialect, "")


def concerned(case: int) -> list[str]:
    """The dialects in which a case is run."""
    return [dialect for dialect in DIALECTS if not not_applicable(case, dialect)]

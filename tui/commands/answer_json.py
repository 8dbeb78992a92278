"""Writes an answer as one line of JSON, in pieces, so that a long text is held only once."""

from __future__ import annotations

import json
from typing import TextIO

from tui.core.turn.growing_text import without_end_blanks
from tui.core.turn.result import result_of
from tui.core.turn.turn import Turn

SLICE_CHARS = 1 << 16


def write_answer(turn: Turn, now_ns: int, server: str | None, out: TextIO) -> None:
    """The object of :meth:`TurnResult.to_json_dict` in one line. Non-ASCII characters are escaped
    unless ``out`` can encode all of them.
    """
    encoding = (out.encoding or "ascii").lower().replace("-", "").replace("_", "")
    encoder = json.JSONEncoder(ensure_ascii=encoding != "utf8")
    values = result_of(turn, now_ns, server, has_words=False).to_json_dict()
    texts = {"text": turn.parts("text"), "thinking": without_end_blanks(turn.parts("thinking"))}
    out.write("{")
    for name, parts in texts.items():
        out.write(f'"{name}": "')
        for part in parts:
            slices = (part[at : at + SLICE_CHARS] for at in range(0, len(part), SLICE_CHARS))
            out.writelines(encoder.encode(text)[1:-1] for text in slices)
        out.write('", ')
    rest = {name: value for name, value in values.items() if name not in texts}
    out.write(encoder.encode(rest)[1:] + "\n")
    out.flush()

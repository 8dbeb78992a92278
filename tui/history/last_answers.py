"""Reads the newest answers of all conversations.

Takes any connection and raises sqlite3.Error.
"""

from __future__ import annotations

import sqlite3

from tui.core.screen.last_answers import LastAnswer
from tui.core.text.sanitize import clean_line
from tui.history.turn_json import decode_origin

MAX_PROMPT_CHARS = 120
SURE = ("measured", "runtime")

_LAST = """
SELECT a.id, p.created_ms, a.decode_tps, a.decode_source, substr(b.text, 1, ?), o.json,
    a.status
FROM turns AS a
    JOIN turns AS p ON p.id = a.parent JOIN bodies AS b ON b.turn = p.id
    JOIN conversations AS c ON c.id = a.conversation
    LEFT JOIN origins AS o ON o.id = a.origin
WHERE a.role = 'assistant' AND c.deleted_ms IS NULL AND coalesce(a.status, '') != 'running'
ORDER BY a.id DESC LIMIT ?
"""


def last_answers(connection: sqlite3.Connection, limit: int) -> list[LastAnswer]:
    """The newest first."""
    found = []
    for number, asked_ms, rate_tps, source, prompt, origin_json, status in connection.execute(
        _LAST, (MAX_PROMPT_CHARS, limit)
    ):
        origin = decode_origin(origin_json)
        found.append(
            LastAnswer(
                asked_ms=asked_ms,
                prompt=clean_line(str(prompt)),
                model=None if origin is None else clean_line(origin.model) or None,
                rate_tps=rate_tps,
                is_estimated=source not in SURE,
                number=number,
                status=status,
            )
        )
    return found

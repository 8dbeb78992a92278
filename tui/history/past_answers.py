"""Reads the numbers of a model's earlier answers, for forecasts."""

from __future__ import annotations

import sqlite3

from tui.core.expect.past_answer import Conditions, PastAnswer, conditions_of, past_answer
from tui.core.turn.model_key import ModelKey, host_of
from tui.history.board_samples import unpack_samples
from tui.history.records import Origin
from tui.history.turn_json import decode_numbers, decode_origin, decode_settings

NEWEST = 200

_ANSWERS = """
SELECT t.id, t.created_ms, t.status, b.numbers, p.json, q.parent IS NOT NULL
FROM turns AS t JOIN bodies AS b ON b.turn = t.id
    JOIN conversations AS c ON c.id = t.conversation AND c.deleted_ms IS NULL
    LEFT JOIN turns AS q ON q.id = t.parent
    LEFT JOIN parameters AS p ON p.id = t.parameters
WHERE t.role = 'assistant' AND t.status <> 'running' AND t.origin IN
"""


def key_of(origin: Origin) -> ModelKey:
    """Which model on which machine gave an answer."""
    return ModelKey(origin.model, host_of(origin.url or ""), origin.is_simulated)


def models(connection: sqlite3.Connection) -> dict[ModelKey, list[int]]:
    """Every model that answered, with the ids of its origins; the one used last comes first."""
    rows = connection.execute(
        "SELECT o.id, o.json, max(t.id) AS last FROM origins AS o JOIN turns AS t"
        " ON t.origin = o.id GROUP BY o.id ORDER BY last DESC"
    )
    found: dict[ModelKey, list[int]] = {}
    for number, json, _ in rows:
        origin = decode_origin(json)
        if origin is not None:
            found.setdefault(key_of(origin), []).append(int(number))
    return found


def past_answers(
    connection: sqlite3.Connection,
    key: ModelKey,
    *,
    newest: int = NEWEST,
    has_conditions: bool = False,
) -> list[PastAnswer]:
    """The newest answers of that model on that machine, oldest first. Raises sqlite3.Error.

    With ``has_conditions`` the board's clocks are looked up in its samples where an answer was kept
    without them: a millisecond for each of these answers.
    """
    origins = models(connection).get(key, [])
    if not origins:
        return []
    marks = ", ".join("?" * len(origins))
    rows = connection.execute(
        f"{_ANSWERS} ({marks}) ORDER BY t.id DESC LIMIT ?", (*origins, newest)
    ).fetchall()
    found = []
    for number, created_ms, status, numbers, parameters, is_follow_up in reversed(rows):
        values = decode_numbers(numbers) or {}
        settings = decode_settings(parameters)
        if has_conditions and "conditions" not in values:
            ttft_ms = values.get("ttft_ms")
            first_ns = round(ttft_ms * 1e6) if isinstance(ttft_ms, int | float) else 0
            values["conditions"] = _conditions(connection, number, first_ns).to_json_dict()
        found.append(
            past_answer(
                values,
                created_ms=created_ms,
                status=status,
                is_follow_up=bool(is_follow_up),
                is_thinking=settings is not None and settings.is_thinking,
            )
        )
    return found


def _conditions(connection: sqlite3.Connection, answer: int, first_ns: int) -> Conditions:
    row = connection.execute("SELECT board FROM traces WHERE turn = ?", (answer,)).fetchone()
    try:
        samples = [] if row is None else unpack_samples(row[0])
    except ValueError:
        samples = []
    return conditions_of([(sample.t_ns, sample.values) for sample in samples], first_ns)

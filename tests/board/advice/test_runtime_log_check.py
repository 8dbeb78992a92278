from __future__ import annotations

import pytest

from tui.board.advice.runtime_log_check import runtime_log_check
from tui.board.runtime_log.source import LogSource


@pytest.mark.parametrize(
    ("source", "status", "words", "command"),
    [
        (None, "note", "cannot be seen", None),
        (LogSource("none", "", 7, None, "it goes to a terminal"), "note", "a terminal", None),
        (LogSource("file", "/proc/7/fd/1", 7, True), "ok", "is set", None),
        (LogSource("file", "/proc/7/fd/1", 7, False), "note", "RKLLM_LOG_LEVEL=1", None),
        (
            LogSource("file", "/proc/7/fd/1", 7, True, user_path="/home/me/nohup.out"),
            "ok",
            "the file /home/me/nohup.out",
            None,
        ),
        (LogSource("docker", "ab" * 32), "note", "docker logs abababababab", None),
        (LogSource("podman", "ab" * 32, 7, False), "note", "-e RKLLM_LOG_LEVEL=1", None),
        (
            LogSource("journal", "rkllm-api.service", 7, False),
            "note",
            "Environment=RKLLM_LOG_LEVEL=1",
            "sudo systemctl edit rkllm-api.service",
        ),
        (
            LogSource("user-journal", "rkllama.service", 7, None),
            "note",
            "cannot be seen",
            "systemctl --user edit rkllama.service",
        ),
    ],
)
def test_where_the_log_is_and_what_to_set(
    source: LogSource | None, status: str, words: str, command: str | None
) -> None:
    check = runtime_log_check(source)
    assert (check.status, check.command) == (status, command)
    assert words in check.detail


def test_a_hostile_name_stays_on_its_line() -> None:
    check = runtime_log_check(LogSource("journal", "a\x1b[2J\n.service", 7, False))
    assert "\x1b" not in f"{check.detail}{check.command}"
    assert "\n" not in f"{check.detail}{check.command}"

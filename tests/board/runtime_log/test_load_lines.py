"""The lines of a model load, out of a file, a journal and a container."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.board.runtime_log.test_containers import ID
from tui.board.advice.runtime_log_check import load_check
from tui.board.readers.files import Files
from tui.board.runtime_log.load_lines import END_BYTES, facts_of_load
from tui.board.runtime_log.source import LogSource
from tui.core.board.load_facts import LoadFacts, cpu_ranges
from tui.core.text.sanitize import is_forbidden

LOAD = [
    "I rkllm: rkllm-runtime version: 1.2.3, rknpu driver version: 0.9.8, platform: RK3588",
    "I rkllm: loading rkllm model from /models/qwen3-4b.rkllm",
    "I rkllm: rkllm-toolkit version: 1.2.1, max_context_limit: 4096, npu_core_num: 3, "
    "target_platform: RK3588, model_dtype: W8A8",
    "I rkllm: Enabled cpus: [4, 5, 6, 7]",
]
OLDER = [line.replace("1.2.3", "1.1.4") for line in LOAD]
SAID = (
    "runtime 1.2.3, NPU driver 0.9.8, platform RK3588, toolkit 1.2.1, context limit 4,096, "
    "NPU cores 3, data type W8A8, CPUs 4-7"
)


def no_program(command: Sequence[str]) -> bytes:
    raise AssertionError(command)


@pytest.mark.parametrize("n_bytes", [0, END_BYTES - 100, 3 * END_BYTES])
def test_the_last_load_of_a_file(tmp_path: Path, n_bytes: int) -> None:
    log = tmp_path / "server.log"
    between = "a line of the server\n" * (n_bytes // 21)
    log.write_text("\n".join(OLDER) + "\n" + between + "\n".join(LOAD) + "\n")
    found = facts_of_load(Files(), LogSource("file", str(log)), no_program)
    assert (found.line, found.source) == (SAID, f"the file {log}")
    log.write_text("\n".join(LOAD) + "\n" + between)
    assert facts_of_load(Files(), LogSource("file", str(log)), no_program).line == SAID


def test_the_journal_is_asked_for_these_lines_alone() -> None:
    asked: list[Sequence[str]] = []

    def journal(command: Sequence[str]) -> bytes:
        asked.append(command)
        return b"\n".join(json.dumps({"MESSAGE": line}).encode() for line in LOAD)

    found = facts_of_load(Files(), LogSource("journal", "rkllm.service"), journal)
    assert (found.line, found.source) == (SAID, "the journal of rkllm.service")
    assert "--unit=rkllm.service" in asked[0]
    assert any(word.startswith("--grep=") for word in asked[0])


def test_a_container() -> None:
    stamped = "\n".join(f"2026-11-26T10:00:05.25Z {line}\r" for line in LOAD).encode()
    found = facts_of_load(Files(), LogSource("docker", ID), lambda _: stamped)
    assert (found.line, found.source) == (SAID, f"docker logs {ID[:12]}")


def fails(command: Sequence[str]) -> bytes:
    raise subprocess.CalledProcessError(1, list(command))


@pytest.mark.parametrize("kind", ["file", "journal", "user-journal", "docker", "podman", "none"])
def test_what_cannot_be_read_is_not_known(kind: str, tmp_path: Path) -> None:
    source = LogSource(kind, str(tmp_path / "absent"))  # type: ignore[arg-type]
    found = facts_of_load(Files(), source, fails)
    assert not found.is_known
    assert load_check(found) is None


def test_the_check_of_doctor_is_one_safe_sentence(tmp_path: Path) -> None:
    name = str(tmp_path / "evil\x1b[2J\u202e.log")
    check = load_check(LoadFacts(runtime="1.2.3", cpus=(0, 1, 4), source=f"the file {name!r}"))
    assert check is not None
    assert check.detail.startswith("Runtime 1.2.3, CPUs 0-1, 4; from the file ")
    log = Path(name)
    log.write_text("\n".join(LOAD))
    shown = facts_of_load(Files(), LogSource("file", name), no_program).source
    assert not any(is_forbidden(char) for char in shown)


@pytest.mark.parametrize(
    ("cpus", "said"),
    [((), ""), ((3,), "3"), ((7, 6, 5, 4), "4-7"), ((0, 1, 4, 6, 7), "0-1, 4, 6-7")],
)
def test_ranges_of_processors(cpus: tuple[int, ...], said: str) -> None:
    assert cpu_ranges(cpus) == said

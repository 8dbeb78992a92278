"""Several servers and models in a real terminal: what is shown, chosen, remembered and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.sim.simulator import running as simulator
from tests.terminal.pty_terminal import PtyTerminal
from tui.sim.server.spawn import Simulator

pytestmark = pytest.mark.slow

FAST = ("--decode-tps", "200", "--prefill-tps", "4000", "--speed", "5")


@pytest.fixture
def two() -> Iterator[tuple[Simulator, Simulator]]:
    """RockchipLlama and Ollama."""
    with ExitStack() as stack:
        yield (
            stack.enter_context(simulator(*FAST)),
            stack.enter_context(simulator(*FAST, "--dialect", "ollama")),
        )


def ports(*servers: Simulator) -> dict[str, str | None]:
    return {"NPULSE_SERVER__PORTS": ",".join(one.url.rpartition(":")[2] for one in servers)}


def open_models(terminal: PtyTerminal) -> None:
    terminal.keys("f2")
    terminal.wait_for("answers the next prompt")


def close_models(terminal: PtyTerminal) -> None:
    terminal.keys("escape")
    terminal.wait_for(lambda terminal: "Enter use" not in terminal.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_f2_lists_servers_and_models_and_the_choice_answers(
    tmp_path: Path, two: tuple[Simulator, Simulator], size: tuple[int, int]
) -> None:
    rockchip, ollama = two
    port = ollama.url.rpartition(":")[2]
    with running(tmp_path, size=size, env=ports(*two)) as terminal:
        terminal.wait_for(f"Also answering: Ollama :{port}; F2 chooses.")
        open_models(terminal)
        terminal.wait_for("qwen3:0.6b")
        assert f"RockchipLlama :{rockchip.url.rpartition(':')[2]}" in terminal.text()
        terminal.keys("down", "down")
        terminal.keys("enter")
        terminal.wait_for("qwen3:0.6b answers the next prompt")
        close_models(terminal)
        terminal.wait_for("qwen3:0.6b is loaded with the first prompt on Ollama")
        terminal.type("hello [[tokens=12]]")
        terminal.keys("enter")
        terminal.wait_for("12 tokens")


def test_a_model_that_is_not_there_is_one_sentence_and_the_prompt_stays(tmp_path: Path) -> None:
    with (
        simulator(*FAST, "--dialect", "ollama") as board,
        running(tmp_path, "--url", board.url, "--model", "qwen3") as terminal,
    ):
        terminal.wait_for("The server has no model 'qwen3'; did you mean")
        terminal.type("a long prompt")
        terminal.keys("enter")
        terminal.wait_quiet()
        assert "> a long prompt" in terminal.text()
        terminal.keys("f2")
        terminal.wait_for("qwen3:0.6b")
        terminal.keys("enter")
        terminal.wait_for("answers the next prompt")
        close_models(terminal)
        terminal.keys("enter")
        terminal.wait_for("tok/s  TTFT")


def test_the_wanted_model_answers(tmp_path: Path) -> None:
    with (
        simulator(*FAST, "--dialect", "ollama") as board,
        running(tmp_path, "--url", board.url, "--model", "gemma3:270m") as terminal,
    ):
        terminal.wait_for("gemma3:270m is loaded with the first prompt on Ollama")


def test_the_chosen_server_is_the_one_of_the_next_start(
    tmp_path: Path, two: tuple[Simulator, Simulator]
) -> None:
    ollama = two[1]
    state = tmp_path / "state" / "npulse" / "state.json"
    state.parent.mkdir(parents=True)
    kept = {"version": 1, "server": ollama.url, "models": {ollama.url: "gemma3:1b"}}
    state.write_text(json.dumps(kept))
    with running(tmp_path, env=ports(*two)) as terminal:
        terminal.wait_for(" on Ollama")
        open_models(terminal)
        text = terminal.text()
        assert text.index("Ollama :") < text.index("RockchipLlama :")


def test_since_when_a_server_is_gone_stands_at_the_top(tmp_path: Path) -> None:
    with ExitStack() as stack:
        board = stack.enter_context(simulator(*FAST))
        terminal = stack.enter_context(running(tmp_path, size=(80, 24), env=ports(board)))
        terminal.wait_for("is ready on")
        board.stop()
        terminal.wait_for("unreachable since ")
        assert "(0:" in terminal.text().splitlines()[0]
        terminal.resize(120, 40)
        terminal.wait_for(lambda terminal: "RockchipLlama :" in terminal.text().splitlines()[0])

"""The dashboard of another machine: chat and board over a real sshd, in a real terminal."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.remote.sshd import needs_sshd, ssh_in_path, sshd
from tests.sim.simulator import FAST
from tests.sim.simulator import running as simulator
from tests.terminal.pty_terminal import PtyTerminal

pytestmark = [needs_sshd, pytest.mark.slow]


SERVER = re.compile(r"RockchipLlama (?:at )?(\S*:\d+)")


def is_named(terminal: PtyTerminal, words: str, place: str) -> bool:
    seen = terminal.text()
    return words in seen and set(SERVER.findall(seen)) == {place}


def is_gone(terminal: PtyTerminal, words: str) -> bool:
    return words not in terminal.text()


def is_connected(terminal: PtyTerminal) -> bool:
    return re.search(r"ssh kitchen \d+ ms", terminal.text()) is not None


def test_chat_and_board_of_another_machine(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "config" / "npulse").mkdir(parents=True)
    with simulator(*FAST) as sim, sshd(tmp_path / "sshd") as there:
        (home / "config" / "npulse" / "config.toml").write_text(
            f'[boards]\nkitchen = {{ ssh = "{there.address.shown}", server = "{sim.url}" }}\n'
        )
        env: dict[str, str | None] = {"PATH": ssh_in_path(tmp_path / "bin", there)}
        with running(home, "--board", "kitchen", env=env) as terminal:
            terminal.wait_for(is_connected)
            place = f"kitchen:{sim.url.rpartition(':')[2]}"
            terminal.wait_for(f"RockchipLlama {place}")
            # Models, benchmarks, clients: none names the forwarded port of this machine.
            for key, words in (
                (b"\x1bOQ", "data type"),
                (b"\x1bOR", "suite"),
                (b"\x1b[20~", "tap"),
            ):
                terminal.send(key)
                terminal.wait_for(partial(is_named, words=words, place=place))
                terminal.send(b"\x1b")
                terminal.wait_for(partial(is_gone, words=words))
            terminal.send(b"Hello\r")
            terminal.wait_for(
                lambda seen: "  done" in seen.text() and "tokens   ~" in seen.text(), 60
            )
            there.stop()
            terminal.wait_for("ssh kitchen lost for")
            there.start()
            terminal.wait_for(is_connected)
            terminal.wait_for("RockchipLlama kitchen:")
            terminal.send(b"\x11")
            assert terminal.wait_gone() == 0


def test_what_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    for arguments, code, said in (
        (("--board", "kitchen"), 2, "the name of a board in [boards]"),
        (("--board", "ssh://x", "--demo"), 2, "goes with neither --demo nor --root"),
        (("--board", "ssh://127.0.0.1:9"), 5, "was not reached"),
    ):
        with running(tmp_path, *arguments) as terminal:
            assert terminal.wait_gone() == code
            assert said in " ".join(terminal.text().split())

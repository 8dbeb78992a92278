"""Several boards at once over a real sshd: what each shows, and which is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.remote.sshd import needs_sshd, sshd
from tests.sim.simulator import running as simulator
from tests.waiting import wait_until
from tui.core.screen.fleet import BoardRow, by_what_is_wrong
from tui.remote.fleet import Fleet

pytestmark = pytest.mark.slow

CONNECTED = BoardRow("a", "ssh://a", state="connected", npu_pct=0.0, throttle="none")


@needs_sshd
def test_boards_with_their_servers_and_one_that_is_gone(tmp_path: Path) -> None:
    with simulator(has_root=True) as sim, sshd(tmp_path) as there:
        assert sim.root is not None
        good = replace(there.address, name="good", server_url=sim.url, root=str(sim.root))
        mute = replace(there.address, name="mute", server_url="http://127.0.0.1:9")
        gone = replace(there.address, name="gone", host="127.0.0.1", port=9)
        fleet = Fleet([good, mute, gone], (), there.options, interval_s=0.2)
        fleet.start()
        try:
            wait_until(lambda: bool(row(fleet, "good").model))
            wait_until(lambda: row(fleet, "gone").state == "lost")
            wait_until(lambda: row(fleet, "mute").wrong[0] == "bad")
            first = row(fleet, "good")
            assert (first.model, first.npu_pct) == ("qwen3-4b", 0.0)
            assert first.board.startswith("RK3588")
            assert first.wrong == ("none", "")
            assert first.way.startswith("npulse is not installed there")
            assert (first.rate, first.queue) == ("", None)
            folder = sim.root / "run" / "npulse-tap"
            folder.mkdir(parents=True)
            (folder / "now.json").write_bytes(
                b'{"pid": 4242, "phase": "answering", "rate_tps": 3.127, "n_queued": 2}'
            )
            wait_until(lambda: row(fleet, "good").rate != "")
            told = row(fleet, "good")
            assert (told.rate, told.queue, told.npu_phase) == ("~3.13", 2, "decode")
            assert "Connection refused" in row(fleet, "gone").wrong[1]
            assert [one.name for one in fleet.rows()] == ["mute", "gone", "good"]
        finally:
            fleet.close()


def row(fleet: Fleet, name: str) -> BoardRow:
    return next(one for one in fleet.rows() if one.name == name)


def test_the_worst_comes_first_with_its_reason() -> None:
    wrong = {
        "lost": replace(CONNECTED, state="lost", problem="ssh://a was not reached: no route"),
        "ram": replace(CONNECTED, ram_available_bytes=float(100 << 20)),
        "heat": replace(CONNECTED, throttle="throttling"),
        "hot": replace(CONNECTED, temperature_c=91.0),
        "server": replace(CONNECTED, server_problem="no server"),
        "new": replace(CONNECTED, state="connecting"),
        "limit": replace(CONNECTED, throttle="limited by user"),
        "busy": replace(CONNECTED, is_server_busy=True),
        "slow": replace(CONNECTED, latency_ms=812.3),
        "old": replace(
            CONNECTED, way="npulse there is 0.0.9, and 0.1.0 here: a loop", is_other_version=True
        ),
        "blind": replace(CONNECTED, npu_pct=None, npu_reason="no permission"),
        "well": CONNECTED,
    }
    said = {name: one.wrong for name, one in wrong.items()}
    assert said == {
        "lost": ("bad", "no route"),
        "ram": ("bad", "RAM: 100 MiB left"),
        "heat": ("bad", "clocks are held down by heat"),
        "hot": ("bad", "hot: 91 °C"),
        "server": ("bad", "no server"),
        "new": ("note", "connecting"),
        "limit": ("note", "clocks are limited by a setting"),
        "busy": ("note", "server busy"),
        "slow": ("note", "slow connection: 812 ms"),
        "old": ("note", "npulse there is 0.0.9"),
        "blind": ("note", "NPU load: no permission"),
        "well": ("none", ""),
    }
    named = [replace(one, name=name) for name, one in reversed(wrong.items())]
    assert [one.name for one in by_what_is_wrong(named)] == [
        "server", "hot", "heat", "ram", "lost", "blind", "old", "slow", "busy", "limit", "new",
        "well",
    ]  # fmt: skip

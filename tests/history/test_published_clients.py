"""What a service's tap tells other users' dashboards."""

from __future__ import annotations

import os
import stat
import tempfile
from dataclasses import replace
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.history.test_client_requests import OVER, RUNNING
from tui.app.clients_watch import ClientsWatch
from tui.history.published_clients import PublishedClients, publish, published


def test_every_user_may_read_it_and_no_texts_are_in_it(tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    spoken = replace(OVER, prompt="secret words", answer="secret answer", note="\x1b]0;title\x07x")
    publish(file, PublishedClients(os.getpid(), (RUNNING,), (spoken,)))
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert b"secret" not in file.read_bytes()
    found = published(file)
    assert found is not None
    assert found.running[0].client == RUNNING.client
    assert found.newest[0].ttft_ms == OVER.ttft_ms
    assert "\x1b" not in (found.newest[0].note or "")
    view = ClientsWatch(lambda: None, lambda: None, lambda: None, lambda: None, file).look()
    assert (view.tap_pid, len(view.running), len(view.newest)) == (os.getpid(), 1, 1)


def test_one_of_a_process_that_is_gone_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "clients.json"
    publish(file, PublishedClients(2**22 + 1, (RUNNING,)))
    view = ClientsWatch(lambda: None, lambda: None, lambda: None, lambda: None, file).look()
    assert (view.tap_pid, view.running) == (None, ())


@given(data=st.binary(max_size=100))
def test_what_cannot_be_read_is_nothing(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clients.json"
        path.write_bytes(data)
        assert published(path) is None

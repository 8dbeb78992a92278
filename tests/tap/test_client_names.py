"""Who a client is, by its address."""

from __future__ import annotations

import os
import socket

from tui.tap.client_names import ClientNames


def test_a_program_of_this_machine_is_named_with_its_process() -> None:
    names = ClientNames()
    with socket.create_server(("127.0.0.1", 0)) as server:
        for _ in range(2):
            with socket.create_connection(server.getsockname()) as client:
                host, port = client.getsockname()
                found = names.name(host, port)
                assert (found.host, found.port, found.pid) == (host, port, os.getpid())
                assert found.process


def test_one_of_another_machine_is_its_address() -> None:
    found = ClientNames().name("203.0.113.9", 40000)
    assert (found.label, found.process) == ("203.0.113.9", None)

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


def test_a_program_of_this_machine_has_no_address_in_its_name_whichever_it_came_from() -> None:
    names = ClientNames()
    own = ("127.0.0.2", 0)
    with (
        socket.create_server(own) as server,
        socket.create_connection(server.getsockname(), source_address=own) as client,
    ):
        found = names.name(*client.getsockname())
    assert found.process
    assert found.label == found.process


def test_one_of_another_machine_is_its_address() -> None:
    found = ClientNames().name("203.0.113.9", 40000)
    assert (found.label, found.process) == ("203.0.113.9", None)

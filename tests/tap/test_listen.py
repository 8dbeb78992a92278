"""Whether the server behind a tap is the tap itself."""

from __future__ import annotations

import socket

import pytest

from tui.tap.listen import is_own, target_of

FAR = "203.0.113.9"
"""Of no machine: an address for documents."""


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_tap_on_the_loopback_is_at_every_address_that_leads_there(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert is_own(target_of(f"http://{host}:{port}"), [listener])
        assert not is_own(target_of(f"http://{host}:{port + 1}"), [listener])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "[::ffff:127.0.0.1]"])
def test_a_tap_on_every_address_is_at_each_of_this_machine(host: str) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        assert is_own(target_of(f"http://{host}:{port}"), [listener])


def test_a_server_elsewhere_on_the_same_port_is_not_the_tap() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_own(target_of(f"http://{FAR}:{port}"), [listener])


def test_a_server_beside_the_tap_on_the_same_port_is_not_the_tap() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_own(target_of(f"http://127.0.0.2:{port}"), [listener])


@pytest.mark.skipif(not socket.has_ipv6, reason="without IPv6")
def test_it_is_the_same_with_ipv6() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with listener:
        port = listener.getsockname()[1]
        assert is_own(target_of(f"http://[::]:{port}"), [listener])
        assert not is_own(target_of(f"http://127.0.0.1:{port}"), [listener])

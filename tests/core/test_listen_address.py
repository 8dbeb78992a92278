"""``--listen`` as it is typed, and who reaches such an address."""

from __future__ import annotations

import pytest

from tui.core.listen_address import is_loopback, listen_address


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("127.0.0.1:8090", "127.0.0.1:8090"),
        (" board:0 ", "board:0"),
        (":8090", "127.0.0.1:8090"),
        ("8090", "127.0.0.1:8090"),
        ("[::1]:8090", "[::1]:8090"),
        ("http://localhost:8090/", "localhost:8090"),
    ],
)
def test_an_address_is_taken_as_people_type_it(typed: str, shown: str) -> None:
    assert listen_address(typed).shown == shown


@pytest.mark.parametrize(
    "typed", ["", "board", "board:", ":65536", "::1:80", "a b:c", "1:2:3", "-1"]
)
def test_anything_else_is_one_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match="takes HOST:PORT"):
        listen_address(typed)


@pytest.mark.parametrize(
    ("host", "is_own"),
    [
        ("127.0.0.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("::", False),
        ("0.0.0.0", False),
        ("fe80::1%eth0", False),
        ("192.168.1.7", False),
    ],
)
def test_only_the_loopback_is_closed_to_other_machines(host: str, is_own: bool) -> None:
    assert is_loopback(host) is is_own

"""Addresses: pasted endpoints, secrets, and what is this machine."""

from __future__ import annotations

import random
import socket
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.servers.address import ENDPOINTS, is_local, local_port, masked, normalised_url, shown_url
from tui.servers.connection_state import Server
from tui.servers.dialects import openai


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize(
    "form", ["{}", "{}/", "{}?a=b", "{}#x", " {} ", '"{}"', "<{}>", "'{}',", "({})."]
)
@pytest.mark.parametrize("base", ["http://board:8021", "https://board/llm", "http://[::1]:8021"])
def test_an_endpoint_stands_for_its_server(base: str, endpoint: str, form: str) -> None:
    assert normalised_url(form.format(base + endpoint)) == base


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("board:8021/v1/chat/completions", "http://board:8021"),
        ("http://board:8021//v1//models//", "http://board:8021"),
        ("HTTP://Board:8021/V1/Chat/Completions", "http://board:8021"),
        ("http://board/llm/v1/chat/completions", "http://board/llm"),
        ("http://board/v1beta", "http://board/v1beta"),
        ("http://board/chatty", "http://board/chatty"),
        ("http://board:80", "http://board"),
        ("::1", "http://[::1]"),
        ("[::1]:8021", "http://[::1]:8021"),
        ("::1:8021", "http://[::1]:8021"),
        ("http://::1:8021/v1", "http://[::1]:8021"),
        ("fe80::1", "http://[fe80::1]"),
        ("http://böard:8021", "http://xn--bard-5qa:8021"),
        ("http://board:8021/?api_key=secret", "http://board:8021"),
    ],
)
def test_pasted(pasted: str, expected: str) -> None:
    assert normalised_url(pasted) == expected
    assert normalised_url(expected) == expected


@pytest.mark.parametrize(
    "text",
    [
        "http:/board",
        "board:port",
        "http://[::1",
        "http://[board]:1",
        "http://a b",
        "http://a\x1b[31m",
        "$NPULSE_URL",
        "http://board:0",
        "http://board:99999999999999999999",
        "http://" + "x" * 3000,
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="give http://HOST:PORT") as refused:
        normalised_url(text)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize(
    "text",
    [
        "http://me:hunter2@board:8021",
        "me:hunter2@board:8021",
        "https://hunter2@board/v1?x=y",
        "http://me:hun/ter2@board",
        "ftp://me:hunter2@board",
    ],
)
def test_a_password_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="give http://HOST:PORT") as refused:
        normalised_url(text)
    assert "hun" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://board/x?api_key=hunter2",
        "http://board/x?a=b&token=hunter2#y",
        "http://me:hunter2@board/x?access_token=hunter2",
        "//hunter2@board",
        "http://board?X-Api-Key=hunter2&b=c",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "hunter2" not in shown_url(text)
    assert "board" in shown_url(text)
    assert "***" in shown_url(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("as ssh://user@board or ssh://user@board:2222.", None),
        ("not 'ssh://me@kitchen'", None),
        ("ssh://me:hunter2@board was not reached", "ssh://***@board was not reached"),
        ("ssh://me@hunter2:x@board", "ssh://***@board"),
        ("ssh://me:hun@ter2@board", "ssh://***@board"),
        ("http://hunter2@board", "http://***@board"),
    ],
)
def test_the_user_of_an_ssh_address_is_no_secret(said: str, shown: str | None) -> None:
    assert masked(said) == (said if shown is None else shown)


def test_what_is_no_secret_is_shown() -> None:
    url = "http://board:8021/llm?monkey=1"
    assert shown_url(url) == url


@given(st.text(max_size=200))
@example("0\u3002")  # IDNA's own full stop
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    try:
        url = normalised_url(text)
    except ValueError:
        return
    assert normalised_url(url) == url
    assert is_local(url) in (True, False)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.8.9.1", "127.1", "localhost", "LOCALHOST.", "npulse.localhost",
        "0.0.0.0", "0", "[::]", "[::1]", "[::ffff:127.0.0.1]", socket.gethostname(),
        f"{socket.gethostname().partition('.')[0]}.local",
    ],
)  # fmt: skip
def test_this_machine(host: str) -> None:
    assert is_local(f"http://{host}:8021")
    assert is_local(f"http://{host}")
    assert local_port(f"http://{host}:8021") == 8021


def own_addresses() -> list[str]:
    """The addresses of this machine's interfaces, from the kernel's own table."""
    try:
        lines = Path("/proc/net/fib_trie").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    return sorted({before.split()[-1] for before, line in pairwise(lines) if "host LOCAL" in line})


def test_the_addresses_of_its_interfaces_are_this_machine() -> None:
    for address in own_addresses():
        assert is_local(f"http://{address}:8021"), address


@pytest.mark.parametrize(
    "url",
    [
        "http://192.0.2.7:8021", "http://board.invalid:8021", "http://[2001:db8::7]:8021", "",
        "http://", "http://[", "http://255.255.255.255", "http://224.0.0.1",
        "http://localhost.example.org:8021", "http://x" + "y" * 300,
    ],
)  # fmt: skip
def test_another_machine(url: str) -> None:
    assert not is_local(url)
    assert local_port(url) is None


@pytest.mark.parametrize(
    ("url", "label"),
    [
        ("http://127.0.0.1:8021", "X :8021"),
        ("http://0.0.0.0:8021", "X :8021"),
        ("http://[::1]:8021", "X :8021"),
        ("http://192.0.2.7:8021", "X 192.0.2.7:8021"),
        ("http://[2001:db8::7]", "X [2001:db8::7]"),
        ("http://localhost", "X localhost"),
    ],
)
def test_label(url: str, label: str) -> None:
    assert Server(url=url, dialect=openai.DIALECT, name="X").label == label


@pytest.mark.parametrize(
    ("url", "is_simulated", "port"),
    [
        ("http://127.0.0.1:8021", False, 8021),
        ("http://0.0.0.0", False, 80),
        ("http://[::]:8021", False, 8021),
        ("http://127.0.0.1:8021", True, None),
        ("http://203.0.113.9:8021", False, None),
    ],
)
def test_a_server_uses_this_machine_s_npu(url: str, is_simulated: bool, port: int | None) -> None:
    server = Server(url, openai.DIALECT, "X", is_simulated=is_simulated)
    assert server.port_on_this_machine == port
    assert server.is_on_this_machine is (port is not None)


HEXADECIMAL = "0123456789abcdef"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("alphabet", [HEXADECIMAL, LETTERS.upper() + LETTERS + "0123456789"])
def test_a_random_part_of_a_path_is_masked(alphabet: str) -> None:
    rng = random.Random(1)
    keys = ["".join(rng.choices(alphabet, k=32)) for _ in range(200)]
    shown = [shown_url(f"http://board:1/{key}/v1") for key in keys]
    assert sum(url == "http://board:1/***/v1" for url in shown) >= 195
    said = [masked(f"No server listens on http://board:1/v1/{key}.") for key in keys]
    assert sum("***" in sentence for sentence in said) >= 195


@pytest.mark.parametrize(
    "key",
    ["sk-proj-abc123def456ghi", "2f1c9a52-7a0e-4f0d-9c1b-0d7e5a4b3c21", "hf_AbCdEfGh1234567890"],
)
def test_a_key_in_a_path_is_masked(key: str) -> None:
    assert shown_url(f"https://board/{key}/v1") == "https://board/***/v1"
    assert shown_url(f"board:80/a/{key}") == "board:80/a/***"


@pytest.mark.parametrize(
    "name",
    [
        "qwen2.5-1.5b-instruct-w8a8-opt-1-hybrid-ratio-0.5-rk3588",
        "Qwen3-4B-Instruct-2507-rk3588-w8a8",
        "DeepSeek-R1-Distill-Qwen-1.5B_W8A8_RK3588.rkllm",
        "deepseekr1distillqwen1",
        "MyOrganizationGatewayServer",
        "apiservice2-production",
        "hf-models-qwen25-cached",
        "internationalization2024conference",
    ],
)
def test_a_name_in_a_path_is_shown(name: str) -> None:
    assert shown_url(f"http://board:1/{name}/v1") == f"http://board:1/{name}/v1"

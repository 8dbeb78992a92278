"""Ways to write an address, and redirects: the same in the dashboard, ask, bench and models."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from tests.app.npulse import running
from tests.commands.test_streams import npulse
from tests.servers.plain_server import plain_server
from tui.bench.model.options import Options
from tui.bench.run.connect import connect
from tui.commands.bench_arguments import parser

pytestmark = pytest.mark.slow

FORMS = (
    "{}/",
    "{}/llm",
    "{}/llm/",
    "{}/llm//v1/",
    "{}/llm/v1/chat/completions/",
    "{}/llm/v1/models",
    " '{}/llm/api/chat' ",
)


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


HOSTS = [
    "127.0.0.1",
    pytest.param("::1", marks=pytest.mark.skipif(not has_ipv6(), reason="no ::1")),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("host", HOSTS)
async def test_bench_understands_the_address(tmp_path: Path, host: str, form: str) -> None:
    base = "/llm" if "/llm" in form else ""
    with plain_server(base, host=host) as server:
        given = parser().parse_args(["run", "standard", "--url", form.format(server.url)])
        found = await connect(Options(folder=tmp_path, urls=(given.url,)))
        await found.client.aclose()
    assert found.server.url == f"{server.url}{base}"
    assert found.info.name == "m"


@pytest.mark.parametrize("host", HOSTS)
def test_ask_and_models_understand_the_address(tmp_path: Path, host: str) -> None:
    with plain_server("/llm", host=host) as server:
        for form in ("{}/llm/", "{}/llm/v1/chat/completions"):
            given = form.format(server.url)
            assert npulse(tmp_path, "ask", "hi", "--url", given) == (0, "ok\n", "")
            code, out, err = npulse(tmp_path, "models", "--json", "--url", given)
            assert (code, err) == (0, "")
            assert json.loads(out)["server"]["url"] == f"{server.url}/llm"


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS)
def test_the_dashboard_understands_the_address(tmp_path: Path, host: str) -> None:
    with plain_server("/llm", host=host) as server:
        pasted = f"{server.url}/llm/v1/chat/completions/"
        with running(tmp_path, "--url", pasted) as terminal:
            terminal.wait_for("m is ready on")
            terminal.type("hi")
            terminal.keys("enter")
            terminal.wait_for("tok")
            terminal.wait_for(lambda _: bool(server.bodies))
    assert server.bodies[0]["model"] == "m"


@pytest.mark.parametrize(
    "elsewhere", ["http://127.0.0.1:{}/v1/chat/completions", "//127.0.0.1:{}/x"]
)
async def test_a_redirect_is_named_everywhere_and_followed_nowhere(
    tmp_path: Path, elsewhere: str
) -> None:
    with plain_server() as other, plain_server(redirects_to=elsewhere.format(other.port)) as server:
        place = f"127.0.0.1:{other.port}"
        code, out, err = npulse(tmp_path, "models", "--url", server.url)
        assert code == 5
        assert place in err
        assert "does not follow" in err
        code, out, err = npulse(tmp_path, "ask", "hi", "--url", server.url)
        assert (code, out) == (4, "")
        assert place in err
        assert "does not follow" in err
        batch = tmp_path / "one.jsonl"
        batch.write_text('{"prompt": "hi"}\n')
        words = (
            "bench",
            "run",
            str(batch),
            "--url",
            server.url,
            "--no-warm-up",
            "--cool-down",
            "0",
        )
        code, out, err = npulse(tmp_path, *words)
        assert code != 0
        assert place in out + err
        assert other.seen == []


@pytest.mark.slow
def test_a_redirect_is_named_in_the_dashboard(tmp_path: Path) -> None:
    with plain_server() as other:
        location = f"http://127.0.0.1:{other.port}/v1/chat/completions"
        with (
            plain_server(redirects_to=location) as server,
            running(tmp_path, "--url", server.url) as terminal,
        ):
            terminal.wait_for(f"127.0.0.1:{other.port}")
            terminal.wait_for("redirects")
            terminal.type("hi")
            terminal.keys("enter")
            terminal.wait_for(lambda _: bool(server.bodies))
            assert "unreachable" not in terminal.text()
        assert other.seen == []

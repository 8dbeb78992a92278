"""Several servers on one machine: which one is used, what is said, and what is remembered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.commands.test_streams import npulse
from tests.servers.connected import connected, until
from tests.servers.plain_server import Plain, plain_server
from tests.servers.raw_server import Wire, raw_server
from tests.servers.rockchip_script import RockchipScript
from tui.servers.access import Access
from tui.servers.address import CandidateUrls
from tui.servers.client import PhaseTimeouts
from tui.servers.locate import NoServerError, locate, look
from tui.settings.state import State, load_state, save_state

QUICK = PhaseTimeouts(connect_s=1.0, query_s=0.4)


async def hangs(wire: Wire) -> None:
    await wire.until_closed()


async def test_the_remembered_one_wins_over_the_first() -> None:
    async with raw_server(RockchipScript()) as one, raw_server(RockchipScript()) as other:
        urls = CandidateUrls((one.url, other.url))
        first = await look(urls, QUICK)
        assert first.server is not None
        assert (first.server.url, first.is_arbitrary) == (one.url, True)
        assert [server.url for server in first.servers] == [one.url, other.url]
        assert first.note == (
            f"2 servers answer: RockchipLlama at {one.url} is used, not RockchipLlama at "
            f"{other.url}; choose with --url, or on the models screen."
        )
        chosen = await look(urls, QUICK, remembered_url=other.url)
        assert chosen.server is not None
        assert (chosen.server.url, chosen.note, chosen.is_arbitrary) == (other.url, None, False)
        with pytest.raises(NoServerError, match="2 servers answer"):
            await locate(urls, QUICK, must_be_certain=True)
        certain = await locate(urls, QUICK, remembered_url=other.url, must_be_certain=True)
        assert certain.url == other.url


async def test_a_remembered_one_that_is_gone_is_told() -> None:
    async with raw_server(RockchipScript()) as one:
        gone = "http://127.0.0.1:9"
        found = await look(CandidateUrls((gone, one.url)), QUICK, remembered_url=gone)
        assert found.note == (
            f"{gone}, which was chosen earlier, does not answer; RockchipLlama at {one.url} is "
            "used."
        )
        assert not found.is_arbitrary


async def test_a_remembered_one_that_is_busy_is_waited_for() -> None:
    async with raw_server(hangs) as busy, raw_server(RockchipScript()) as other:
        found = await look(CandidateUrls((busy.url, other.url)), QUICK, remembered_url=busy.url)
        assert (found.server, found.is_busy) == (None, True)
        assert found.problem is not None
        assert found.problem.startswith(f"{busy.url} accepts connections")
        assert [server.url for server in found.servers] == [other.url]


async def test_one_that_is_recognised_is_no_arbitrary_choice() -> None:
    async def plain(wire: Wire) -> None:
        if wire.asked.path == "/v1/models":
            await wire.json({"data": [{"id": "m"}]})
        else:
            await wire.reply(404, b"", "text/plain")

    async with raw_server(plain) as other, raw_server(RockchipScript()) as rockchip:
        found = await look(CandidateUrls((other.url, rockchip.url)), QUICK)
        assert found.server is not None
        assert (found.server.url, found.note) == (rockchip.url, None)
        assert len(found.servers) == 2


@pytest.fixture
def two() -> Iterator[tuple[Plain, Plain, dict[str, str]]]:
    """Two servers of the same kind on ports that are looked at."""
    with ExitStack() as stack:
        one, other = (stack.enter_context(plain_server()) for _ in range(2))
        yield one, other, {"NPULSE_SERVER__PORTS": f"{one.port},{other.port}"}


def remember(home: Path, state: State) -> None:
    """As the dashboard keeps it."""
    assert save_state(home / "state" / "npulse" / "state.json", state) is None


@pytest.mark.slow
def test_ask_says_which_server_was_taken(
    tmp_path: Path, two: tuple[Plain, Plain, dict[str, str]]
) -> None:
    one, other, env = two
    env = env | {"XDG_STATE_HOME": str(tmp_path / "state")}
    code, out, err = npulse(tmp_path, "ask", "hi", env=env)
    assert (code, out) == (0, "ok\n")
    assert f"2 servers answer: OpenAI-compatible at {one.url} is used" in err
    remember(tmp_path, State(server=other.url))
    assert npulse(tmp_path, "ask", "hi", env=env) == (0, "ok\n", "")
    assert other.bodies
    named = npulse(tmp_path, "ask", "hi", "--url", one.url, env=env)
    assert named == (0, "ok\n", "")


@pytest.mark.slow
def test_what_costs_much_is_not_sent_to_an_arbitrary_server(
    tmp_path: Path, two: tuple[Plain, Plain, dict[str, str]]
) -> None:
    one, other, env = two
    for words in (("models", "unload"), ("models", "load", "m"), ("bench", "run", "standard")):
        code, out, err = npulse(tmp_path, *words, env=env)
        assert code == 5
        err += out
        assert "2 servers answer: " in err
        assert f"{one.url} and OpenAI-compatible at {other.url}; choose with --url" in err
    assert not one.bodies + other.bodies


@pytest.mark.slow
def test_models_lists_all_of_them(tmp_path: Path, two: tuple[Plain, Plain, dict[str, str]]) -> None:
    one, other, env = two
    code, out, err = npulse(tmp_path, "models", env=env)
    assert code == 0
    assert f"OpenAI-compatible at {one.url}  (used)\n" in out
    assert f"\nOpenAI-compatible at {other.url}\n" in out
    assert "a prompt goes to m (the only one)" in out
    assert "2 servers answer" in err
    code, out, _ = npulse(tmp_path, "models", "--json", env=env)
    listed = json.loads(out)
    assert [server["server"]["url"] for server in listed["servers"]] == [one.url, other.url]
    assert [server["is_used"] for server in listed["servers"]] == [True, False]
    assert listed["models"][0]["is_loaded"] is None
    assert listed["servers"][0]["model"] == "m"


def test_servers_and_models_are_kept_in_the_state(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    remembered = State().remembered.with_server("http://a:1")
    for number in range(80):
        remembered = remembered.with_model(f"http://a:{number}", f"m{number}")
    remembered = remembered.with_model("http://a:50", "again")
    assert save_state(path, State().with_servers(remembered)) is None
    state, problem = load_state(path)
    assert problem is None
    assert state.remembered == remembered
    assert state.remembered.model_of("http://a:50") == "again"
    assert state.remembered.model_of("http://a:1") is None, "the oldest are forgotten"
    assert len(state.models) == 50


async def test_beside_a_named_server_the_others_are_offered() -> None:
    named, other = RockchipScript(loaded="qwen3-4b"), RockchipScript(loaded="gemma3-1b")
    async with raw_server(named) as one, raw_server(other) as two:
        as_localhost = one.url.replace("127.0.0.1", "localhost")
        secret = Access("a-secret", kind="rockchipllama")
        async with connected(
            one.url, others=(as_localhost, two.url, "http://127.0.0.1:9"), access=secret
        ) as connection:
            await until(connection, lambda s: s.status == "ready" and s.models)
            assert not two.asked, "nobody looks for them before they are wanted"
            await connection.survey()
            [found] = connection.state.others
            assert (found.server.url, len(found.models)) == (two.url, 3)
            assert all("authorization" not in asked.headers for asked in two.asked)
            await connection.use(two.url, "gemma3-1b")
            state = await until(connection, lambda s: s.status == "ready" and s.loaded)
            assert state.server is not None
            assert (state.server.url, state.choice.name) == (two.url, "gemma3-1b")
            assert state.remembered.url == two.url
            await connection.survey()
            assert [one.server.url for one in connection.state.others] == [one.url]
            await connection.use(one.url, "qwen3-4b")
            state = await until(connection, lambda s: s.status == "ready" and s.loaded)
            assert state.remembered.model_of(one.url) == "qwen3-4b"
            assert state.remembered.url == two.url, "one that was named is not remembered"


async def test_a_chosen_one_is_waited_for_and_not_left_for_the_named_one() -> None:
    named, other = RockchipScript(loaded="qwen3-4b"), RockchipScript(loaded="gemma3-1b")
    async with (
        raw_server(named) as one,
        raw_server(other) as two,
        connected(one.url, others=(two.url,)) as connection,
    ):
        await until(connection, lambda s: s.status == "ready" and s.models)
        await connection.survey()
        await connection.use(two.url, "gemma3-1b")
        await until(connection, lambda s: s.status == "ready" and s.loaded)
        other.is_frozen = True
        await until(connection, lambda s: s.status in ("busy", "gone"))
        other.is_frozen = False
        other.thaw.set()
        state = await until(connection, lambda s: s.status == "ready" and s.loaded)
        assert state.server is not None
        assert state.server.url == two.url


async def test_beside_a_demo_no_other_is_offered() -> None:
    async with (
        raw_server(RockchipScript()) as one,
        raw_server(RockchipScript()) as two,
        connected(one.url, others=(two.url,)) as connection,
    ):
        connection.pin((one.url,), is_alone=True)
        await until(connection, lambda s: s.status == "ready" and s.models)
        await connection.survey()
        assert connection.state.others == ()

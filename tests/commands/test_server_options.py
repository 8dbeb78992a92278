"""The server as people name it: pasted endpoints, passwords, keys, own certificates, redirects."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.commands.test_streams import npulse
from tests.servers.plain_server import CERTIFICATE, plain_server
from tui.settings.schema import ServerSection
from tui.settings.server_options import server_access

pytestmark = pytest.mark.slow

SECRET = "hunter2sesame"


@pytest.mark.parametrize(
    "form",
    [
        "{}/v1/chat/completions", "{}/chat/completions/", "{}/v1", "{}/v1/models?x=y",
        "{}/api/chat", "{}/api/generate", "{}/rkllm_chat", ' "{}/v1/chat/completions" ',
    ],
)  # fmt: skip
def test_a_pasted_endpoint_is_its_server(tmp_path: Path, form: str) -> None:
    with plain_server("/llm") as server:
        pasted = form.format(f"{server.url}/llm")
        code, out, err = npulse(tmp_path, "ask", "hi", "--url", pasted)
        assert (code, out, err) == (0, "ok\n", "")
        assert "/llm/v1/chat/completions" in {path for _, path, _ in server.seen}


def test_a_pasted_endpoint_in_config_and_environment(tmp_path: Path) -> None:
    config = tmp_path / "npulse.toml"
    with plain_server() as server:
        config.write_text(f"[server]\nurl = ' {server.url}/v1/chat/completions '\n")
        assert npulse(tmp_path, "ask", "hi", "--config", str(config))[:2] == (0, "ok\n")
        given = f"'{server.url}/chat/completions'"
        assert npulse(tmp_path, "ask", "hi", env={"NPULSE_SERVER__URL": given})[:2] == (0, "ok\n")
        code, out, _ = npulse(tmp_path, "models", "--json", env={"NPULSE_SERVER__URL": given})
        assert (code, json.loads(out)["server"]["url"]) == (0, server.url)


def test_what_was_asked_is_named_where_it_is_not_there(tmp_path: Path) -> None:
    with plain_server("/elsewhere") as server:
        code, _, err = npulse(tmp_path, "ask", "hi", "--url", server.url)
    assert code == 4
    assert f"{server.url}/v1/chat/completions has no such route or model (HTTP 404)" in err


def test_a_redirect_is_named_and_not_followed(tmp_path: Path) -> None:
    with plain_server() as other:
        location = f"http://me:{SECRET}@127.0.0.1:{other.port}/v1/chat/completions?token={SECRET}"
        with plain_server(redirects_to=location) as server:
            code, out, err = npulse(
                tmp_path, "ask", "hi", "--json", "--url", server.url, "--api-key", SECRET
            )
        assert other.seen == []
    assert code == 4
    assert f"127.0.0.1:{other.port}/v1/chat/completions" in err
    assert "does not follow" in err
    assert SECRET not in out + err


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (("ask", "hi", "--json"), "flag"), (("models",), "flag"), (("doctor", "--json"), "flag"),
        (("bench", "run", "standard"), "flag"), ((), "word"), (("ask", "hi"), "word"),
        (("models", "--json"), "variable"), (("bench", "list"), "variable"), (("ask",), "word"),
    ],
)  # fmt: skip
def test_a_password_is_never_printed(tmp_path: Path, words: tuple[str, ...], way: str) -> None:
    url = f"http://me:{SECRET}@127.0.0.1:9/v1?api_key={SECRET}"
    more = {"flag": ("--url", url), "variable": (), "word": (url,)}[way]
    env = {"NPULSE_SERVER__URL": url} if way == "variable" else {}
    code, out, err = npulse(tmp_path, *words, *more, env=env)
    assert code != 0
    assert SECRET not in out + err
    assert "Traceback" not in err


def test_the_key_goes_to_the_named_server_only(tmp_path: Path) -> None:
    with plain_server() as server:
        for more, env in (
            (("--api-key", SECRET), {}),
            ((), {"NPULSE_API_KEY": SECRET}),
            ((), {"NPULSE_SERVER__API_KEY_ENV": "MY_KEY", "MY_KEY": f"{SECRET}\n"}),
        ):
            server.seen.clear()
            code, out, err = npulse(
                tmp_path, "ask", "hi", "--stats", "--json", "--url", server.url, *more, env=env
            )
            assert code == 0
            assert {h["authorization"] for _, _, h in server.seen} == {f"Bearer {SECRET}"}
            assert SECRET not in out + err
        server.seen.clear()
        ports = {"NPULSE_SERVER__PORTS": str(server.port), "NPULSE_API_KEY": SECRET}
        assert npulse(tmp_path, "ask", "hi", env=ports)[0] == 0
        assert {h["authorization"] for _, _, h in server.seen} == {None}


@pytest.mark.parametrize(
    ("section", "flag", "env"),
    [
        (ServerSection(api_key_env=SECRET), None, {}),
        (ServerSection(), f"{SECRET} x", {}),
        (ServerSection(), f"{SECRET}\r\nx: y", {}),
        (ServerSection(), "", {}),
        (ServerSection(), None, {"NPULSE_API_KEY": f"{SECRET}é"}),
    ],
)
def test_a_wrong_key_is_a_sentence_without_it(
    section: ServerSection, flag: str | None, env: dict[str, str]
) -> None:
    with pytest.raises(ValueError, match="key") as refused:
        server_access(section, flag, env)
    assert SECRET not in str(refused.value)
    assert SECRET not in repr(server_access(ServerSection(), SECRET, {}))


def test_a_key_in_place_of_its_variable_is_not_repeated(tmp_path: Path) -> None:
    config = tmp_path / "npulse.toml"
    config.write_text(f"[server]\napi_key_env = 'sk-{SECRET}'\n")
    code, _, err = npulse(tmp_path, "ask", "hi", "--config", str(config))
    assert code == 2
    assert "line 2: server.api_key_env" in err
    assert SECRET not in err


def test_an_own_certificate_authority(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with plain_server(is_tls=True) as server:
        where = ("ask", "hi", "--url", server.url)
        code, _, err = npulse(tmp_path, *where)
        assert code == 5
        assert "a certificate that is not trusted (self-signed certificate)" in err
        assert "ca_file" in err
        for name in ("NPULSE_SERVER__CA_FILE", "SSL_CERT_FILE"):
            assert npulse(tmp_path, *where, env={name: str(CERTIFICATE)})[:2] == (0, "ok\n")
            for wrong in (tmp_path / "none.pem", tmp_path, pipe, Path("/dev/zero")):
                code, _, err = npulse(tmp_path, *where, env={name: str(wrong)})
                assert (code, str(wrong) in err, err.count("\n")) == (2, True, 1)
        wrong = tmp_path / "wrong.pem"
        wrong.write_text("no certificate")
        code, _, err = npulse(tmp_path, *where, env={"NPULSE_SERVER__CA_FILE": str(wrong)})
        assert (code, "holds no certificate" in err) == (2, True)


def test_a_pipe_is_no_config(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    code, _, err = npulse(tmp_path, "ask", "hi", "--config", str(pipe))
    assert code == 2
    assert f"{pipe} cannot be read: it is a pipe, not a file" in err

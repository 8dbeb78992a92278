"""Files, environment and flags become settings, or one sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.core.text.sanitize import is_forbidden
from tui.settings.config import (
    ConfigError,
    ConfigPaths,
    LoadedConfig,
    config_paths,
    known_keys,
    load,
)
from tui.settings.data_files import default_config
from tui.settings.schema import Settings
from tui.settings.state import REMEMBERED


def _paths(folder: Path, user: str | bytes | None = None, named: str | None = None) -> ConfigPaths:
    """The shipped file with these files on top of it."""
    paths = ConfigPaths(default_config(), folder / "config.toml", folder / "named.toml")
    if user is not None:
        paths.user.write_bytes(user.encode() if isinstance(user, str) else user)
    if named is None:
        return ConfigPaths(paths.shipped, paths.user)
    (folder / "named.toml").write_text(named)
    return paths


def _load(folder: Path, user: str | bytes, **env: str) -> LoadedConfig:
    return load(_paths(folder, user), env)


def _sentence(folder: Path, user: str | bytes, **env: str) -> str:
    with pytest.raises(ConfigError) as caught:
        _load(folder, user, **env)
    return str(caught.value).replace(str(folder), "DIR")


def test_without_any_file_of_the_user_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load(_paths(tmp_path), {})
    assert loaded.settings == Settings()
    assert loaded.warnings == ()
    assert set(loaded.sources) == set(known_keys())
    assert set(loaded.sources.values()) == {"default"}


def test_each_layer_goes_above_the_one_below(tmp_path: Path) -> None:
    paths = _paths(tmp_path, "[ui]\nfps = 11\ntheme = 'a'\nascii = 'on'", "[ui]\nfps=12\ntheme='b'")
    assert load(paths, {}).settings.ui.fps == 12
    env = {"NPULSE_UI__FPS": "13"}
    assert load(paths, env).settings.ui.fps == 13
    loaded = load(paths, env, {"ui.fps": 14, "ui.theme": None})
    assert loaded.settings.ui.fps == 14
    assert loaded.settings.ui.theme == "b"
    assert loaded.settings.ui.ascii == "on"
    assert loaded.sources["ui.fps"] == "--fps"
    assert loaded.sources["ui.theme"] == str(paths.named)
    assert loaded.sources["ui.ascii"] == str(paths.user)
    assert load(paths, env).sources["ui.fps"] == "NPULSE_UI__FPS"


def test_the_environment_is_text_for_every_type(tmp_path: Path) -> None:
    env = {
        "NPULSE_SERVER__PORTS": "1, 2,3",
        "NPULSE_GENERATION__TEMPERATURE": "1",
        "NPULSE_GENERATION__THINKING": "on",
        "NPULSE_GENERATION__SYSTEM_PROMPT": "5",
        "NPULSE_UI__MOUSE": "False",
        "NPULSE_KEYS__STOP": "shift+ctrl+F9",
    }
    loaded = load(_paths(tmp_path), env)
    assert loaded.warnings == ()
    assert loaded.settings.server.ports == (1, 2, 3)
    assert loaded.settings.generation.temperature == 1.0
    assert loaded.settings.generation.thinking is True
    assert loaded.settings.generation.system_prompt == "5"
    assert loaded.settings.ui.mouse is False
    assert loaded.settings.keys["stop"] == "ctrl+shift+f9"


def test_keys_that_are_not_named_keep_their_default(tmp_path: Path) -> None:
    keys = _load(tmp_path, "[keys]\nstop = 'f9'\n").settings.keys
    assert keys == {**Settings().keys, "stop": "f9"}


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[ui]\n\nfpz = 3", "line 3: ui.fpz is not known and was ignored; did you mean ui.fps?"),
        ("[uii]\na=1\nb=1", "line 1: [uii] is not known and was ignored; did you mean [ui]?"),
        ("[ui]\ntemperature=1", "did you mean generation.temperature?"),
        ("theme = 'x'", "line 1: theme is not known and was ignored; did you mean ui.theme?"),
        ("[ui]\nzzzz = 3", "line 2: ui.zzzz is not known and was ignored"),
        ("[empty]", "line 1: [empty] is not known and was ignored"),
        ("[keys]\nstopp='x'", "line 2: keys.stopp is not known and was ignored; did you mean"),
        ("[keys]\nstop = 'f1'", "[keys]: f1 is given to both stop and help"),
    ],
)
def test_what_is_not_known_is_a_warning(tmp_path: Path, text: str, warning: str) -> None:
    loaded = _load(tmp_path, text)
    assert len(loaded.warnings) == 1
    assert warning in loaded.warnings[0]


def test_a_variable_that_is_not_known_is_a_warning(tmp_path: Path) -> None:
    env = {"NPULSE_UI__FPZ": "1", "NPULSE_SERVR__URL": "x", "NPULSE_LOG": "1", "OTHER__UI": "1"}
    assert load(_paths(tmp_path), env).warnings == (
        "NPULSE_SERVR__URL is not known and was ignored; did you mean NPULSE_SERVER__URL?",
        "NPULSE_UI__FPZ is not known and was ignored; did you mean NPULSE_UI__FPS?",
    )


def test_an_address_in_capitals_is_an_address(tmp_path: Path) -> None:
    found = load(_paths(tmp_path), {"NPULSE_SERVER__URL": "HTTP://LOCALHOST:8021/V1"})
    assert found.settings.server.url == "HTTP://LOCALHOST:8021/V1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[ui]\nfps = 'fast'",
            'DIR/config.toml line 2: ui.fps is "fast"; it takes a whole number from 1 to 60.',
        ),
        (
            "[ui]\n'fps' = 61",
            "DIR/config.toml line 2: ui.fps is 61; it takes a whole number from 1 to 60.",
        ),
        (
            "ui.fps = 1.5",
            "DIR/config.toml line 1: ui.fps is 1.5; it takes a whole number from 1 to 60.",
        ),
        (
            "[generation]\ntemperature = nan",
            "DIR/config.toml line 2: generation.temperature is nan; it takes a number from 0 to 5.",
        ),
        (
            "[generation]\nthinking = 1",
            "DIR/config.toml line 2: generation.thinking is 1; it takes true or false.",
        ),
        (
            "[ui]\nascii = true",
            'DIR/config.toml line 2: ui.ascii is true; it takes "auto", "off" or "on".',
        ),
        (
            "[server]\nports = [8021, 70000]",
            "DIR/config.toml line 2: server.ports is a list; "
            "it takes a list of ports (1 to 65535).",
        ),
        (
            "[server]\nurl = 'ftp://x'",
            'DIR/config.toml line 2: server.url is "ftp://x"; '
            "it takes an address such as http://127.0.0.1:8021, or nothing.",
        ),
        (
            "[keys]\nquit = 'ctlr+q'",
            "DIR/config.toml line 2: keys.quit is \"ctlr+q\", but 'ctlr' is not a modifier (did "
            'you mean \'ctrl\'?); it takes keys such as "ctrl+r" or "f5,alt+r".',
        ),
        (
            "server = 5",
            "DIR/config.toml line 1: server is 5; it is a section, "
            "so write [server] and its keys below.",
        ),
        (
            "[ui]\nfps = \n",
            "DIR/config.toml line 2, column 7: this is not TOML: Invalid value.",
        ),
        (
            "x = '\x1b[31m'",
            "DIR/config.toml line 1, column 6: this is not TOML: Found invalid character '\\x1b'.",
        ),
        ("a=" + "[" * 9000, "DIR/config.toml: this is not TOML: it is nested too deeply."),
        ("a=" + "1" * 9000, "DIR/config.toml: a number in it has thousands of digits."),
        (b"# ok\n\n[ui]\n# \xff\n", "DIR/config.toml line 4: the text is not UTF-8."),
        (b"#" * (1 << 20) + b"##", "DIR/config.toml is larger than 1 MiB, so it is not read."),
    ],
)
def test_what_cannot_be_used_is_one_sentence(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    assert _sentence(tmp_path, text) == sentence


def test_a_mistake_in_a_variable_or_a_flag_names_it(tmp_path: Path) -> None:
    assert _sentence(tmp_path, "", NPULSE_UI__FPS="fast") == (
        'NPULSE_UI__FPS: ui.fps is "fast"; it takes a whole number from 1 to 60.'
    )
    assert _sentence(tmp_path, "", NPULSE_SERVER__PORTS="1,x").startswith(
        'NPULSE_SERVER__PORTS: server.ports is "1,x"; it takes a list of ports'
    )
    with pytest.raises(ConfigError, match=r"^--max-tokens: generation\.max_tokens is 0; it takes"):
        load(_paths(tmp_path), {}, {"generation.max_tokens": 0})
    with pytest.raises(ConfigError, match=r"^--system: generation\.system_prompt is 5"):
        load(_paths(tmp_path), {}, {"generation.system_prompt": 5})


def test_a_named_file_has_to_be_there(tmp_path: Path) -> None:
    paths = ConfigPaths(default_config(), tmp_path / "none.toml", tmp_path / "named.toml")
    with pytest.raises(ConfigError) as caught:
        load(paths, {})
    assert str(caught.value) == f"{paths.named} cannot be read: No such file or directory."


def test_a_folder_in_place_of_the_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory\.$"):
        load(_paths(tmp_path), {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_one_sentence(tmp_path: Path) -> None:
    paths = _paths(tmp_path, "")
    paths.user.chmod(0)
    with pytest.raises(ConfigError, match=r"cannot be read: Permission denied\.$"):
        load(paths, {})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_cannot_be_looked_into_is_a_warning(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        loaded = load(ConfigPaths(default_config(), closed / "config.toml"), {})
    finally:
        closed.chmod(0o700)
    assert loaded.settings == Settings()
    assert "cannot be looked for" in loaded.warnings[0]


def test_a_missing_shipped_file_is_a_warning(tmp_path: Path) -> None:
    loaded = load(ConfigPaths(tmp_path / "a.toml", tmp_path / "b.toml"), {})
    assert loaded.settings == Settings()
    assert loaded.warnings == (f"{tmp_path}/a.toml is missing: incomplete installation",)


def test_the_users_file_is_below_xdg_config_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    paths = config_paths("x.toml")
    assert paths.user == tmp_path / "npulse" / "config.toml"
    assert paths.named == Path("x.toml")
    assert paths.shipped.is_file()


def test_what_is_remembered_can_be_configured() -> None:
    assert set(REMEMBERED) <= set(known_keys())


def test_generation_settings_come_out_as_a_request_takes_them(tmp_path: Path) -> None:
    loaded = _load(tmp_path, "[generation]\ntop_k = 1\nthinking = true\nsystem_prompt = 'be brief'")
    generation = loaded.settings.generation.to_generation()
    assert generation.top_k == 1
    assert generation.is_thinking is True
    assert generation.system_prompt == "be brief"
    assert generation.temperature == 0.6


_WORDS = st.sampled_from(
    [
        *(f"[{name}]\n" for name in ("server", "generation", "ui", "board", "keys", "x")),
        *(f"{key.partition('.')[2]} = " for key in known_keys()),
        *("1", "-1", "0.5", "true", "'a'", '"\\u001b"', "[1]", "{a=1}", "inf", "1979-05-27", "\n"),
        *("#", "=", ".", "[[ui]]", "0x" + "f" * 5000, "\x1b", "\u202e", "é"),
    ]
)
_TOML_LIKE = st.lists(_WORDS, max_size=12).map("".join).map(str.encode)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=200), _TOML_LIKE))
def test_any_bytes_are_settings_or_one_sentence(tmp_path: Path, content: bytes) -> None:
    texts: tuple[str, ...]
    try:
        loaded = _load(tmp_path, content)
    except ConfigError as error:
        texts = (str(error),)
    else:
        assert set(loaded.settings.keys) == set(Settings().keys)
        texts = loaded.warnings
    for text in texts:
        assert "\n" not in text
        assert not any(map(is_forbidden, text))


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([key.upper().replace(".", "__") for key in known_keys()]), st.text())
def test_any_variable_is_settings_or_one_sentence(tmp_path: Path, name: str, text: str) -> None:
    try:
        load(_paths(tmp_path), {f"NPULSE_{name}": text})
    except ConfigError as error:
        sentence = str(error)
    else:
        sentence = f"NPULSE_{name}: "
    assert sentence.startswith(f"NPULSE_{name}: ")
    assert not any(map(is_forbidden, sentence))


def test_boards_have_names_of_the_users_own(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[boards]\nkitchen = "ssh://me@kitchen.local"\n'
        'attic = { ssh = "ssh://rock@attic:2222", server = "127.0.0.1:8080" }\n'
    )
    found = load(config_paths(path), {})
    assert found.warnings == ()
    assert found.settings.boards["kitchen"].destination == "me@kitchen.local"
    assert found.settings.boards["attic"].server_url == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "line",
    [
        'kitchen = "me@kitchen"', "kitchen = 3", 'kitchen = "ssh://-oProxyCommand=x"',
        '"a b" = "ssh://x"', 'kitchen = { ssh = "ssh://x", serve = "y" }', "kitchen = { }",
        'kitchen = { ssh = "ssh://x", server = "ftp://y" }', 'kitchen = ["ssh://x"]',
        'all = "ssh://x"',
    ],
)  # fmt: skip
def test_a_board_that_is_none_is_one_sentence_with_its_name(tmp_path: Path, line: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(f"[boards]\n{line}\n")
    with pytest.raises(ConfigError, match=r"line 2: boards\.(kitchen|a b|all) is"):
        load(config_paths(path), {})


def test_a_key_that_a_board_has_not_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[boards]\nkitchen = { ssh = "ssh://x", port = 22 }\n')
    with pytest.raises(
        ConfigError, match=r"boards\.kitchen .*: port is none of ssh, server and root"
    ):
        load(config_paths(path), {})

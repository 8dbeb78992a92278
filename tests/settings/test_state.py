"""What was chosen while npulse ran is there at the next start, and never in the way."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui.servers.remembered_servers import RememberedServers
from tui.settings.config import ConfigPaths, LoadedConfig, load
from tui.settings.data_files import default_config
from tui.settings.state import REMEMBERED, State, load_state, save_state, state_file, with_state


def _config(
    folder: Path, text: str = "", env: dict[str, str] | None = None, **flags: object
) -> LoadedConfig:
    (folder / "config.toml").write_text(text)
    paths = ConfigPaths(default_config(), folder / "config.toml")
    return load(paths, env or {}, {f"ui.{name}": value for name, value in flags.items()})


def test_a_choice_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "state.json"
    chosen = State().with_choice("ui.theme", "npulse-light", "npulse-dark")
    chosen = chosen.with_choice("generation.thinking", True, False)
    assert save_state(path, chosen) is None
    state, problem = load_state(path)
    assert problem is None
    assert state == chosen
    loaded = with_state(_config(tmp_path), state, "state.json")
    assert loaded.settings.ui.theme == "npulse-light"
    assert loaded.settings.generation.thinking is True
    assert loaded.sources["ui.theme"] == "state.json"
    assert loaded.sources["ui.fps"] == "default"


def test_an_edited_config_is_not_overruled_by_an_old_choice(tmp_path: Path) -> None:
    state = State().with_choice("ui.theme", "npulse-light", "npulse-dark")
    loaded = with_state(_config(tmp_path, "[ui]\ntheme = 'npulse-16'"), state, "s")
    assert loaded.settings.ui.theme == "npulse-16"


def test_a_variable_and_a_flag_win_over_a_choice(tmp_path: Path) -> None:
    state = State().with_choice("ui.theme", "npulse-light", "npulse-16")
    by_flag = _config(tmp_path, theme="npulse-16")
    by_env = _config(tmp_path, env={"NPULSE_UI__THEME": "npulse-16"})
    assert with_state(by_flag, state, "s").settings.ui.theme == "npulse-16"
    assert with_state(by_env, state, "s").settings.ui.theme == "npulse-16"


def test_choosing_what_is_configured_forgets_the_choice() -> None:
    state = State().with_choice("ui.theme", "npulse-light", "npulse-dark")
    assert state.with_choice("ui.theme", "npulse-dark", "npulse-dark") == State()


def test_only_what_can_be_chosen_is_remembered() -> None:
    with pytest.raises(ValueError, match=r"server\.url"):
        State().with_choice("server.url", "x", "")


def test_a_value_that_is_not_allowed_any_more_is_left_out(tmp_path: Path) -> None:
    state = State().with_choice("generation.top_k", "many", 20)
    state = state.with_choice("generation.max_tokens", 7, 2048)
    loaded = with_state(_config(tmp_path), state, "s")
    assert loaded.settings.generation.top_k == 20
    assert loaded.settings.generation.max_tokens == 7


def test_the_file_is_for_its_owner_only_and_whole(tmp_path: Path) -> None:
    path = tmp_path / "npulse" / "state.json"
    old_mask = os.umask(0)
    try:
        assert save_state(path, State()) is None
        assert save_state(path, State().with_choice("ui.theme", "a", "b")) is None
    finally:
        os.umask(old_mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["state.json"]


def test_a_place_that_cannot_be_written_gives_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    problem = save_state(tmp_path / "file" / "state.json", State())
    assert problem is not None
    assert problem.startswith("What was chosen cannot be kept in ")
    (tmp_path / "state.json").mkdir()
    problem = save_state(tmp_path / "state.json", State())
    assert problem is not None
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "state.json"]


def test_a_state_of_another_version_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"version": 99, "choices": {}}')
    state, problem = load_state(path)
    assert state == State()
    assert problem is not None
    assert "another version" in problem


def test_without_a_file_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert load_state(tmp_path / "none.json") == (State(), None)


def test_the_file_is_below_xdg_state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert state_file() == tmp_path / "npulse" / "state.json"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
)
_CHOICES = st.dictionaries(
    st.sampled_from([*REMEMBERED, "server.url", "x"]),
    st.fixed_dictionaries({"value": _VALUES, "over": _VALUES}),
)


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=100)
    | st.builds(lambda c: __import__("json").dumps({"version": 1, "choices": c}).encode(), _CHOICES)
)
def test_any_bytes_start_npulse(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(content)
    state, problem = load_state(path)
    assert state == State() or problem is None
    loaded = with_state(_config(tmp_path), state, "s")
    assert loaded.settings.server.url == ""


def test_a_pipe_is_no_state_and_holds_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    os.mkfifo(path)
    state, problem = load_state(path)
    assert state == State()
    assert problem is not None
    assert "it is a pipe, not a file" in problem


def test_an_address_that_holds_a_key_is_not_kept() -> None:
    key, plain = f"http://board:1/{'0a1b2c3d' * 4}", "http://board:1/qwen"
    state = State().with_servers(RememberedServers(key, {key: "a", plain: "b"}, key))
    assert state.remembered == RememberedServers("", {plain: "b"}, "")
    assert State().with_servers(RememberedServers(plain)).server == plain

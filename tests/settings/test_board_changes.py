"""The memory of changes takes any bytes in its place without losing them."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.fixes.change import BoardPlace, Change, ChangedFile, FixError
from tui.fixes.session import in_force
from tui.settings import board_changes, folders
from tui.settings.board_changes import BoardChanges

CHANGE = Change(
    id="0a",
    rule="ddr-clock",
    title="keep it high",
    root="/",
    boot_id="b",
    time_s=1.0,
    files=(
        ChangedFile(path="/sys/class/devfreq/dmc/governor", before="userspace", after="powersave"),
    ),
)


def test_remembered_in_order_and_forgotten(tmp_path: Path) -> None:
    memory = BoardChanges(tmp_path / "state")
    assert memory.changes() == ()
    second = msgspec.structs.replace(CHANGE, id="0b")
    memory.remember(CHANGE)
    memory.remember(second)
    assert BoardChanges(tmp_path / "state").changes() == (CHANGE, second)
    memory.forget("0a")
    memory.forget("0a")
    assert memory.changes() == (second,)
    assert memory.path.stat().st_mode & 0o777 == 0o600
    memory.forget("0b")
    assert memory.changes() == ()
    assert not memory.path.exists()


_VALID = {"version": 1, "changes": [msgspec.to_builtins(CHANGE)]}


@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["version", "changes", "id", "files"]), inner)
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
        st.integers(0, 400).map(lambda cut: json.dumps(_VALID).encode()[:cut]),
    )
)
def test_any_bytes_are_one_sentence_at_most(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory = BoardChanges(Path(folder))
        memory.path.write_bytes(data)
        problem = None
        try:
            memory.changes()
        except FixError as error:
            problem = str(error)
        if problem is not None:
            assert "\n" not in problem
            assert "not known" in problem
        memory.remember(CHANGE)
        assert CHANGE in memory.changes()
        if problem is not None:
            # What nobody could read is still there.
            assert memory.path.with_name("changes.json.old").read_bytes() == data


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/shadow", "before": "x", "after": "y"},
        {"path": "/etc/cron.d/x", "before": None, "after": "y", "kind": "config"},
        {"path": "/etc/cron.d/x", "before": None, "after": "y", "kind": "by command"},
        {"path": "/sys/class/devfreq/dmc/governor", "before": "$(reboot)", "after": "performance"},
    ],
)
def test_a_file_that_names_what_no_fix_writes_is_not_believed(
    tmp_path: Path, file: dict[str, object]
) -> None:
    """It is written with the rights of root."""
    memory = BoardChanges(tmp_path)
    forged = {**msgspec.to_builtins(CHANGE), "files": [file]}
    memory.path.write_text(json.dumps({"version": 1, "changes": [forged]}))
    with pytest.raises(FixError, match="is damaged"):
        memory.changes()
    memory.remember(CHANGE)
    assert memory.changes() == (CHANGE,)
    assert json.loads(memory.path.with_name("changes.json.old").read_text())["changes"] == [forged]


# What root changed -------------------------------------------------------------------------------


def test_every_user_reads_what_root_changed_and_root_alone_forgets_it(tmp_path: Path) -> None:
    of_root = tmp_path / "lib/npulse-changes"
    root = BoardChanges(of_root, tmp_path, of_root)
    root.remember(CHANGE)
    assert root.path.stat().st_mode & 0o777 == 0o644
    assert of_root.stat().st_mode & 0o777 == 0o755
    user = BoardChanges(tmp_path / "state", tmp_path, of_root)
    assert user.has_file
    later = msgspec.structs.replace(CHANGE, id="0b", time_s=2.0)
    user.remember(later)
    # What root tried on a simulated board is root's own.
    simulated = msgspec.structs.replace(CHANGE, id="0c", root="/tmp/simulated")
    root.remember(simulated)
    assert user.changes() == (CHANGE, later)
    assert root.forget(simulated.id)
    assert user.path.stat().st_mode & 0o777 == 0o600
    assert not user.forget(CHANGE.id)
    assert user.forget(later.id)
    assert user.changes() == (CHANGE,)
    # Undone by the user, it is over: nothing is said of it again and again.
    assert in_force(user, BoardPlace(Path("/"))) == ((), ())
    (kept, said) = in_force(root, BoardPlace(Path("/")))
    assert kept == ()
    assert len(said) == 1
    assert root.changes() == ()
    assert not root.path.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a place that all can read")
def test_root_takes_over_what_it_kept_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(folders, "ROOT_CHANGES", tmp_path / "lib")
    monkeypatch.setattr(board_changes, "ROOT_CHANGES", tmp_path / "lib")
    at_home = BoardChanges(tmp_path / ".local/state/npulse")
    at_home.remember(CHANGE)
    memory = BoardChanges(runs=tmp_path)
    assert memory.path.parent == tmp_path / "lib"
    assert memory.changes() == (CHANGE,)
    assert not at_home.path.exists()
    assert memory.path.stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write where it should not")
def test_root_keeps_nothing_where_another_user_can_lay_a_link(tmp_path: Path) -> None:
    theirs, etc = tmp_path / "home", tmp_path / "etc"
    theirs.mkdir()
    etc.mkdir()
    os.chown(theirs, 65534, 65534)
    with pytest.raises(FixError, match="another user's, and this is root: run npulse without sudo"):
        BoardChanges(theirs / "state").remember(CHANGE)
    shutil.rmtree(theirs / "state")
    (theirs / "state").symlink_to(etc)
    os.chown(theirs / "state", 65534, 65534, follow_symlinks=False)
    with pytest.raises(FixError):
        BoardChanges(theirs / "state").remember(CHANGE)
    assert list(etc.iterdir()) == []

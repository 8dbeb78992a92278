"""The memory of changes takes any bytes in its place without losing them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.fixes.change import Change, ChangedFile, FixError
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

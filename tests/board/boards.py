"""A sampler over a tree on disk with a clock that the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.board.tree_files import Content, write
from tui.board.readers.files import Files
from tui.board.sampler import Sampler
from tui.core.board.reading import Snapshot

NS = 1_000_000_000


def path_of(fd: int) -> str:
    """The file behind an open descriptor."""
    return str(Path(f"/proc/self/fd/{fd}").readlink())


class Board:
    """A tree, a sampler over it, and time. Starts at some monotonic time, not at 0."""

    def __init__(
        self, root: Path, tree: Mapping[str, Content] | None = None, files: Files | None = None
    ) -> None:
        self.root = root
        self.t_ns = 5_000 * NS
        self.wall_s = 1_763_000_000.0
        if tree is not None:
            write(tree, root)
        self.sampler = Sampler(
            root, clock_ns=lambda: self.t_ns, wall_s=lambda: self.wall_s, files=files
        )

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.sampler.close()

    def change(self, files: Mapping[str, Content]) -> None:
        """Change files by their path; None removes one."""
        write(files, self.root)

    def after(self, seconds: float) -> Snapshot:
        """A sample that much later."""
        self.t_ns += round(seconds * NS)
        self.wall_s += seconds
        return self.sampler.sample()

    def settled(self) -> Snapshot:
        """The third sample, when every rate is known and the background reads are done."""
        self.after(0)
        self.sampler.wait_for_background(10)
        self.after(1)
        return self.after(1)

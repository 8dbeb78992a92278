"""The dashboard on a board that is somewhere else: ``npulse --board``."""

from __future__ import annotations

from time import perf_counter_ns

from tui.app.board_source import BoardLine, BoardReader
from tui.core.board.reading import Snapshot
from tui.core.text.format import long_seconds
from tui.core.text.sanitize import clean_line
from tui.settings.board_login import LoggedIn

MAX_FILE_BYTES = 1 << 20


class RemoteReader(BoardReader):
    """Samples of a board over ssh, where a :class:`BoardReader` is expected."""

    def __init__(self, login: LoggedIn, interval_s: float) -> None:
        super().__init__(None, interval_s)
        self.board = login.board
        self._login = login

    def watch_server(self, port: int | None) -> None:
        """Finds the process by its name, since the owner of a port is not known remotely."""

    def sample(self) -> Snapshot:
        return self.board.sample()

    def url_there(self, url: str) -> str:
        return self._login.url_there(url)

    def words_there(self, sentence: str) -> str:
        return self._login.words_there(sentence)

    def own_login(self, url: str) -> tuple[str, ...] | None:
        return self._login.own_login(url)

    def read_file(self, path: str) -> bytes | None:
        return self.board.read_file(path, MAX_FILE_BYTES)

    @property
    def line(self) -> BoardLine:
        link = self.board.link
        name = clean_line(f"ssh {self.board.address.name}")
        if link.state == "connected":
            latency = "" if link.latency_ms is None else f" {link.latency_ms:.0f} ms"
            return BoardLine(name + latency)
        if link.state == "connecting":
            return BoardLine(f"{name} connecting")
        seconds = max(0.0, (perf_counter_ns() - link.since_ns) / 1e9)
        return BoardLine(f"{name} lost for {long_seconds(seconds)}", is_lost=True)

    def close(self) -> None:
        super().close()
        self.board.close()

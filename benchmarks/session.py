"""A program in a real terminal of 120x40 that gets typed prompts, and its recorded costs."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_cost import CostRecord, rss_bytes
from benchmarks.programs import Program
from benchmarks.simulator import Simulator
from benchmarks.truth import TrueAnswer
from benchmarks.visibility import Lags, left_of_panels, replay
from tests.terminal.pty_terminal import Chunk, PtyTerminal, TerminalTimeoutError
from tests.terminal.screen import TerminalScreen

SIZE = (120, 40)
_STARTED_S = 30.0
_SETTLED_SHARE = 0.1
"""Share of one core below which, over half a second, a program has processed all its input."""


class SessionError(RuntimeError):
    """The program did not react as expected. The message has the reason and the screen's text."""


@dataclass(frozen=True, slots=True)
class AnswerRun:
    """The recorded data of one answer."""

    truth: TrueAnswer
    chunks: tuple[Chunk, ...]
    """The terminal's input from the Enter key until the program had processed everything."""
    cost: CostRecord
    settled_ns: int
    has_settled: bool
    """False if the program was still busy with the answer at the time limit."""
    rss_bytes: int
    lags: Lags | None

    @property
    def first_ns(self) -> int:
        return self.truth.token_ns[0]

    @property
    def tokens(self) -> int:
        return len(self.truth.token_ns)

    @property
    def cpu_ms_per_token(self) -> float:
        """Processor time of the whole process, from the first token until it has processed
        everything."""
        return self.cost.cpu_between(self.first_ns, self.settled_ns) / 1e6 / self.tokens

    @property
    def bytes_per_token(self) -> float:
        """Bytes to the terminal, from the first token until the program has processed
        everything."""
        received = sum(len(c.data) for c in self.chunks if c.t_ns >= self.first_ns)
        return received / self.tokens

    @property
    def late_ms(self) -> float:
        """How long the program was busy after the last token, with a resolution of half a
        second."""
        return max(0.0, (self.settled_ns - self.truth.token_ns[-1]) / 1e6 - 500)

    @property
    def growth(self) -> float:
        """Ratio of the processor time in the last quarter of the answer to that in the first.

        Quarters by number of tokens, in the simulator's time, each delayed by half a second, so
        that late frames count to the quarter of their tokens.
        """
        quarter = self.tokens // 4
        edges = [self.truth.token_ns[i] for i in (0, quarter, self.tokens - quarter - 1, -1)]
        delay_ns = min(500_000_000, (edges[1] - edges[0]) // 4)
        first, last = (
            self.cost.cpu_between(start + delay_ns, end + delay_ns)
            for start, end in ((edges[0], edges[1]), (edges[2], edges[3]))
        )
        return last / first if first > 0 else float("nan")


class Session:
    """A started program with an empty home of its own below ``folder``.

    ``ask`` as often as you like; ``close`` ends it. With ``read_rate`` the terminal takes only so
    many bytes a second, from the moment on that the program is ready.
    """

    def __init__(
        self,
        program: Program,
        simulator: Simulator,
        folder: Path,
        *,
        argv: list[str] | None = None,
        read_rate: int | None = None,
    ) -> None:
        home = Path(tempfile.mkdtemp(prefix=f"home-{program.name}-", dir=folder))
        self.home = home
        self._log = simulator.log
        self.program = program
        self.terminal = PtyTerminal(
            argv or program.command(simulator),
            size=SIZE,
            env=program.environment(home),
            cwd=home,
        )
        self._read_rate = read_rate
        self.cost = CostRecord(self.terminal.process.pid)
        self._replayed = TerminalScreen(*SIZE)
        self._replayed_chunks = 0
        self._right: int | None = None

    @property
    def pid(self) -> int:
        return self.terminal.process.pid

    def wait_ready(self) -> None:
        """Waits until the prompt accepts keys and the server was found. Raises SessionError."""
        try:
            self.terminal.wait_for(lambda t: t.bytes_out > 0 and t.is_raw(), _STARTED_S)
            if self.program.ready_text is not None:
                self.terminal.wait_for(self.program.ready_text, _STARTED_S, poll=0.1)
        except TerminalTimeoutError as error:
            raise SessionError(f"{self.program.name} did not start: {error}") from None
        self._wait_idle(time.monotonic() + _STARTED_S)
        self._right = left_of_panels(self.terminal.draw())
        self.terminal.read_rate = self._read_rate

    def _wait_idle(self, deadline: float) -> bool:
        """Waits until the program uses little processor time. False at the time limit."""
        window_s = 0.5
        while True:
            before_ns = time.perf_counter_ns()
            time.sleep(window_s)
            used_ns = self.cost.cpu_between(before_ns, time.perf_counter_ns())
            if used_ns < _SETTLED_SHARE * window_s * 1e9:
                return True
            if time.monotonic() > deadline:
                return False

    def ask(self, prompt: str, *, seconds: float, drain: float, has_lags: bool = True) -> AnswerRun:
        """Types a prompt, presses Enter, and waits until the answer is complete and shown.

        ``seconds`` is what the answer takes at most, ``drain`` what the program may be late.
        Raises SessionError where no request reaches the server or no answer comes.
        """
        known = len(self._log.answers())
        self.terminal.type(prompt)
        time.sleep(0.3)
        first_chunk = len(self.terminal.chunks)
        self.terminal.keys("enter")
        truth = self.wait_answer(known, seconds)
        has_settled = self._wait_idle(time.monotonic() + drain)
        settled_ns = time.perf_counter_ns()
        chunks = tuple(self.terminal.chunks[first_chunk:])
        resident = rss_bytes(self.pid)
        return AnswerRun(
            truth,
            chunks,
            self.cost,
            settled_ns,
            has_settled,
            resident,
            self._lags(truth) if has_lags else None,
        )

    def wait_answer(self, known: int, seconds: float) -> TrueAnswer:
        """Waits for the end of the answer after ``known`` others. Raises SessionError."""
        asked = time.monotonic()
        while True:
            answers = self._log.answers()
            waited = time.monotonic() - asked
            if len(answers) > known and answers[known].finished_ns is not None:
                if len(answers[known].token_ns) < 8:
                    raise self._failed("the answer had fewer than 8 tokens")
                return answers[known]
            if self.terminal.exit_code is not None:
                raise self._failed(f"it ended with {self.terminal.exit_code}")
            if len(answers) <= known and waited > 10:
                raise self._failed("no request reached the server within 10 s of Enter")
            if waited > seconds:
                raise self._failed(f"no end of the answer within {seconds:.0f} s")
            time.sleep(0.05)

    def cpu_pct_between(self, from_ns: int, to_ns: int) -> float:
        """Processor time of the program in this interval, in per cent of one core."""
        return 100 * self.cost.cpu_between(from_ns, to_ns) / (to_ns - from_ns)

    def bytes_per_s_between(self, from_ns: int, to_ns: int) -> float:
        """The bytes that the terminal received in this interval."""
        return self.terminal.bytes_between(from_ns, to_ns) / ((to_ns - from_ns) / 1e9)

    def _failed(self, why: str) -> SessionError:
        return SessionError(f"{self.program.name}: {why}; the screen:\n{self.terminal.text()}")

    def _lags(self, truth: TrueAnswer) -> Lags:
        new = self.terminal.chunks[self._replayed_chunks :]
        self._replayed_chunks += len(new)
        return replay(self._replayed, new, truth, self._right)

    def ask_for_prose(self, seconds: float) -> None:
        """Requests a long answer and lets it stream for so many seconds."""
        self.terminal.type("[[prose]]")
        self.terminal.keys("enter")
        time.sleep(seconds)

    def close(self) -> None:
        self.cost.stop()
        self.terminal.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

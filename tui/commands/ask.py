"""``npulse ask``: one prompt, its answer on stdout, the numbers of the dashboard without a screen.

The network has a loop and a thread of its own, as in the dashboard: a slow pipe behind stdout
delays the printing, never the clock of the tokens.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TypeVar

from tui.board.readers.files import Files
from tui.board.runtime_log.reader import RuntimeLog
from tui.commands.answer_json import write_answer
from tui.commands.ask_arguments import config_values, parser
from tui.commands.ask_board import AskBoard
from tui.commands.ask_history import AnswerKeeper, conversation_of, resumed, settle_words
from tui.commands.ask_progress import AskProgress
from tui.commands.ask_recording import AnswerRecording
from tui.commands.exit_code import ExitCode
from tui.commands.in_use import overlap_guard, waits_behind_another
from tui.commands.parser import complain
from tui.commands.stdin_prompt import whole_prompt
from tui.commands.wait_lines import WaitLines
from tui.core.screen.footer import footer_line, thinking_note
from tui.core.turn.think import Reclassified
from tui.core.turn.turn import Turn
from tui.core.types import ChatRequest, GenerationSettings, Message, ModelInfo, Segment, TurnError
from tui.servers.access import Access
from tui.servers.capabilities import flattening_note
from tui.servers.client import Client
from tui.servers.connection_state import Server
from tui.servers.exchange import answer
from tui.servers.locate import NoServerError, choose_model
from tui.servers.locate_when_free import locate_when_free
from tui.servers.loop import EventLoopThread
from tui.servers.models import give_up
from tui.servers.tokenizer import ModelTokenizer
from tui.settings.config import ConfigError, LoadedConfig, config_paths, load
from tui.settings.server_options import phase_timeouts, server_access, server_urls
from tui.settings.state import remembered_servers

UNREACHABLE_KINDS = frozenset({"refused", "dns", "connect_timeout"})
PRINT_EVERY_S = 0.05
LEAVE_S = 2.0
"""Longest time that this command takes at its end to leave the server ready for the next prompt."""
SILENCE_EVERY_S = 10.0
"""Time between two messages about a continuing silence."""

T = TypeVar("T")


class Stopped(BaseException):
    """SIGINT or SIGTERM arrived."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """The turn; the server if one was found; the client if the turn can begin."""

    turn: Turn
    server: Server | None = None
    client: Client | None = None
    model: ModelInfo | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The turn however it ended, and the server if one was found."""

    turn: Turn
    server: Server | None


def main(argv: Sequence[str]) -> int:
    """Run ``npulse ask`` with these arguments; returns the exit code."""
    return run(parser().parse_args(list(argv)))


def run(options: argparse.Namespace) -> int:
    """Answer a prompt as these options of :func:`parser` say; returns the exit code."""
    try:
        config = load(config_paths(options.config), os.environ, config_values(options))
        server_urls(config.settings.server)
        access = server_access(config.settings.server, options.api_key)
        settle_words(options)
        found = resumed(options)
        recording = AnswerRecording.of(options)
        prompt = whole_prompt(options.prompt, _complain)
    except (ConfigError, ValueError, OSError) as error:
        return _usage(str(error), options)
    for warning in config.warnings:
        _complain(warning)
    if not prompt.strip():
        return _usage("the prompt is empty", options)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    signal.signal(signal.SIGINT, _stop)
    settings = config.settings.generation.to_generation()
    messages = conversation_of(found).messages_for(prompt, settings)
    is_kept = not options.no_store
    keeper = AnswerKeeper(config.settings.history, found, is_wanted=is_kept)
    progress = AskProgress(options, config.settings.ui, config.settings.history)
    outcome = _run(messages, options, config, access, keeper, progress, recording)
    return _report(outcome, options)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def _run(
    messages: tuple[Message, ...],
    options: argparse.Namespace,
    config: LoadedConfig,
    access: Access,
    keeper: AnswerKeeper,
    progress: AskProgress,
    recording: AnswerRecording,
) -> Outcome:
    """Find the server, ask, print text as it arrives. Never raises: the turn has the outcome."""
    settings = config.settings.generation.to_generation()
    model = options.model or config.settings.server.model
    turn = recording.new_turn(ChatRequest(model, messages, settings), time.perf_counter_ns())
    prepared: Prepared | None = None
    section = config.settings.board
    board = AskBoard(Path(section.root).expanduser(), section.interval_s)
    loop = EventLoopThread()
    loop.start()
    try:
        lines = WaitLines("npulse ask", after_s=0.7)
        finding = loop.submit(_prepare(turn, config, access, recording))
        while not _is_done(finding):
            lines.tell(turn.wait)
        prepared = finding.result()
        turn = prepared.turn
        if prepared.client is not None and prepared.server is not None:
            keeper.begin(turn, prepared.server, prepared.model)
            recording.begin(turn, prepared.server, prepared.model)
            board.begin(prepared.server, recording.takers, keeper.takers)
            note = flattening_note(prepared.server.dialect)
            if note is not None and any(message.role == "assistant" for message in messages):
                _complain(note)
            log = _runtime_log(prepared, options)
            marked = None if log is None else loop.submit(log.begin())
            guard = keeper.guard(prepared.server, overlap_guard(prepared.server))
            if waits_behind_another(prepared.server):
                turn.note_before_prefill("queue")
            work = loop.submit(answer(prepared.client, turn.request, turn, in_use=guard))
            progress.begin(loop, turn, prepared.server)
            _print_while(work, turn, options, lines, progress)
            if log is not None and marked is not None:
                marked.result()
                _write_rest(turn, options)
                numbers = loop.submit(log.numbers_of(turn)).result()
                if numbers is not None:
                    turn.note_runtime(numbers)
                    keeper.renew(turn)
                    recording.renew(turn)
            tokenizer = ModelTokenizer(config.settings.server.tokenizer, _complain)
            if tokenizer.is_usable:
                _write_rest(turn, options)
                if tokenizer.note_counts(turn):
                    keeper.renew(turn)
                    recording.renew(turn)
    except (Stopped, KeyboardInterrupt):
        turn.stop(time.perf_counter_ns())
    finally:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # what is left to do is quick
        progress.end(turn)
        if prepared is not None and turn.status == "stopped" and turn.wait is None:
            _leave(loop, prepared)
        loop.stop()
        board.close()
        keeper.close()
        recording.close()
    return Outcome(turn, None if prepared is None else prepared.server)


def _leave(loop: EventLoopThread, prepared: Prepared) -> None:
    """Tells a server to drop a model whose process ends with this connection; otherwise it lists
    the model for another minute, and the next prompt waits for 300 s.
    """
    client, server = prepared.client, prepared.server
    if client is not None and server is not None and server.dialect.is_model_lost_by_disconnect:
        name = prepared.turn.request.model
        with contextlib.suppress(FutureTimeout):
            loop.submit(give_up(client, name, LEAVE_S)).result(2 * LEAVE_S)


async def _prepare(
    turn: Turn, config: LoadedConfig, access: Access, recording: AnswerRecording
) -> Prepared:
    """Find the server and the model. Where that fails, the turn fails with the reason."""
    timeouts = phase_timeouts(config.settings.server)
    remembered = remembered_servers()
    start_ns = time.perf_counter_ns()
    try:
        server = await locate_when_free(
            server_urls(config.settings.server),
            access,
            remembered_url=remembered.url,
            limit_s=timeouts.busy_s,
            on_note=_complain,
            on_wait=lambda reason: turn.note_wait(start_ns, reason),
        )
    except NoServerError as error:
        turn.fail(time.perf_counter_ns(), error.turn_error)
        return Prepared(turn)
    client = Client(server.url, server.dialect, timeouts, server.access)
    used_last = remembered.model_of(server.url)
    found = await choose_model(client, server, turn.request.model, used_last)
    choice = found.choice
    if choice.problem is not None:
        turn.fail(time.perf_counter_ns(), TurnError("validation", choice.problem), is_refused=True)
        return Prepared(turn, server)
    request = replace(turn.request, model=choice.name)
    ready = recording.new_turn(
        request, time.perf_counter_ns(), server.dialect.chunk_meaning, found.info.context_tokens
    )
    if found.has_to_load:
        ready.note_before_prefill("load")
    if turn.wait is not None:
        ready.note_wait(turn.wait.since_ns, turn.wait.reason)
    return Prepared(ready, server, client, found.info)


def _is_done(work: Future[T]) -> bool:
    """Whether the task is done, after waiting a moment for it."""
    with contextlib.suppress(FutureTimeout):
        work.exception(PRINT_EVERY_S)
    return work.done()


def _print_while(
    work: Future[None],
    turn: Turn,
    options: argparse.Namespace,
    lines: WaitLines,
    progress: AskProgress,
) -> None:
    """Print text until the answer ends; report why a prompt waits, its progress, and with
    ``--stats`` a long silence.
    """
    told_s = 0.0
    while True:
        is_over = work.done()
        lines.tell(turn.wait)
        progress.tell(turn)
        segments = turn.take_pending()
        if segments and not options.json:
            progress.before_text()
            _write(segments)
        if options.stats:
            silent_s = turn.stats(time.perf_counter_ns()).silent_s or 0.0
            if silent_s > told_s + (SILENCE_EVERY_S if told_s else 0.0):
                _complain(f"no token for {silent_s:.0f} s")
                told_s = silent_s
            elif not silent_s:
                told_s = 0.0
        if is_over:
            work.result()
            return
        _is_done(work)


def _runtime_log(prepared: Prepared, options: argparse.Namespace) -> RuntimeLog | None:
    """The log of a server on this machine, where its numbers are asked for."""
    server = prepared.server
    port = None if server is None else server.port_on_this_machine
    return RuntimeLog(Files(), port) if port and (options.stats or options.json) else None


def _write_rest(turn: Turn, options: argparse.Namespace) -> None:
    """Print the rest of the text, without waiting for late numbers."""
    if not options.json:
        _write_pending(turn)


def _write_pending(turn: Turn) -> None:
    """New text of the answer to stdout."""
    _write(turn.take_pending())


def _write(segments: Sequence[Segment]) -> None:
    """Text of the answer to stdout. Thinking is not printed.

    Text that turns out to have been thinking is out already; a blank line sets it apart.
    """
    for segment in segments:
        if isinstance(segment, Reclassified):
            sys.stdout.write("\n\n")
        elif segment.kind == "text":
            sys.stdout.write(segment.text)
    sys.stdout.flush()


def _report(outcome: Outcome, options: argparse.Namespace) -> int:
    """The rest of the text, the numbers, the error; returns the exit code."""
    turn, now_ns = outcome.turn, time.perf_counter_ns()
    server = outcome.server
    if options.json:
        write_answer(turn, now_ns, None if server is None else server.name, sys.stdout)
    else:
        _write_pending(turn)
        last = next(iter(deque(turn.parts("text"), 1)), "")
        if last and not last.endswith("\n"):
            print(flush=True)
    if turn.error is not None:
        _complain(turn.error.sentence)
    elif turn.note is not None:
        _complain(turn.note)
    elif turn.status == "stopped" and server and not server.dialect.is_stopped_by_disconnect:
        _complain(_after_stop(server))
    if options.stats:
        stats = turn.stats(now_ns)
        note = thinking_note(stats)
        print(footer_line(stats, turn.status) + (f"  {note}" if note else ""), file=sys.stderr)
        if turn.runtime is not None:
            print(turn.runtime.line, file=sys.stderr)
    return exit_code(turn)


def _after_stop(server: Server) -> str:
    """What the server does with an answer whose connection was closed."""
    if server.dialect.is_model_lost_by_disconnect:
        return f"{server.name} drops the model with this answer and loads it again for the next one"
    return f"{server.name} still works on this answer; the next prompt waits for it"


def exit_code(turn: Turn) -> int:
    """0 answered, 2 refused as wrong, 4 incomplete, 5 not reached, 130 stopped."""
    if turn.status == "complete":
        return ExitCode.OK
    if turn.status == "stopped":
        return ExitCode.STOPPED
    kind = turn.error.kind if turn.error is not None else ""
    if kind in UNREACHABLE_KINDS:
        return ExitCode.UNREACHABLE
    return ExitCode.USAGE if kind == "validation" else ExitCode.INCOMPLETE


def _complain(sentence: str) -> None:
    complain("npulse ask", sentence)


def _usage(sentence: str, options: argparse.Namespace) -> int:
    """Reports a usage error, in the JSON too."""
    now_ns = time.perf_counter_ns()
    turn = Turn(ChatRequest(options.model or "", (), GenerationSettings()), now_ns)
    turn.fail(now_ns, TurnError("validation", sentence), is_refused=True)
    return _report(Outcome(turn, None), options)

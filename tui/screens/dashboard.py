"""The dashboard: chat at the left, speed and board at the right."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from tui.core.board.history import BoardHistory
from tui.core.screen.backend import ScreenBackend
from tui.core.screen.chat import ANSWER_RUNS, Chat
from tui.core.screen.footer import footer_line, result_line, thinking_note
from tui.core.screen.key_names import key_cap, shown_key
from tui.core.screen.keymap import Place
from tui.core.screen.keys import CHAT_KEYS, DEMO_LETTER, FOCUS
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.turn.conversation import PastTurn
from tui.core.turn.think import Reclassified
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import Phase
from tui.widgets.board.panels import BoardPanel, board_rows, memory_rows, npu_rows
from tui.widgets.board.why import roofline_row, why_row
from tui.widgets.chat.header import Header
from tui.widgets.chat.key_bar import HintOf, KeyBar, key_hints
from tui.widgets.chat.message_line import MessageBar
from tui.widgets.chat.prompt import Prompt
from tui.widgets.chat.search_line import SearchLine
from tui.widgets.chat.server_line import ServerLine, UrlField
from tui.widgets.chat.speed import SpeedPanel
from tui.widgets.chat.strip import StatusStrip
from tui.widgets.kit.bindings import bindings
from tui.widgets.kit.lean_compositor import LeanCompositor
from tui.widgets.kit.rows import Row, Rows
from tui.widgets.transcript.style import MEANING_CSS
from tui.widgets.transcript.transcript import Transcript
from tui.widgets.transcript.turn_view import TurnView

WIDE_COLUMNS = 100
MIN_COLUMNS, MIN_ROWS = 40, 10
NUMBERS_S = 0.5
"""How often the figures of a running answer are drawn: a person cannot read them faster."""


STRAY_ESC_S = 0.5
"""An Esc so soon after another screen has closed was meant for that screen."""

END_STATES: Mapping[Phase, Literal["stopped", "error"]] = {
    Phase.STOPPED: "stopped",
    Phase.ERROR: "error",
}

PROMPT_HINTS: tuple[HintOf, ...] = (
    HintOf("send", "prompt.send"),
    HintOf("stop", "stop"),
    HintOf("help", "help"),
    HintOf("model", "models"),
    HintOf("bench", "bench"),
    HintOf("history", "history"),
    HintOf("board", "board"),
    HintOf("settings", "settings"),
    HintOf("commands", "palette"),
    HintOf("again", "regenerate"),
    HintOf("new", "new"),
    HintOf("copy", "copy"),
    HintOf("quit", "quit"),
)
DEMO_HINT = HintOf("demo", "transcript.demo")
URL_HINTS: tuple[HintOf, ...] = (
    HintOf("connect", "server.connect"),
    HintOf("demo", "demo"),
    HintOf("prompt", "stop"),
)
TRANSCRIPT_HINTS: tuple[HintOf, ...] = (
    HintOf("thinking", "transcript.thinking"),
    HintOf("plain", "transcript.plain"),
    HintOf("next turn", "transcript.next_turn"),
    HintOf("next code", "transcript.next_code"),
    HintOf("search", "transcript.search"),
    HintOf("copy", "transcript.copy"),
    HintOf("copy code", "transcript.copy_code"),
)
MATCH_HINTS: tuple[HintOf, ...] = (
    HintOf("next", "transcript.next_match"),
    HintOf("previous", "transcript.prev_match"),
    HintOf("back", "stop"),
)


class Dashboard(Screen[None]):
    """Wires the panels to the chat; draws frames while text is pending and sleeps otherwise.

    ``keymap`` has the keys of each action. ``copy`` puts a text into the clipboard and gives the
    sentence that says where it is; its second argument is what the text is.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, because the prompt would take some of these for itself.
        *bindings(CHAT_KEYS),
        # Without, because where text is taken they are text, or must not overtake it.
        *bindings([FOCUS, DEMO_LETTER], has_priority=False),
    ]
    HELP_PLACE: ClassVar[Place] = "chat"

    AUTO_FOCUS = "#prompt"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]

    CSS = MEANING_CSS
    DEFAULT_CSS = """
    Dashboard { layout: vertical; background: $background; color: $foreground; }
    Dashboard #body { height: 1fr; }
    Dashboard #panels {
        width: 44; padding: 0 1; border-left: solid $rule; overflow: hidden hidden;
    }
    Dashboard #panels Rows { border-top: solid $rule; }
    Dashboard #panels #speed { border-top: none; }
    Dashboard #strip { height: 1; }
    Dashboard #prompt-box {
        height: auto; max-height: 40%; border-top: solid $rule; padding: 0;
    }
    Dashboard #prompt-mark { width: 3; height: 1; color: $live; }
    Dashboard Prompt { width: 1fr; }
    Dashboard.-narrow #panels { display: none; }
    Dashboard.-wide #strip { display: none; }
    Dashboard.-ascii #panels { border-left: ascii $rule; }
    Dashboard.-ascii #panels Rows, Dashboard.-ascii #prompt-box { border-top: ascii $rule; }
    Dashboard.-ascii #panels #speed { border-top: none; }
    Dashboard #too-small { display: none; width: 100%; height: 100%; content-align: center middle; }
    Dashboard.-tiny > * { display: none; }
    Dashboard.-tiny #too-small { display: block; }
    """

    def __init__(
        self,
        backend: ScreenBackend,
        glyphs: Glyphs,
        keymap: Mapping[str, str],
        copy: Callable[[str, str], str],
        frames_per_s: int = 15,
    ) -> None:
        super().__init__()
        self._compositor = LeanCompositor()
        self.set_class(glyphs.is_ascii, "-ascii")
        self._backend = backend
        self._glyphs = glyphs
        self._keymap = keymap
        self._copy_text = copy
        self._frames_per_s = frames_per_s
        self._board_key = key_cap(keymap["board"])
        self._history_key = key_cap(keymap["history"])
        self._shown: Turn | None = None
        self._refusal = ""
        self._resumed_s = 0.0
        self._old_turns: tuple[TurnView, ...] = ()
        """Of the conversation that was set aside."""
        self._draft = ""
        """What stood in the prompt then."""
        self._has_opened = False
        self._is_asking_url = False
        """The line for a URL was asked for by the user."""
        self._wanted_url = ""
        """The URL that was typed last."""
        self._frames: Timer | None = None
        self._numbers: Timer | None = None

    def compose(self) -> ComposeResult:
        # Known already, so that the first layout is the last one.
        is_wide = self.app.size.width >= WIDE_COLUMNS
        self.set_class(is_wide, "-wide")
        self.set_class(not is_wide, "-narrow")
        backend, glyphs = self._backend, self._glyphs
        yield Header(backend.headline, glyphs, id="header")
        with Horizontal(id="body"):
            yield Transcript(glyphs, id="transcript")
            with Vertical(id="panels"):
                yield SpeedPanel(self.stats, self._note, glyphs, id="speed")
                yield BoardPanel(npu_rows, self._history, glyphs, id="npu")
                yield BoardPanel(memory_rows, self._history, glyphs, id="memory")
                yield BoardPanel(self._board_rows, self._history, glyphs, id="ddr")
        send = key_cap(self._keymap["prompt.send"])
        yield StatusStrip(
            self.stats, self._note, self._history, self._warning_key, glyphs, id="strip"
        )
        yield ServerLine(key_cap(self._keymap["server.connect"]), id="server")
        with Horizontal(id="prompt-box"):
            yield Static(f" {glyphs.prompt} ", id="prompt-mark", markup=False)
            yield Prompt(placeholder=f"ask the model; {send} sends", id="prompt")
            yield SearchLine(self._close_search, id="search")
        yield MessageBar((), glyphs, id="keys")
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        self.show_notice()

    def on_resize(self, event: events.Resize) -> None:
        if event.size != self.app.size:
            # Overtaken by a newer size. While the first paint is held back, two sizes would
            # otherwise chase each other for ever: laying out one announces the other anew.
            event.prevent_default()
            return
        width, height = event.size
        is_tiny = width < MIN_COLUMNS or height < MIN_ROWS
        self.set_class(is_tiny, "-tiny")
        if is_tiny:
            self.query_one("#too-small", Static).update(
                f"npulse needs {MIN_COLUMNS}x{MIN_ROWS}; this terminal is {width}x{height}"
            )

    def on_screen_resume(self) -> None:
        if self._has_opened:
            self._resumed_s = time.monotonic()
        self._has_opened = True

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The bottom line shows the keys of what has the focus."""
        self._show_hints(event.widget)

    def _show_hints(self, focused: Widget | None) -> None:
        hints = PROMPT_HINTS
        if isinstance(focused, UrlField):
            hints = URL_HINTS if self._is_server_missing else (URL_HINTS[0], URL_HINTS[-1])
        elif isinstance(focused, Transcript):
            behind = "server" if self.query_one(ServerLine).display else "prompt"
            hints = (DEMO_HINT, HintOf(behind, "focus"), *TRANSCRIPT_HINTS)
        self.query_one(MessageBar).set_hints(key_hints(self, hints))

    def on_key(self, event: events.Key) -> None:
        """What nobody else took: text goes to the prompt, from wherever it was typed."""
        is_command = event.key in self.active_bindings
        if event.is_printable and event.character is not None and not is_command:
            event.stop()
            self._take_text(event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._take_text(event.text)

    def _take_text(self, text: str) -> None:
        search = self.query_one(SearchLine)
        if search.display:
            search.focus()
            search.insert_text_at_cursor(text)
        else:
            self.query_one(Prompt).take_text(text)

    @property
    def _chat(self) -> Chat:
        return self._backend.chat

    @property
    def is_busy(self) -> bool:
        """An answer is running or waited for."""
        return self._chat.waiting is not None or self._chat.is_answering

    # What the panels pull ------------------------------------------------------------------

    def stats(self) -> TurnStats | None:
        """The numbers of the turn in flight or of the last one."""
        turn = self._chat.turn
        return None if turn is None else turn.stats(self._backend.clock_ns())

    def _history(self) -> BoardHistory:
        return self._backend.board.history

    def _board_rows(self, history: BoardHistory, width: int, glyphs: Glyphs) -> list[Row]:
        title, ddr, soc, own = board_rows(history, width, glyphs)
        facts = self._backend.board.facts
        if facts is None:
            return [title, ddr, soc, (), (), own]
        roofline = roofline_row(facts.decode, width, glyphs)
        why = why_row(facts.findings, width, glyphs, self._board_key)
        return [title, ddr, soc, roofline, why, own]

    def _warning_key(self) -> str | None:
        """The key of the board screen while something there should be done."""
        facts = self._backend.board.facts
        if facts is None:
            return None
        is_wrong = any(finding.weight == "act" for finding in facts.findings)
        return self._board_key if is_wrong or facts.alert else None

    def _note(self) -> str | None:
        chat = self._chat
        has_figures = chat.turn is not None and not chat.turn.phase.is_over
        if chat.finishing_note is not None or has_figures:
            return chat.finishing_note
        return self._backend.headline().activity

    def show_board(self) -> None:
        """A new snapshot is there."""
        for panel in ("#header", "#speed", "#npu", "#memory", "#ddr", "#strip"):
            self.query_one(panel, Rows).refresh_rows()
        self.query_one(Transcript).live_turn.set_status(self._status())

    def show_server(self) -> None:
        """Draw anew what depends on the server."""
        self._show_runtime()
        self.show_notice()
        self._show_server_line()
        if self._backend.headline().server_state == "ready":
            self.query_one(MessageBar).withdraw(self._refusal)

    def show_notice(self) -> None:
        """Tell again what the empty transcript has to say."""
        self.query_one("#header", Rows).refresh_rows()
        notice = [*self._backend.notice(self._keymap)]
        if self._chat.has_old_conversation:
            notice += ["", f"{self._old_note}."]
        self.query_one(Transcript).set_notice(notice)

    def say(self, text: str, role: str = "soft") -> None:
        """One sentence in the bottom line."""
        self.query_one(MessageBar).say(text, role)

    # The way to a server -------------------------------------------------------------------

    @property
    def _is_server_missing(self) -> bool:
        return self._backend.headline().is_server_missing

    def _show_server_line(self) -> None:
        """The line for a URL: there while no server answers, gone when one does."""
        line, headline = self.query_one(ServerLine), self._backend.headline()
        if headline.is_server_missing:
            line.display = True
            if self._wanted_url and self._wanted_url == line.field.value:
                line.show_problem(headline.server_problem)
        elif line.display and headline.server is not None and not self._is_asking_url:
            self._close_server_line()
        self._show_hints(self.focused)

    def _close_server_line(self) -> None:
        line = self.query_one(ServerLine)
        self._is_asking_url = False
        if line.field.has_focus:
            # At once: the next key may be here already.
            self.set_focus(self.query_one(Prompt))
        line.display = self._is_server_missing

    def action_connect(self) -> None:
        """The field for the URL of a server."""
        line = self.query_one(ServerLine)
        self._is_asking_url = True
        line.display = True
        line.field.focus()

    def on_server_line_submitted(self, event: ServerLine.Submitted) -> None:
        refusal = self._backend.connect(event.url)
        if refusal is not None:
            self.query_one(ServerLine).show_problem(refusal)
            return
        self._wanted_url = event.url
        self._is_asking_url = False
        self.say("looking for a server there")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Some keys have another meaning while they are not wanted for this one."""
        if action == "old_conversation":
            # The prompt undoes what was written since first.
            is_unchanged = self.query_one(Prompt).text in ("", self._draft)
            return self._chat.has_old_conversation and is_unchanged
        if action == "demo_letter":
            return self._is_server_missing and isinstance(self.focused, Transcript)
        return True

    def action_demo_letter(self) -> None:
        self.action_demo()

    def action_demo(self) -> None:
        """Start the simulated board."""
        refusal = self._backend.start_demo()
        if refusal is None:
            self.set_focus(self.query_one(Prompt))
        self.say(refusal or "starting the simulated board", "warn" if refusal else "soft")

    # Sending and receiving -----------------------------------------------------------------

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        if not self._ask(event.text):
            self.query_one(Prompt).refused(event.text)

    def _ask(self, text: str) -> bool:
        """Send a prompt; False where it was refused, which the bottom line then says."""
        refusal = self._chat.ask(text)
        if refusal is not None:
            self._refusal = refusal
            self.say(refusal, "warn")
            return False
        self.query_one(Prompt).accepted(text)
        self.begin_turn(text)
        note = self._chat.take_note()
        if note is not None:
            self.say(note)
        return True

    def on_prompt_empty_submitted(self) -> None:
        """Enter again: a prompt that waits behind a stopped answer is sent all the same."""
        if self._chat.waiting is not None:
            self._chat.send_anyway()

    def begin_turn(self, prompt: str) -> None:
        """Show a prompt that was taken and start drawing what comes."""
        headline = self._backend.headline()
        transcript = self.query_one(Transcript)
        self._old_turns = ()
        transcript.begin(prompt, model=headline.model or "")
        self._shown = None
        self._start_timers()
        self._draw_numbers()

    def _start_timers(self) -> None:
        if self._frames is None:
            self._frames = self.set_interval(1 / self._frames_per_s, self._draw_frame)
            self._numbers = self.set_interval(NUMBERS_S, self._draw_numbers)

    def _stop_timers(self) -> None:
        for timer in (self._frames, self._numbers):
            if timer is not None:
                timer.stop()
        self._frames = self._numbers = None

    def _draw_frame(self) -> None:
        """One frame: everything that arrived since the last one, at once."""
        turn = self._chat.turn
        if turn is None or self._chat.waiting is not None:
            return
        if self._shown is not turn:
            self.query_one(Transcript).live_turn.attach(turn)
        self._shown = turn
        is_over = turn.phase.is_over
        self._feed(turn)
        if is_over:
            self._end_turn(turn)

    def _feed(self, turn: Turn) -> None:
        transcript = self.query_one(Transcript)
        segments = turn.take_pending()
        if segments and isinstance(segments[0], Reclassified):
            transcript.live_turn.reclassify()
            segments = segments[1:]
        if segments:
            transcript.feed(segments)

    def _end_turn(self, turn: Turn) -> None:
        self._stop_timers()
        stats = turn.stats(self._backend.clock_ns())
        error = None if turn.error is None else turn.error.sentence
        self.query_one(Transcript).end(
            self._footer(turn),
            state=END_STATES.get(turn.phase, "done"),
            error=error,
            thinking_note=thinking_note(stats),
        )
        if turn.error is not None:
            self.query_one(Prompt).restore(turn.request.messages[-1].content)
        self._chat.commit_turn()
        self.query_one(MessageBar).withdraw(ANSWER_RUNS)
        self._draw_numbers()

    def _footer(self, turn: Turn) -> str:
        stats = turn.stats(self._backend.clock_ns())
        line = footer_line(stats, turn.status, turn.model or self._backend.headline().model)
        return line if turn.runtime is None else f"{line}  {turn.runtime.line}"

    def _show_runtime(self) -> None:
        """Some numbers come a moment after the end of the answer: the runtime's, exact counts."""
        turn = self._chat.turn
        if turn is None or turn is not self._shown or not turn.has_late_numbers:
            return
        if turn.phase.is_over and not turn.has_pending:
            self.query_one(Transcript).live_turn.set_footer(self._footer(turn))
            self.query_one("#speed", Rows).refresh_rows()

    def _draw_numbers(self) -> None:
        """The figures and the status row, at their own slow rate."""
        self.query_one("#speed", Rows).refresh_rows()
        self.query_one("#strip", Rows).refresh_rows()
        self.query_one("#header", Rows).refresh_rows()
        transcript = self.query_one(Transcript)
        transcript.live_turn.set_status(self._status())
        stats = self.stats()
        if stats is not None and stats.thinking_tokens and stats.phase is Phase.ANSWERING:
            transcript.live_turn.set_thinking_note(thinking_note(stats))

    def _status(self) -> str | None:
        """The live row under a prompt that has no answer yet."""
        chat = self._chat
        if (waiting := chat.waiting) is not None:
            elapsed = (self._backend.clock_ns() - waiting.since_ns) / 1e9
            return f"{waiting.reason}, {fmt.long_seconds(elapsed)}"
        turn = chat.turn
        if turn is None or turn.phase not in (Phase.WAITING, Phase.PREFILL):
            return None
        elapsed_s = turn.stats(self._backend.clock_ns()).elapsed_s
        text = f"{turn.phase.value} {fmt.long_seconds(elapsed_s)}"
        if chat.was_busy:
            return f"waiting {fmt.long_seconds(elapsed_s)}, the NPU was busy before this prompt"
        forecast = chat.prefill_forecast_s()
        return text if forecast is None else f"{text} of about {fmt.long_seconds(forecast)}"

    # Actions -------------------------------------------------------------------------------

    def action_stop(self, is_meant: bool = False) -> None:
        """One step back: the line of a search, the answer, what is marked in the transcript.

        ``is_meant`` says that it is no key which may have been for another screen.
        """
        if not is_meant and time.monotonic() - self._resumed_s < STRAY_ESC_S:
            return
        if self.query_one(ServerLine).field.has_focus:
            self._close_server_line()
            return
        search, chat = self.query_one(SearchLine), self._chat
        if search.display:
            search.give_up()
            return
        if self.is_busy:
            taken_back = chat.stop()
            if taken_back is not None:
                self.query_one(Transcript).end(
                    "not sent", state="stopped", error=None, thinking_note=""
                )
                self._stop_timers()
                self.query_one(MessageBar).withdraw(ANSWER_RUNS)
                self.query_one(Prompt).restore(taken_back)
            else:
                self._draw_frame()
            return
        transcript = self.query_one(Transcript)
        transcript.search("")
        transcript.deselect()
        self.query_one(Prompt).focus()

    # Searching -----------------------------------------------------------------------------

    def action_search(self) -> None:
        """The prompt's line takes a pattern."""
        self._show_search(True)
        self.query_one(SearchLine).focus()

    def on_transcript_search_requested(self) -> None:
        self.action_search()

    def _show_search(self, is_shown: bool) -> None:
        self.query_one(SearchLine).display = is_shown
        self.query_one(Prompt).display = not is_shown
        mark = "/" if is_shown else self._glyphs.prompt
        self.query_one("#prompt-mark", Static).update(f" {mark} ")

    def on_search_line_searched(self, event: SearchLine.Searched) -> None:
        self.query_one(Transcript).search(event.pattern)

    def _close_search(self, pattern: str) -> None:
        transcript = self.query_one(Transcript)
        self._show_search(False)
        # At once: the next key may be here already.
        self.set_focus(transcript if pattern else self.query_one(Prompt))
        if pattern and not transcript.is_searching:
            transcript.search(pattern)

    def on_transcript_search_changed(self, event: Transcript.SearchChanged) -> None:
        if not event.pattern:
            self.query_one(MessageBar).end()
        elif not event.count:
            self.say("no match", "warn")
        else:
            keys = key_hints(self, MATCH_HINTS)
            told = ", ".join(f"{hint.cap} {hint.label}" for hint in keys)
            self.say(f"match {event.position} of {event.count}; {told}")

    # Talking again -------------------------------------------------------------------------

    def action_regenerate(self) -> None:
        prompt = self._chat.take_last()
        if prompt is None:
            nothing = "no finished answer to repeat"
            self.say(ANSWER_RUNS if self.is_busy else nothing, "warn")
            return
        self._ask(prompt)

    def action_new_conversation(self) -> None:
        if not self._chat.clear():
            self.say(ANSWER_RUNS, "warn")
            return
        turns = self.query_one(Transcript).clear()
        if turns:
            self._old_turns = turns
            prompt = self.query_one(Prompt)
            # What is written from here on is undone apart from the draft.
            prompt.history.checkpoint()
            self._draft = prompt.text
        self.show_notice()
        self._draw_numbers()
        self.say(self._old_note if turns else "a new conversation")

    @property
    def _old_note(self) -> str:
        """What brings the old conversation back, where a key does."""
        key = shown_key(self._keymap["old"].split(",")[0].strip())
        return f"a new conversation; {key} brings the old one back" if key else "a new conversation"

    def action_old_conversation(self) -> None:
        """Undo a new conversation."""
        if not self._chat.bring_back():
            self.say("there is no old conversation to bring back", "warn")
            return
        self.query_one(Transcript).put_back(self._old_turns)
        self._old_turns = ()
        self._draw_numbers()
        self.say("the old conversation is back")

    def action_edit(self) -> None:
        """The last prompt comes back to be changed; what it was answered stays in the history."""
        field = self.query_one(Prompt)
        if field.text.strip():
            self.say("the prompt is not empty: send or clear it first", "warn")
            return
        prompt = self._chat.take_last()
        if prompt is None:
            nothing = "there is no finished answer whose prompt could be edited"
            self.say(ANSWER_RUNS if self.is_busy else nothing, "warn")
            return
        self.set_focus(field)
        field.write_anew(prompt)
        self.say(f"edit and send; the first answer stays in the history ({self._history_key})")

    def show_conversation(self, past: Sequence[PastTurn], prompt: str, said: str) -> None:
        """Show a stored conversation that goes on, with ``prompt`` to be edited."""
        transcript = self.query_one(Transcript)
        transcript.clear()
        self._old_turns = ()
        self._shown = None
        for one in past:
            result = one.result
            transcript.add_finished(
                one.prompt,
                thinking=result.thinking,
                answer=result.text,
                footer=result_line(result),
                state="done" if result.error is None else "error",
                error=None if result.error is None else result.error.sentence,
                model=result.model,
            )
        transcript.show_end()
        field = self.query_one(Prompt)
        self.set_focus(field)
        self._draw_numbers()
        if prompt and not field.write_anew(prompt):
            self.say("what you were writing is still here; the prompt to edit is not", "warn")
        else:
            self.say(said)

    def action_copy_answer(self) -> None:
        transcript = self.query_one(Transcript)
        if selected := transcript.selection_text():
            self._copy(selected, "the selection")
        else:
            self._copy(transcript.copy_text.last_answer, "the last answer")

    def action_copy_code(self) -> None:
        self.query_one(Transcript).action_copy_code()

    def on_transcript_copy_requested(self, event: Transcript.CopyRequested) -> None:
        self._copy(event.text, event.what)

    def _copy(self, text: str, what: str) -> None:
        if not text:
            self.say(f"there is nothing to copy as {what}", "warn")
            return
        self.say(self._copy_text(text, what))

    def action_toggle_thinking(self) -> None:
        self.query_one(Transcript).toggle_thinking()

    def action_toggle_plain(self) -> None:
        self.query_one(Transcript).toggle_raw()

    def action_jump_turn(self, step: int) -> None:
        self.query_one(Transcript).jump_turn(step)

    def action_jump_code(self, step: int) -> None:
        self.query_one(Transcript).jump_code(step)

    def on_prompt_scroll_requested(self, event: Prompt.ScrollRequested) -> None:
        transcript = self.query_one(Transcript)
        if event.where == "end":
            transcript.show_end()
        elif event.where == "home":
            transcript.show_row(0)
        elif event.where == "page_up":
            transcript.scroll_pages(-1)
        else:
            transcript.scroll_pages(1)

    async def on_key_bar_chosen(self, event: KeyBar.Chosen) -> None:
        await self.run_action(event.action)

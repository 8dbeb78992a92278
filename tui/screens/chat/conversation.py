"""Actions on the conversation: ask, regenerate, edit, new, restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tui.core.screen.chat import ANSWER_RUNS, Chat
from tui.core.screen.footer import result_line
from tui.core.screen.key_names import shown_key

if TYPE_CHECKING:
    from tui.core.screen.backend import ScreenBackend
    from tui.core.turn.conversation import PastTurn
    from tui.screens.chat.answer import AnswerDrawing
    from tui.screens.chat.widgets import ChatWidgets
    from tui.widgets.transcript.turn_view import TurnView


class ConversationActions:
    """Carries out actions on the conversation, in the chat and in the transcript.

    ``keymap`` has the keys of each action.
    """

    def __init__(
        self,
        backend: ScreenBackend,
        widgets: ChatWidgets,
        answer: AnswerDrawing,
        keymap: Mapping[str, str],
    ) -> None:
        self._backend = backend
        self._widgets = widgets
        self._answer = answer
        self._keymap = keymap
        self._refusal = ""
        self._old_turns: tuple[TurnView, ...] = ()
        """Turns of the conversation that was set aside."""
        self._old_exchanges: list[TurnView] = []
        self._draft = ""
        """The prompt's draft at that time."""
        self._exchanges: list[TurnView] = []
        """What shows each exchange of the conversation; the transcript has other turns too, of
        attempts that failed or were never sent."""
        self._is_asked_again = False
        """The next prompt takes the place of one that is kept in the history."""
        self._before: tuple[tuple[TurnView, ...], list[TurnView]] | None = None
        """All turns and the exchanges before an answer was asked again."""

    @property
    def _chat(self) -> Chat:
        return self._backend.chat

    @property
    def is_busy(self) -> bool:
        """An answer is running or waited for."""
        return self._chat.waiting is not None or self._chat.is_answering

    @property
    def can_bring_back(self) -> bool:
        """An old conversation waits, and its key does not mean the prompt's own undo."""
        # The prompt undoes what was written since first.
        is_unchanged = self._widgets.prompt.text in ("", self._draft)
        return self._chat.has_old_conversation and is_unchanged

    def show_notice(self) -> None:
        """Updates the notice of the empty transcript."""
        self._widgets.refresh_rows("header")
        notice = [*self._backend.notice(self._keymap)]
        if self._chat.has_old_conversation:
            notice += ["", f"{self._old_note}."]
        self._widgets.transcript.set_notice(notice)

    def ask(self, text: str) -> bool:
        """Send a prompt; False where it was refused, which the bottom line then says."""
        self._answer.draw_end()
        refusal = self._chat.ask(text)
        if refusal is not None:
            self._refusal = refusal
            self._widgets.say(refusal, "warn")
            return False
        self._widgets.prompt.accepted(text)
        self.begin_turn(text)
        note = self._chat.take_note()
        if note is not None:
            self._widgets.say(note)
        return True

    def take_unsent(self) -> None:
        """A prompt for which no server was found goes back, as if it had been refused at once."""
        unsent = self._chat.take_unsent()
        if unsent is None:
            return
        prompt, self._refusal = unsent
        self._answer.withdraw()
        self._exchanges = [
            turn for turn in self._exchanges if turn in self._widgets.transcript.turns
        ]
        self._widgets.prompt.refused(prompt)
        self._widgets.say(self._refusal, "warn")

    def withdraw_refusal(self) -> None:
        """The server is ready, or an answer is over: what the bottom line says of a refused prompt
        is not true now, but where an answer runs. A prompt is refused for that before all else."""
        if not self.is_busy:
            self._widgets.message_bar.withdraw(self._refusal)

    def begin_turn(self, prompt: str) -> None:
        """Show a prompt that was taken."""
        self._old_turns = ()
        transcript, count = self._widgets.transcript, self._chat.exchange_count
        before = transcript.turns, list(self._exchanges)
        self._before = before if self._is_asked_again else None
        if self._is_asked_again:
            for turn in self._exchanges[count:]:
                transcript.past_turns.remove(turn)
        self._is_asked_again = False
        self._answer.begin(prompt)
        self._exchanges[count:] = transcript.turns[-1:]

    def stop(self) -> None:
        """Stop the answer, or take a prompt back that waits."""
        taken_back = self._chat.stop()
        if taken_back is None:
            self._answer.draw_frame()
            note = self._chat.take_note()
            if note is not None:
                self._widgets.say(note)
            return
        self._answer.take_back(taken_back)
        if self._before is not None:
            self._chat.give_back_last()
            turns, self._exchanges = self._before
            self._widgets.transcript.past_turns.put_back(turns)
            self._before = None

    def stop_later(self, tokens: int | None) -> None:
        """Plan the stop of the answer that runs."""
        planned = self._chat.stop_later(tokens)
        self._answer.draw_numbers()
        nothing = "no answer is running that could be stopped later"
        self._widgets.say(planned or nothing, "soft" if planned else "warn")

    def regenerate(self) -> None:
        """Ask the last prompt once more, in the place of its answer, which the history keeps."""
        is_kept = self._chat.is_kept
        prompt = self._chat.take_last()
        if prompt is None:
            nothing = "no finished answer to repeat"
            self._widgets.say(ANSWER_RUNS if self.is_busy else nothing, "warn")
            return
        self._is_asked_again = is_kept
        if not self.ask(prompt):
            self._is_asked_again = False
            self._chat.give_back_last()
        elif is_kept and self._branch_key:
            self._widgets.say(f"another answer; {self._branch_key} shows the one before")

    def begin_new(self) -> None:
        """Set the conversation aside."""
        if not self._chat.clear():
            self._widgets.say(ANSWER_RUNS, "warn")
            return
        turns = self._widgets.transcript.clear()
        if turns:
            self._old_turns, self._old_exchanges = turns, self._exchanges
            prompt = self._widgets.prompt
            # What is written from here on is undone apart from the draft.
            prompt.history.checkpoint()
            self._draft = prompt.text
        self._exchanges, self._before, self._is_asked_again = [], None, False
        self.show_notice()
        self._answer.draw_numbers()
        self._widgets.say(self._old_note if turns else "a new conversation")

    @property
    def _old_note(self) -> str:
        """What brings the old conversation back, where a key does."""
        key = shown_key(self._keymap["old"].split(",")[0].strip())
        return f"a new conversation; {key} brings the old one back" if key else "a new conversation"

    def bring_back(self) -> None:
        """Undo a new conversation."""
        if not self._chat.bring_back():
            self._widgets.say("there is no old conversation to bring back", "warn")
            return
        self._widgets.transcript.past_turns.put_back(self._old_turns)
        self._exchanges = self._old_exchanges
        self._old_turns, self._old_exchanges = (), []
        self._answer.draw_numbers()
        self._widgets.say("the old conversation is back")

    def edit_last(self) -> None:
        """The last prompt comes back to be changed; what it was answered stays in the history."""
        widgets = self._widgets
        if widgets.prompt.text.strip():
            widgets.say("the prompt is not empty: send or clear it first", "warn")
            return
        is_kept = self._chat.is_kept
        prompt = self._chat.take_last()
        if prompt is None:
            nothing = "there is no finished answer whose prompt could be edited"
            widgets.say(ANSWER_RUNS if self.is_busy else nothing, "warn")
            return
        self._is_asked_again = is_kept
        widgets.focus_prompt()
        widgets.prompt.write_anew(prompt)
        shows = f"; {self._branch_key} shows it" if is_kept and self._branch_key else ""
        kept = f"; the first answer stays in the history{shows}" if is_kept else ""
        widgets.say(f"edit and send{kept}")

    @property
    def _branch_key(self) -> str:
        """What shows the answer before, beside the one in view; empty where no key does."""
        return shown_key(self._keymap["prev_branch"].split(",")[0].strip())

    def show(self, past: Sequence[PastTurn], prompt: str, said: str, note: str = "") -> None:
        """Show a stored conversation that goes on, with ``prompt`` to be edited. ``said`` stands
        in the bottom line for some seconds, ``note`` below the last turn."""
        self._fill(past)
        transcript = self._widgets.transcript
        transcript.past_turns.set_note(note)
        transcript.show_end()
        self._widgets.focus_prompt()
        self._answer.draw_numbers()
        if prompt and not self._widgets.prompt.write_anew(prompt):
            kept = "what you were writing is still here; the prompt to edit is not"
            self._widgets.say(kept, "warn")
        elif said:
            self._widgets.say(said)

    def show_followed(self, past: Sequence[PastTurn]) -> None:
        """Show the answer of another npulse, which the chat has as its last turn, after ``past``.

        What is written in the prompt stays there."""
        followed = self._chat.followed
        if followed is not None:
            self._fill(past)
            self._answer.follow(followed)
            self._exchanges = list(self._widgets.transcript.turns)

    def _fill(self, past: Sequence[PastTurn]) -> None:
        """Show these turns and no others."""
        transcript = self._widgets.transcript
        transcript.clear()
        self._old_turns, self._old_exchanges = (), []
        self._before, self._is_asked_again = None, False
        self._answer.forget()
        for one in past:
            result = one.result
            transcript.past_turns.add(
                one.prompt,
                thinking=result.thinking,
                answer=result.text,
                footer=result_line(result),
                state=result.end_state,
                error=None if result.error is None else result.error.sentence,
                model=result.model,
            )
        self._exchanges = list(transcript.turns)

    # Branches -------------------------------------------------------------------------------

    def show_branches(self, words: Sequence[str]) -> None:
        """Which of several each exchange is; empty where there is only one."""
        transcript = self._widgets.transcript
        for turn, text in zip(self._exchanges, words, strict=False):
            transcript.past_turns.set_branch(turn, text)

    def show_branch(self, past: Sequence[PastTurn], exchange: int) -> None:
        """Show another branch, which differs from this exchange on."""
        transcript = self._widgets.transcript
        is_at_end = transcript.is_following and exchange == len(past) - 1
        self._fill(past)
        if is_at_end:
            transcript.show_end()
        else:
            transcript.show_position(exchange, 0)
        self._answer.draw_numbers()

    @property
    def exchange_in_view(self) -> int | None:
        """The exchange at the top of the view, from 0 on; None where there is none."""
        turn = self._widgets.transcript.viewport.turn_in_view
        return None if turn is None else self._exchange_of(turn)

    @property
    def position(self) -> tuple[int, int] | None:
        """The exchange at the top of the transcript and its row there; None at the end."""
        transcript = self._widgets.transcript
        found = transcript.viewport.position
        if found is None:
            return None
        exchange = self._exchange_of(transcript.turns[found[0]])
        return None if exchange is None else (exchange, found[1])

    def _exchange_of(self, turn: TurnView) -> int | None:
        """The exchange that a turn shows, or the nearest one above it."""
        turns = self._widgets.transcript.turns
        numbers = {id(shown): number for number, shown in enumerate(self._exchanges)}
        for other in reversed(turns[: turns.index(turn) + 1]):
            if id(other) in numbers:
                return numbers[id(other)]
        return None

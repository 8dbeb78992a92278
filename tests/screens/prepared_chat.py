"""A chat without a server: one answer on its way, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Mapping

from tests.screens.board.prepared import MODEL, NS, START_NS, Prepared, prepared
from tui.app.replay_backend import ReplayChat
from tui.core.board.headroom import Verdict, fit_of
from tui.core.expect.outlook import Outlook
from tui.core.screen.chat import ANSWER_RUNS, Waiting
from tui.core.screen.headline import Headline
from tui.core.screen.keys.table import default_keys
from tui.core.screen.models_view import ModelsView, ServerModels
from tui.core.screen.notices import notice_lines
from tui.core.screen.setting_note import SettingNote
from tui.core.text.glyphs import UNICODE
from tui.core.turn.turn import Turn
from tui.core.turn.turn_stats import TurnStats
from tui.core.types import ChatRequest, GenerationSettings, Message, ModelInfo, TextDelta
from tui.screens.dashboard import Dashboard
from tui.screens.help import HelpScreen
from tui.screens.models import ModelsScreen
from tui.screens.settings import SettingsScreen
from tui.settings.generation_limits import generation_limits

ANSWER = """\
Air scatters short waves more than long ones: **blue** light comes from everywhere, red light \
only from the sun.

- at noon the way through the air is short
- in the evening it is long, 光线变红

```python
def scattered(wavelength_nm: float) -> float:
    return 1 / wavelength_nm**4
```

So the sky"""
"""Ends in mid-sentence, as an answer does that is still on its way."""
MODELS = (
    MODEL,
    ModelInfo(
        "gemma3-1b",
        size_bytes=1_500_000_000,
        quantisation="w8a8",
        is_quantisation_guessed=True,
        context_tokens=4096,
        is_context_guessed=True,
    ),
    ModelInfo("a-model-of-which-nothing-is-known"),
)


class PreparedChat(ReplayChat):
    """Takes a prompt, and has received :data:`ANSWER` for it at once."""

    waiting: Waiting | None = None

    def __init__(self, now_ns: int) -> None:
        super().__init__()
        self.now_ns = now_ns
        self.expected: Outlook | None = None

    def ask(self, prompt: str) -> str | None:
        if self.is_answering:
            return ANSWER_RUNS
        request = ChatRequest(MODEL.name, (Message("user", prompt),), GenerationSettings())
        words = ANSWER.split(" ")
        start_ns = self.now_ns - (2 + len(words) // 4) * NS
        turn = Turn(request, start_ns, "token", MODEL.context_tokens)
        turn.accepted(start_ns + NS // 1000)
        for number, word in enumerate(words):
            text = word if number == 0 else f" {word}"
            turn.feed(start_ns + NS + number * NS // 4, [TextDelta(text)])
        self.turn = turn
        return None

    def clear(self) -> bool:
        return True

    def outlook(self, stats: TurnStats) -> Outlook | None:
        return self.expected


def dashboard() -> Dashboard:
    """Beside a server that is ready and a board that is at rest."""
    board = prepared()
    return _dashboard(board, board.headline())


def dashboard_at_work() -> Dashboard:
    """Beside a board that is busy, and so hot that its clocks are lowered."""
    board = prepared(seconds=520)
    board.now_ns = START_NS + 520 * NS
    return _dashboard(board, board.headline())


def dashboard_without_server() -> Dashboard:
    """On a machine without an NPU, where nothing answers."""
    board = prepared("no driver")
    looked_at = ("127.0.0.1:8021", "127.0.0.1:8080")
    problem = "127.0.0.1:8021 refused the connection: nothing listens there."
    headline = Headline(time_of_day="14:02:11", is_server_missing=True, server_problem=problem)
    return _dashboard(board, headline, looked_at)


class PreparedBackend:
    """A chat of its own beside a prepared board."""

    def __init__(
        self, board: Prepared, headline: Headline, looked_at: tuple[str, ...] = ()
    ) -> None:
        self.chat = PreparedChat(board.now_ns)
        self.board = board
        self._headline = headline
        self._looked_at = looked_at

    def headline(self) -> Headline:
        return self._headline

    def notice(self, keymap: Mapping[str, str]) -> list[str]:
        return notice_lines(self._headline, self._looked_at, keymap)

    def connect(self, url: str) -> str | None:
        return f"{url!r} is not the address of a server: give http://HOST:PORT"

    def start_demo(self) -> str | None:
        return None

    def clock_ns(self) -> int:
        return self.board.now_ns


def _dashboard(board: Prepared, headline: Headline, looked_at: tuple[str, ...] = ()) -> Dashboard:
    backend = PreparedBackend(board, headline, looked_at)
    return Dashboard(backend, UNICODE, default_keys(), lambda text, what: f"copied {what}")


def help_screen() -> HelpScreen:
    return HelpScreen(default_keys(), "1.2.3", UNICODE)


class PreparedModels:
    """Two servers; what is known of their models differs."""

    def view(self) -> ModelsView:
        own = ServerModels(
            "http://127.0.0.1:8021", "RockchipLlama :8021", MODELS, True, "connected"
        )
        other = ServerModels(
            "http://127.0.0.1:11434", "Ollama :11434", (ModelInfo("llama3.2:3b", is_loaded=False),)
        )
        return ModelsView(
            (own, other),
            answering_name=MODELS[0].name,
            answering=f"{MODELS[0].name} answers the next prompt (loaded).",
            can_load=True,
            can_unload=True,
            notes=("A stopped answer continues in the server, and the next one waits for it.",),
        )

    def fit(self, url: str, model: ModelInfo) -> Verdict:
        return fit_of(model, MODELS, int(9.4 * 2**30))

    def look_around(self) -> None:
        """Nobody else is there."""

    def use(self, url: str, name: str, is_forced: bool) -> None:
        """The view stays as it is."""

    def load(self, url: str, name: str, is_forced: bool) -> None:
        """The view stays as it is."""

    def unload(self, name: str | None) -> None:
        """The view stays as it is."""

    def cancel(self) -> bool:
        return False


def models_screen() -> ModelsScreen:
    """Three models; what is known of them differs."""
    return ModelsScreen(PreparedModels(), UNICODE)


def settings_screen() -> SettingsScreen:
    """With one field that the server passes over."""
    notes = {
        limit.field: SettingNote(
            limit.allowed, "this server takes no notice" if number == 2 else "", number == 2
        )
        for number, limit in enumerate(generation_limits())
    }
    return SettingsScreen(GenerationSettings(), lambda settings: (), notes, UNICODE)

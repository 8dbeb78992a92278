"""What a user can set in config.toml, with types, limits and defaults.

``config.toml`` at the top level says the same in words; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct, field, structs

from tui.core.screen.colours import ColourSetting
from tui.core.screen.keys.table import default_keys
from tui.core.text.glyphs import AsciiSetting
from tui.core.types import GenerationSettings
from tui.remote.address import BoardAddress

Seconds = Annotated[float, Meta(ge=0.1, le=604_800)]
Port = Annotated[int, Meta(ge=1, le=65535)]
ServerUrl = Annotated[
    str,
    Meta(
        pattern=r"^(|(?i:https?)://[^\s/?#]+\S*|(?!\S*://)[^\s/?#]+\S*)\Z",
        max_length=2000,
        description="an address such as http://127.0.0.1:8021, or nothing",
    ),
]
Folder = Annotated[
    str,
    Meta(pattern=r"^[^\x00]+\Z", max_length=4096, description="the name of a folder"),
]
FileName = Annotated[
    str, Meta(pattern=r"^[^\x00]*\Z", max_length=4096, description="the name of a file, or nothing")
]
ServerKind = Literal[
    "", "rockchipllama", "rkllama", "orkllm", "rkllm-api-server", "rkllm-demo", "rkllm-chat",
    "llama.cpp", "ollama", "rkllm", "openai",
]  # fmt: skip
VariableName = Annotated[
    str,
    Meta(
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?\Z",
        max_length=200,
        description="the name of an environment variable that holds the key, or nothing",
    ),
]
ThemeName = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z",
        description="the name of a theme: letters, digits, - and _",
    ),
]

NotifyWords = Annotated[
    str,
    Meta(
        pattern=r"^(off|((bell|desktop|osc9|osc777|osc99|progress|title)(,\s*|\Z))+)\Z",
        description='"off", or some of bell, desktop, osc9, osc777, osc99, progress and title with '
        "commas between",
    ),
]


class ServerSection(Struct, frozen=True, kw_only=True):
    """Which server, and how long each phase of a request may take."""

    url: ServerUrl = ""
    """The server; empty: the known ports of this machine are tried."""
    ports: Annotated[
        tuple[Port, ...],
        Meta(min_length=1, max_length=32, description="a list of ports (1 to 65535)"),
    ] = (8021, 8080, 8000, 3000, 11434)
    """The ports of this machine that are tried, in this order."""
    kind: ServerKind = ""
    """What the server is; empty: it is recognised by its answers."""
    model: Annotated[str, Meta(max_length=400, description="the name of a model")] = ""
    """The model that answers; empty: the loaded one, else the only, else the last used one."""
    connect_timeout_s: Seconds = 5.0
    first_byte_timeout_s: Seconds = 3600.0
    idle_timeout_s: Seconds = 120.0
    api_key_env: VariableName = ""
    """The environment variable that holds the server's API key; empty: none is sent."""
    ca_file: FileName = ""
    """Certificates (PEM) that are trusted for https beside the usual ones."""
    tokenizer: FileName = ""
    """The tokenizer.json of the model, for exact counts; empty: they are estimated."""


class GenerationSection(Struct, frozen=True, kw_only=True):
    """How answers are generated until it is changed in the settings screen or by a flag."""

    temperature: Annotated[float, Meta(ge=0, le=5)] = 0.6
    top_p: Annotated[float, Meta(ge=0, le=1)] = 0.95
    top_k: Annotated[int, Meta(ge=0, le=1_000_000)] = 20
    repeat_penalty: Annotated[float, Meta(ge=0, le=10)] = 1.1
    max_tokens: Annotated[int, Meta(ge=1, le=1_000_000)] = 2048
    thinking: bool = False
    system_prompt: Annotated[str, Meta(max_length=1_000_000, description="a text")] = ""

    def to_generation(self) -> GenerationSettings:
        """The same as a request takes them. What a server accepts is checked against the server."""
        return GenerationSettings(
            temperature=self.temperature,
            top_p=self.top_p,
            top_k=self.top_k,
            repeat_penalty=self.repeat_penalty,
            max_tokens=self.max_tokens,
            is_thinking=self.thinking,
            system_prompt=self.system_prompt,
        )


class UiSection(Struct, frozen=True, kw_only=True):
    """What the dashboard looks like."""

    theme: ThemeName = "npulse-dark"
    colors: ColourSetting = "auto"
    """How many colours are drawn; ``auto`` asks the terminal."""
    fps: Annotated[int, Meta(ge=1, le=60)] = 15
    """Frames a second at most while text arrives."""
    ascii: AsciiSetting = "auto"
    bell: bool = False
    """Whether the terminal's bell rings with every new alert."""
    notify: NotifyWords = "off"
    """Signals for a finished answer while the terminal is not in focus."""
    mouse: bool = True
    """Whether clicks and the wheel go to npulse; if not, they stay with the terminal."""
    low_bandwidth: bool = False
    """Whether the picture is drawn every five seconds only, at once for a second after a key."""
    pause_without_focus: bool = True
    """Whether nothing is drawn while the terminal reports that it does not have the focus."""


class ChatSection(Struct, frozen=True, kw_only=True):
    """What happens while an answer runs."""

    stop_loops: bool = False
    """Whether an answer that repeats itself is stopped."""


class BoardSection(Struct, frozen=True, kw_only=True):
    """How the board is read."""

    root: Folder = "/"
    """The folder that /sys and /proc are read below."""
    interval_s: Annotated[float, Meta(ge=0.2, le=3600)] = 1.0
    """Seconds between two samples. The NPU driver renews its load once a second."""
    little_cores: bool = True
    """Whether npulse keeps itself to the little cores, so that the model has the big ones."""


class HistorySection(Struct, frozen=True, kw_only=True):
    """Which conversations are kept."""

    enabled: bool = True
    """Whether prompts and answers are kept at all."""
    max_age_days: Annotated[int, Meta(ge=0, le=36_500)] = 0
    """Older conversations are removed; 0 keeps them."""
    max_size_mib: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    """Of the database; above it the oldest conversations are removed. 0 is no limit."""


class SessionSection(Struct, frozen=True, kw_only=True):
    """What happens to the dashboard's work when its terminal closes."""

    on_hangup: Literal["finish", "stop"] = "finish"
    """Of a running answer when the terminal closes or SSH drops: finished without a screen and kept
    in the history, or stopped."""
    resume: bool = True
    """Whether the next start shows the conversation, the draft and the place where the last one
    ended."""


class Settings(Struct, frozen=True, kw_only=True):
    """Every setting, checked. ``Settings()`` holds the defaults."""

    server: ServerSection = ServerSection()
    generation: GenerationSection = GenerationSection()
    ui: UiSection = UiSection()
    chat: ChatSection = ChatSection()
    board: BoardSection = BoardSection()
    history: HistorySection = HistorySection()
    session: SessionSection = SessionSection()
    keys: Mapping[str, str] = field(default_factory=default_keys)
    """Action id -> keys separated by commas; always holds every id."""
    boards: Mapping[str, BoardAddress] = {}
    """Boards that are somewhere else, by the name that the user gave them."""


SECTIONS: Mapping[str, type[Struct]] = {
    "server": ServerSection,
    "generation": GenerationSection,
    "ui": UiSection,
    "chat": ChatSection,
    "board": BoardSection,
    "history": HistorySection,
    "session": SessionSection,
}


def field_type(section: str, name: str) -> object:
    """The type of one field with its limits."""
    return next(f.type for f in structs.fields(SECTIONS[section]) if f.name == name)


def allowed(kind: object) -> str:
    """Allowed values of a field in words: ``a number from 0 to 5``."""
    # Here, because it takes time to load and is needed for a mistake only.
    from msgspec import inspect

    info = inspect.type_info(kind)
    if isinstance(info, inspect.Metadata):
        if info.extra_json_schema and "description" in info.extra_json_schema:
            return str(info.extra_json_schema["description"])
        info = info.type
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.LiteralType):
        *first, last = (f'"{value}"' for value in info.values)
        return f"{', '.join(first)} or {last}"
    if isinstance(info, inspect.IntType | inspect.FloatType):
        word = "a whole number" if isinstance(info, inspect.IntType) else "a number"
        return f"{word} from {_plain(info.ge)} to {_plain(info.le)}"
    return "a text"


def _plain(limit: float | None) -> str:
    return "" if limit is None else str(int(limit)) if limit == int(limit) else str(limit)

"""Suites: prompts, repetitions and checks, from npulse's own TOML files or the user's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

import msgspec
import tomli
from msgspec import field

from tui.bench.model.check_specs import CheckSpec
from tui.core.text.sanitize import clean
from tui.core.types import GenerationSettings
from tui.files.private import read_regular

Kind = Literal[
    "prompts",
    "standard",
    "prefill",
    "sweep",
    "soak",
    "cache",
    "load",
    "instructions",
    "languages",
    "code",
    "batch",
    "lab",
]
MAX_TOKENS_LIMIT = 1_000_000
MAX_FILE_BYTES = 8 << 20


class SuiteError(ValueError):
    """A suite file is invalid. The message names the file and the place."""


class PastMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message before the prompt."""

    role: Literal["user", "assistant"]
    content: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of one prompt that differ from those of the run; None: the run's."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repeat_penalty: float | None = None
    is_thinking: bool | None = field(default=None, name="thinking")

    def over(self, base: GenerationSettings) -> GenerationSettings:
        """``base`` with the settings that are set here."""
        chosen = {name: getattr(self, name) for name in self.__struct_fields__}
        return replace(base, **{k: v for k, v in chosen.items() if v is not None})


class Prompt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request of a suite: its text, or filler of a given number of tokens."""

    id: str
    max_tokens: int
    name: str = ""
    text: str = ""
    system: str = ""
    history: tuple[PastMessage, ...] = ()
    """Earlier messages, oldest first; ``text`` is the user's last message."""
    file: str = ""
    """A file's content, sent after the text with line numbers."""
    filler: int | str | None = None
    """Number of prompt tokens (with template) to reach with filler words: a number, ``min`` for the
    shortest prompt, or ``ctx-64`` for the context length minus 64."""
    exact: bool = False
    """The answer must have exactly ``max_tokens`` tokens, else it gets the taint off_target."""
    expected: tuple[int, int] | None = None
    """Usual range of the answer's tokens, for the forecast."""
    prompt_tokens: int | None = None
    """Usual number of prompt tokens with template, for the forecast."""
    group: str = ""
    task: str = ""
    language: str = ""
    checks: tuple[CheckSpec, ...] = field(default=(), name="check")
    sampling: Sampling | None = None


class Quick(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The part of a suite that ``--quick`` runs."""

    ids: tuple[str, ...]
    max_tokens: int
    runs: int = 1
    minutes: float | None = None


class Suite(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A suite. Its fields are the TOML keys."""

    id: str
    prompts: tuple[Prompt, ...] = field(name="prompt")
    version: int = 1
    title: str = ""
    about: str = ""
    kind: Kind = "prompts"
    runs: int = 1
    sampling: Literal["model", "greedy"] = "model"
    """model: the run's settings; greedy: always the likeliest token, for comparisons."""
    thinking: bool = False
    shuffle: bool = True
    prefix: Literal["any", "together", "apart"] = "any"
    """Order of requests with the same beginning: ``together``, to use the server's prefix cache, or
    ``apart``, to avoid it."""
    minutes: float | None = None
    """Repeat the suite for this time instead of a number of runs."""
    fail_on: tuple[str, ...] = ()
    preamble: dict[str, str] = field(default_factory=dict)
    """Group -> text before each prompt of the group."""
    quick: Quick | None = None
    notes: tuple[str, ...] = ()
    """Remarks on a user's file, such as keys that are not sent; one sentence each."""

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of everything that is sent or checked."""
        plain = msgspec.to_builtins(self)
        for key in ("title", "about", "quick", "runs", "minutes", "fail_on", "notes"):
            plain.pop(key, None)
        # Default values are omitted, so that older suites keep their hash.
        if self.prefix == "any":
            del plain["prefix"]
        for prompt in plain["prompt"]:
            for key in ("history", "sampling"):
                if not prompt[key]:
                    del prompt[key]
        text = json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def full_text(self, prompt: Prompt) -> str:
        """The text that is sent: preamble, text, and the file with line numbers."""
        parts = [self.preamble.get(prompt.group, ""), prompt.text.strip("\n")]
        if prompt.file:
            lines = prompt.file.strip("\n").split("\n")
            numbered = "\n".join(f"{at:>2}  {line}" for at, line in enumerate(lines, 1))
            parts.append(f"File {prompt.name}:\n{numbered}")
        return "\n\n".join(part for part in parts if part)


def prompt_sha256(text: str, system: str = "", history: Sequence[PastMessage] = ()) -> str:
    """SHA-256 of the texts of one request."""
    said = "".join(f"\0{message.role}\0{message.content}" for message in history)
    return hashlib.sha256(f"{system}\0{text}{said}".encode("utf-8", "replace")).hexdigest()


def builtin_ids() -> tuple[str, ...]:
    """Names of npulse's own suites, in the order for lists."""
    order = get_args(Kind)
    there = {
        entry.name.removesuffix(".toml")
        for entry in resources.files("tui.bench").joinpath("suites").iterdir()
        if entry.name.endswith(".toml")
    }
    return tuple(name for name in order if name in there) + tuple(sorted(there - set(order)))


def load_builtin(suite_id: str) -> Suite:
    """One of npulse's own suites. Raises SuiteError for an unknown name."""
    if suite_id == "batch":
        raise SuiteError("a batch is a file of your own prompts: give its name, ending in .jsonl")
    if suite_id not in builtin_ids():
        raise SuiteError(f"there is no suite {suite_id!r}; there are {', '.join(builtin_ids())}")
    folder = resources.files("tui.bench").joinpath("suites")
    data = folder.joinpath(f"{suite_id}.toml").read_bytes()
    return parse(data, f"{suite_id}.toml")


def find(name: str, user_folder: Path | None = None) -> Suite:
    """A suite by name or path: a file, one of the user's suites, or one of npulse's own.

    Raises SuiteError; its message is one sentence.
    """
    path = Path(name)
    if name.endswith(".toml") or "/" in name:
        return load_file(path)
    if user_folder is not None and (user_folder / f"{name}.toml").is_file():
        return load_file(user_folder / f"{name}.toml")
    return load_builtin(name)


# Created at import, under its lock: see the decoder in tui/bench/model/records.py.
_decoder = msgspec.json.Decoder(Suite)


def load_file(path: Path) -> Suite:
    """A suite from a user's file. Raises SuiteError."""
    try:
        data = read_regular(path)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise SuiteError(f"suite {clean(str(path), newlines=False)}: {reason}") from None
    return parse(data, path.name)


def parse(data: bytes, name: str) -> Suite:
    """Parse and validate TOML. Raises SuiteError, which names the file and the error."""
    shown = clean(name, newlines=False)
    if len(data) > MAX_FILE_BYTES:
        raise SuiteError(f"suite {shown}: larger than {MAX_FILE_BYTES >> 20} MiB")
    try:
        suite = msgspec.convert(tomli.loads(data.decode("utf-8")), Suite)
    except UnicodeDecodeError:
        raise SuiteError(f"suite {shown}: not UTF-8") from None
    except (tomli.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise SuiteError(f"suite {shown}: {clean(str(error), newlines=False)}") from None
    except ValueError:
        # Python refuses to convert an integer with more than 4,300 digits.
        raise SuiteError(f"suite {shown}: a number in it has thousands of digits") from None
    problem = _problem(suite)
    if problem is not None:
        raise SuiteError(f"suite {shown}: {clean(problem, newlines=False)}")
    return suite


def _problem(suite: Suite) -> str | None:
    if not suite.prompts:
        return "there is no prompt"
    if suite.runs < 1:
        return "runs must be at least 1"
    if suite.minutes is not None and suite.minutes <= 0:
        return "minutes must be above 0"
    seen: set[str] = set()
    for prompt in suite.prompts:
        problem = _prompt_problem(prompt)
        if prompt.id in seen:
            problem = "the id occurs twice"
        if problem is not None:
            return f"prompt {prompt.id!r}: {problem}"
        seen.add(prompt.id)
    unknown = set(suite.quick.ids) - seen if suite.quick else set()
    return f"quick names {', '.join(sorted(unknown))}; there is no such prompt" if unknown else None


def _prompt_problem(prompt: Prompt) -> str | None:
    if not prompt.id or len(prompt.id) > 80 or not set(prompt.id) <= _ID_CHARACTERS:
        return "an id must have 1 to 80 letters, digits, - or _"
    if not 1 <= prompt.max_tokens <= MAX_TOKENS_LIMIT:
        return f"max_tokens must be from 1 to {MAX_TOKENS_LIMIT}"
    has_text = bool(prompt.text.strip() or prompt.file.strip())
    if has_text == (prompt.filler is not None):
        return "it must have either text (or file) or filler"
    if isinstance(prompt.filler, str) and filler_tokens(prompt.filler, 4096) is None:
        return "filler must be a number, min, or ctx-N"
    if isinstance(prompt.filler, int) and not 1 <= prompt.filler <= MAX_TOKENS_LIMIT:
        return f"filler must be from 1 to {MAX_TOKENS_LIMIT}"
    return None


_ID_CHARACTERS = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


def filler_tokens(filler: int | str, context_tokens: int | None) -> int | None:
    """Prompt tokens that a filler requires; None if invalid, or if the context length is
    unknown."""
    if isinstance(filler, int):
        return filler
    if filler == "min":
        return 0
    below = filler.removeprefix("ctx-")
    if not filler.startswith("ctx-") or not below.isascii() or not below.isdigit():
        return None
    return None if context_tokens is None else max(1, context_tokens - int(below))


def is_of_one_board(suite: Suite) -> bool:
    """Whether it measures a board over time, its loading, its cache, or its speed by length: then
    many boards cannot share its prompts out."""
    is_by_time = suite.minutes is not None
    return is_by_time or suite.kind in ("cache", "load") or any(p.filler for p in suite.prompts)


def wanted(suite: Suite, *, is_quick: bool, is_thinking: bool) -> Suite:
    """The suite of a new run with these options: shortened, and with thinking added."""
    if is_quick:
        suite = quick(suite)
    return with_thinking(suite) if is_thinking and not suite.thinking else suite


def quick(suite: Suite) -> Suite:
    """The short form of a suite: fewer prompts, lower token limits."""
    short = suite.quick
    if short is None:
        first = suite.prompts[:3]
        return msgspec.structs.replace(suite, prompts=tuple(_capped(first, 96)), runs=1)
    kept = [prompt for prompt in suite.prompts if prompt.id in short.ids]
    return msgspec.structs.replace(
        suite,
        prompts=tuple(_capped(kept, short.max_tokens)),
        runs=short.runs,
        minutes=short.minutes,
    )


def _capped(prompts: Iterable[Prompt], cap: int) -> list[Prompt]:
    def cut(prompt: Prompt) -> Prompt:
        top = min(prompt.max_tokens, cap)
        expected = prompt.expected and (min(prompt.expected[0], top), min(prompt.expected[1], top))
        return msgspec.structs.replace(prompt, max_tokens=top, expected=expected)

    return [cut(prompt) for prompt in prompts]


def with_thinking(suite: Suite) -> Suite:
    """The suite with thinking, and three times the token limits, as thinking counts against
    them."""
    prompts = tuple(
        msgspec.structs.replace(prompt, max_tokens=min(3 * prompt.max_tokens, MAX_TOKENS_LIMIT))
        for prompt in suite.prompts
    )
    return msgspec.structs.replace(suite, prompts=prompts, thinking=True)


def user_suites() -> Path:
    """Folder of the user's own suites: ``suites`` in the configuration folder."""
    from platformdirs import user_config_path

    return user_config_path("npulse", appauthor=False) / "suites"

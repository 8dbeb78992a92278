"""Converts a promptfoo configuration to a prompt set.

Format: promptfoo's configuration reference (prompts, providers, tests, defaultTest, assert).
Converted are prompts, providers with their settings, tests with vars, and the asserts equals,
contains, icontains, contains-any, contains-all (and their case-insensitive forms), regex,
starts-with, is-json, latency, and their not- forms. Everything else is reported as left out.
Prompts, variables and tests may be in other files (:mod:`tui.lab.promptfoo_files`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from tui.core.text.sanitize import clean_line
from tui.lab.promptfoo_asserts import ASSERTS, Table
from tui.lab.promptfoo_files import FILE, ConfigFiles, FileProblemError, names_prompt_file
from tui.lab.sets.parse import set_bytes
from tui.lab.sets.problems import SetError, quoted
from tui.lab.sets.variables import odd_braces
from tui.lab.yaml_text import YamlError, read_yaml

SETTINGS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "topP": "top_p",
    "top_k": "top_k",
    "topK": "top_k",
    "max_tokens": "max_tokens",
    "maxTokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "num_predict": "max_tokens",
    "repeat_penalty": "repeat_penalty",
    "repetition_penalty": "repeat_penalty",
}
"""promptfoo's key -> the key in a prompt set."""
URLS = ("apiBaseUrl", "apiHost", "baseURL", "base_url", "url")
IGNORED = frozenset({"$schema", "schema"})
MAX_CASES = 10_000


def load(path: Path) -> tuple[Table, list[str]]:
    """(table of a prompt set, a sentence for each part left out). Raises SetError."""
    return convert(set_bytes(path), path.name, path.parent)


def convert(data: bytes, name: str, folder: Path | None = None) -> tuple[Table, list[str]]:
    """As :func:`load`, from bytes; files that it names are searched in ``folder``."""
    shown = clean_line(name, 80)
    try:
        value = read_yaml(data)
    except YamlError as error:
        raise SetError([f"{shown} cannot be read as YAML: {error}."]) from None
    if not isinstance(value, dict) or "prompts" not in value:
        raise SetError([f"{shown} is not a promptfoo configuration: it has no prompts."])
    reading = _Reading(shown, ConfigFiles(folder))
    table = reading.table(value)
    if not table.get("prompt"):
        said = [f"{shown} has no prompt that npulse can use.", *reading.left_out]
        raise SetError(said)
    return table, reading.left_out


class _Reading:
    """Converts one configuration. ``left_out``: a sentence for each part left out."""

    def __init__(self, shown: str, files: ConfigFiles) -> None:
        self._shown = shown
        self._files = files
        self.left_out: list[str] = []
        self._prompt_ids: dict[str, str] = {}
        """Names by which tests may refer to a prompt -> its id in the set."""

    def _leave(self, place: str, what: str) -> None:
        self.left_out.append(clean_line(f"{self._shown}: {place}: {what}", 300))

    def table(self, value: Mapping[str, Any]) -> Table:
        known = {"description", "prompts", "providers", "targets", "tests", "defaultTest"}
        for key in value:
            if key not in known and key not in IGNORED:
                self._leave(str(key), "is not understood and was left out")
        made: Table = {}
        if isinstance(value.get("description"), str):
            made["title"] = value["description"]
        prompts = list(self._prompts(value.get("prompts")))
        variants = list(self._variants(value.get("providers", value.get("targets"))))
        default = value.get("defaultTest")
        if default is not None and not isinstance(default, dict):
            self._leave("defaultTest", f"is {quoted(default)} and was left out")
            default = None
        cases = list(self._cases(value.get("tests"), default or {}))
        made["prompt"] = prompts
        if cases:
            made["case"] = cases
        if variants:
            made["variant"] = variants
        return made

    # -- prompts ---------------------------------------------------------------------------

    def _prompts(self, value: Any) -> Iterator[Table]:
        for at, one in enumerate(value if isinstance(value, list) else [value], 1):
            place = f"prompt {at}"
            text: Any = one
            label: Any = ""
            if isinstance(one, dict):
                text, label = one.get("raw", one.get("id")), one.get("label") or one.get("id")
                for key in one:
                    if key not in ("raw", "id", "label"):
                        self._leave(place, f"its key {quoted(key)} was left out")
            if not isinstance(text, str) or not text.strip():
                self._leave(place, f"is {quoted(text)} and was left out")
                continue
            if re.match(r"exec:|.*\.(?:[cm]?js|ts|py)(?::\w+)?$", text.strip()):
                self._leave(place, f"{quoted(text)} is a program and was left out")
                continue
            is_labelled = isinstance(one, dict) and bool(one.get("label"))
            for name, words in self._prompts_of(place, text, str(label or ""), is_labelled):
                made = self._prompt(place, words, _slug(name, f"p{at}"))
                if made is not None:
                    made["id"] = _unlike(made["id"], set(self._prompt_ids.values()))
                    for called in (label, text, made["id"]):
                        self._prompt_ids.setdefault(str(called), made["id"])
                    yield made

    def _prompts_of(
        self, place: str, text: str, label: str, is_labelled: bool
    ) -> list[tuple[str, str]]:
        """(label, text) of a prompt, or of each prompt in the file that it names."""
        if not names_prompt_file(text):
            return [(label, text)]
        try:
            found = self._files.prompts(text)
        except FileProblemError as error:
            self._leave(place, str(error))
            return []
        if not found:
            self._leave(place, f"the file {quoted(text)} has no prompt")
        return [(label if is_labelled else name, words) for name, words in found]

    def _prompt(self, place: str, text: str, name: str) -> Table | None:
        made: Table = {"id": name, "text": text}
        if text.lstrip().startswith("["):
            messages = self._messages(place, text)
            if messages is not None:
                made = {"id": name, **messages}
        for key in ("text", "system"):
            odd = odd_braces(made.get(key, ""))
            if odd is not None:
                said = f"{quoted(odd)} is not a plain variable; it was kept as it is written"
                self._leave(place, said)
                made["raw"] = True
        return made

    def _messages(self, place: str, text: str) -> Table | None:
        """Converts a JSON list of messages to system prompt, history and the last user message;
        None if it is not such a list."""
        try:
            messages = json.loads(text)
        except (ValueError, RecursionError):
            return None
        if not isinstance(messages, list) or not all(
            isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages
        ):
            return None
        system = "\n".join(m["content"] for m in messages if m.get("role") == "system")
        rest = [m for m in messages if m.get("role") in ("user", "assistant")]
        if not rest or rest[-1]["role"] != "user":
            return None
        strange = {str(m.get("role")) for m in messages} - {"system", "user", "assistant"}
        for role in sorted(strange):
            self._leave(place, f"messages of the role {quoted(role)} were left out")
        made: Table = {"text": rest[-1]["content"]}
        if system:
            made["system"] = system
        if len(rest) > 1:
            made["history"] = [{"role": m["role"], "content": m["content"]} for m in rest[:-1]]
        return made

    # -- providers -------------------------------------------------------------------------

    def _variants(self, value: Any) -> Iterator[Table]:
        taken: set[str] = set()
        listed = value if isinstance(value, list) else [value] if value is not None else []
        for at, one in enumerate(listed, 1):
            place = f"provider {at}"
            if isinstance(one, dict) and "id" not in one and len(one) == 1:
                # {"openai:gpt-4": {config: ...}}
                ((name, rest),) = one.items()
                one = {"id": name, **(rest if isinstance(rest, dict) else {})}
            if isinstance(one, str):
                one = {"id": one}
            if not isinstance(one, dict) or not isinstance(one.get("id"), str):
                self._leave(place, f"is {quoted(one)} and was left out")
                continue
            made = self._variant(place, one)
            if made is not None:
                made["id"] = _unlike(_slug(made["id"], f"v{at}"), taken)
                taken.add(made["id"])
                yield made

    def _variant(self, place: str, one: Mapping[str, Any]) -> Table | None:
        kind, _, rest = one["id"].partition(":")
        if kind in ("file", "exec", "python", "http", "https", "package", "echo", "webhook"):
            self._leave(place, f"{quoted(one['id'])} is not a model of a server; left out")
            return None
        model = rest.rpartition(":")[2] if kind != "ollama" else _ollama_model(rest)
        made: Table = {"id": str(one.get("label") or model or one["id"])}
        if model:
            made["model"] = model
        for key in one:
            if key not in ("id", "label", "config"):
                self._leave(place, f"its key {quoted(key)} was left out")
        config = one.get("config") or {}
        if not isinstance(config, dict):
            self._leave(place, f"its config is {quoted(config)} and was left out")
            return made
        for key, value in config.items():
            if key in SETTINGS and isinstance(value, int | float):
                made[SETTINGS[key]] = value
            elif key in URLS and isinstance(value, str):
                made["server"] = re.sub(r"/v1/?$", "", value)
            else:
                self._leave(place, f"its setting {quoted(key)} was left out")
        return made

    # -- tests -----------------------------------------------------------------------------

    def _cases(self, value: Any, default: Mapping[str, Any]) -> Iterator[Table]:
        self._strange("defaultTest", default, ("vars", "assert"))
        if value is None:
            value = [{}] if default else []
        if isinstance(value, str):
            value = [value]
        if not isinstance(value, list):
            self._leave("tests", f"is {quoted(value)} and was left out; write the tests here")
            return
        taken: set[str] = set()
        for at, one in enumerate(self._tests(value), 1):
            place = f"test {at}"
            if not isinstance(one, dict):
                self._leave(place, f"is {quoted(one)} and was left out")
                continue
            self._strange(place, one, ("description", "vars", "assert", "prompts"))
            checks = [
                check
                for source, asserts in (
                    ("defaultTest", default.get("assert")), (place, one.get("assert")),
                )
                for check in self._asserts(source, asserts, is_told=at == 1 or source == place)
            ]  # fmt: skip
            own = {**self._vars(place, default.get("vars")), **self._vars(place, one.get("vars"))}
            for chosen in self._chosen(place, own):
                name = _slug(str(one.get("description") or ""), f"c{at}")
                made: Table = {"id": _unlike(name, taken)}
                taken.add(made["id"])
                if chosen:
                    made["values"] = chosen
                if one.get("prompts"):
                    made["prompts"] = self._named_prompts(place, one["prompts"])
                if checks:
                    made["check"] = checks
                yield made

    def _tests(self, value: list[Any]) -> Iterator[Any]:
        """The tests; names of files are replaced by the tests in them."""
        for one in value:
            if isinstance(one, str):
                try:
                    yield from self._files.tests(one)
                except FileProblemError as error:
                    self._leave("tests", str(error))
            else:
                yield one

    def _strange(self, place: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                self._leave(place, f"its key {quoted(key)} is not understood and was left out")

    def _named_prompts(self, place: str, value: Any) -> list[str]:
        found = []
        for name in value if isinstance(value, list) else [value]:
            if str(name) in self._prompt_ids:
                found.append(self._prompt_ids[str(name)])
            else:
                self._leave(place, f"there is no prompt {quoted(name)}")
        return found

    def _vars(self, place: str, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, str) or (
            isinstance(value, list) and value and all(isinstance(one, str) for one in value)
        ):
            found: dict[str, Any] = {}
            for name in _listed(value):
                found |= self._vars(place, self._vars_in(place, name))
            return found
        if isinstance(value, dict):
            return {str(key): one for key, one in value.items()}
        self._leave(place, f"its vars are {quoted(value)} and were left out")
        return {}

    def _vars_in(self, place: str, name: str) -> Any:
        """The variables in a file; None if it cannot be used."""
        try:
            found = self._files.value(name)
        except FileProblemError as error:
            self._leave(place, f"vars: {error}")
            return None
        if isinstance(found, dict):
            return found
        self._leave(place, f"vars: the file {quoted(name)} has no variables")
        return None

    def _chosen(self, place: str, values: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        """The combinations of all values that are lists, as in promptfoo."""
        columns: dict[str, list[str]] = {}
        for name, value in values.items():
            words = [self._text(place, name, one) for one in _listed(value)]
            columns[name] = [word for word in words if word is not None]
        for count, found in enumerate(product(*columns.values())):
            if count >= MAX_CASES:
                self._leave(place, f"its lists give more than {MAX_CASES} cases; the rest is left")
                return
            yield dict(zip(columns, found, strict=True))

    def _text(self, place: str, name: str, value: Any) -> str | None:
        if isinstance(value, str) and value.startswith(FILE):
            try:
                found = self._files.value(value)
            except FileProblemError as error:
                self._leave(place, f"{name}: {error}")
                return value
            return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
        if isinstance(value, str):
            return value
        if isinstance(value, bool) or value is None:
            return json.dumps(value)
        if isinstance(value, int | float):
            return str(value)
        return json.dumps(value, ensure_ascii=False, default=str)

    # -- asserts ---------------------------------------------------------------------------

    def _asserts(self, place: str, value: Any, *, is_told: bool) -> Iterator[Table]:
        for at, one in enumerate(_listed(value) if value is not None else [], 1):
            where = f"{place}, assert {at}"
            said = self._assert(one)
            if isinstance(said, str):
                if is_told:
                    self._leave(where, said)
            else:
                yield said
                odd = set(one) - {"type", "value", "threshold"}
                for key in sorted(odd) if is_told else ():
                    self._leave(where, f"its key {quoted(key)} was left out")

    def _assert(self, one: Any) -> Table | str:
        """The check, or a clause why it was left out."""
        if not isinstance(one, dict) or not isinstance(one.get("type"), str):
            return f"is {quoted(one)} and was left out"
        kind = one["type"]
        is_inverted = kind.startswith("not-")
        make = ASSERTS.get(kind.removeprefix("not-"))
        if make is None:
            return f"{quoted(kind)} has no equivalent here and was left out"
        found = make(one)
        if found is None:
            return f"{quoted(kind)} has the value {quoted(one.get('value'))} and was left out"
        return {"kind": "not", "check": found} if is_inverted else found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _ollama_model(rest: str) -> str:
    """``chat:llama3:8b`` -> ``llama3:8b``."""
    return re.sub(r"^(?:chat|completion|embeddings):", "", rest)


def _slug(text: str, default: str) -> str:
    """A label as an id."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:60] or default


def _unlike(name: str, taken: set[str]) -> str:
    """The name, with a number if it is taken."""
    number, made = 2, name
    while made in taken:
        made, number = f"{name}-{number}", number + 1
    return made

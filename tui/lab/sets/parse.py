"""Parses a prompt set from TOML, with one sentence for each mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, cast, get_args

import msgspec
import tomli

from tui.bench.analysis.thresholds import ConditionError
from tui.bench.analysis.thresholds import parse as parse_conditions
from tui.bench.model.check_specs import CheckSpec
from tui.bench.model.suite import MAX_TOKENS_LIMIT, PastMessage
from tui.core.text.sanitize import clean_line
from tui.files.private import read_regular
from tui.lab.model.prompt_set import Case, JudgeModel, LabPrompt, Order, PromptSet, Variant
from tui.lab.sets import checks as check_reading
from tui.lab.sets.lines import Place, written_places
from tui.lab.sets.problems import Problems, SetError, quoted
from tui.lab.sets.sweep import MAX_VARIANTS, SweepError, expanded
from tui.lab.sets.table import TableReader
from tui.lab.sets.variables import names_in, odd_braces
from tui.servers.address import normalised_url

MAX_FILE_BYTES = 8 << 20
MAX_REQUESTS = 100_000
TOP_KEYS = (
    "title", "notes", "repeats", "order", "seed", "max_tokens", "fail_on", "prompt", "case",
    "variant", "judge",
)  # fmt: skip
PROMPT_KEYS = ("id", "text", "system", "history", "max_tokens", "raw", "notes", "check")
CASE_KEYS = ("id", "values", "prompts", "notes", "check")
VARIANT_KEYS = (
    "id", "system", "server", "model", "temperature", "top_p", "top_k", "repeat_penalty",
    "max_tokens", "thinking", "notes",
)  # fmt: skip
_SWEPT = tuple(key for key in VARIANT_KEYS if key not in ("id", "notes"))


def load_set(path: Path) -> PromptSet:
    """The prompt set of a file; its id is the file's name. Raises SetError."""
    return parse_set(set_bytes(path), path.name)


def set_bytes(path: Path) -> bytes:
    """The content of a set's file. Raises SetError."""
    try:
        return read_regular(path)
    except (OSError, ValueError) as error:
        shown = clean_line(str(path), 200)
        reason = getattr(error, "strerror", None) or str(error)
        raise SetError([f"{shown} cannot be read: {reason}."]) from None


def parse_set(data: bytes, name: str) -> PromptSet:
    """Parses a prompt set. ``name`` is the file's name. Raises SetError with all mistakes."""
    shown = clean_line(name, 80)
    if len(data) > MAX_FILE_BYTES:
        raise SetError([f"{shown} is larger than {MAX_FILE_BYTES >> 20} MiB, so it is not read."])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SetError([f"{shown} line {line}: the text is not UTF-8."]) from None
    table = _tables(text, shown)
    problems = Problems(shown, written_places(text))
    made = _set(problems, TableReader(problems, (), table), Path(name).stem)
    problems.end()
    _check_whole(problems, made)
    problems.end()
    return made


def _tables(text: str, shown: str) -> dict[str, object]:
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        place = f"{shown} line {error.lineno}, column {error.colno}"
        raise SetError([f"{place}: this is not TOML: {error.msg}."]) from None
    except RecursionError:
        raise SetError([f"{shown}: this is not TOML: it is nested too deeply."]) from None
    except ValueError:
        raise SetError([f"{shown}: a number in it has thousands of digits."]) from None


def _set(problems: Problems, top: TableReader, set_id: str) -> PromptSet:
    top.only(TOP_KEYS, "a prompt set")
    return PromptSet(
        id=set_id,
        title=top.text("title"),
        notes=top.text("notes"),
        repeats=top.whole("repeats", 1, 1000) or 1,
        order=cast("Order", top.choice("order", get_args(Order), "shuffled")),
        seed=_or(top.whole("seed", 0, 2**53), 1),
        max_tokens=top.whole("max_tokens", 1, MAX_TOKENS_LIMIT) or 512,
        fail_on=_conditions(top),
        prompts=_prompts(problems, top),
        cases=_cases(problems, top),
        variants=_variants(problems, top),
        judge=_judge(problems, top),
    )


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _conditions(top: TableReader) -> tuple[str, ...]:
    found = top.texts("fail_on")
    try:
        parse_conditions(found)
    except ConditionError as error:
        top.wrong("fail_on", f"fail_on: {error}")
    return found


def _prompts(problems: Problems, top: TableReader) -> tuple[LabPrompt, ...]:
    tables = top.tables("prompt")
    if not tables and "prompt" not in top.table:
        top.wrong("", 'the set has no prompt; write [[prompt]] and below it text = "..."')
    return tuple(
        _prompt(problems, place, table, f"p{at}") for at, (place, table) in enumerate(tables, 1)
    )


def _prompt(
    problems: Problems, place: Place, table: Mapping[str, object], default_id: str
) -> LabPrompt:
    reader = TableReader(problems, place, table)
    reader.only(PROMPT_KEYS, "a prompt")
    is_raw = reader.flag("raw") is True
    text, system = reader.text("text", is_needed=True), reader.text("system")
    for key, words in (("text", text), ("system", system)):
        odd = None if is_raw else odd_braces(words)
        if odd is not None:
            way = "write {{name}} for a variable, or raw = true to send braces as they are"
            reader.wrong(key, f"{key} has {quoted(odd)}, which is not a variable; {way}")
    return LabPrompt(
        id=reader.name("id", default_id),
        text=text,
        system=system,
        history=_history(problems, reader),
        max_tokens=reader.whole("max_tokens", 1, MAX_TOKENS_LIMIT),
        raw=is_raw,
        notes=reader.text("notes"),
        checks=check_reading.read_checks(problems, reader, "check"),
    )


def _history(problems: Problems, reader: TableReader) -> tuple[PastMessage, ...]:
    found = []
    for place, table in reader.tables("history"):
        one = TableReader(problems, place, table)
        one.only(("role", "content"), "a message")
        role = one.choice("role", ("user", "assistant"), "user")
        content = one.text("content", is_needed=True)
        found.append(PastMessage(role=cast("Literal['user', 'assistant']", role), content=content))
    return tuple(found)


def _cases(problems: Problems, top: TableReader) -> tuple[Case, ...]:
    found = []
    for at, (place, table) in enumerate(top.tables("case"), 1):
        reader = TableReader(problems, place, table)
        reader.only(CASE_KEYS, "a case")
        found.append(
            Case(
                id=reader.name("id", f"c{at}"),
                values=reader.values("values"),
                prompts=reader.texts("prompts"),
                notes=reader.text("notes"),
                checks=check_reading.read_checks(problems, reader, "check"),
            )
        )
    return tuple(found)


def _variants(problems: Problems, top: TableReader) -> tuple[Variant, ...]:
    tables = top.tables("variant")
    found: list[Variant] = []
    for at, (place, table) in enumerate(tables, 1):
        reader = TableReader(problems, place, table)
        reader.only(VARIANT_KEYS, "a variant")
        name = reader.name("id", f"v{at}")
        swept = {key: table[key] for key in table if key in _SWEPT}
        try:
            combinations = expanded(swept)
        except SweepError as error:
            key = str(error).split(" ", 1)[0]
            reader.wrong(key, str(error))
            continue
        for suffix, values in combinations:
            one = TableReader(problems, place, values)
            before = len(problems.sentences)
            found.append(_variant(one, f"{name}{suffix}", reader.text("notes")))
            if len(problems.sentences) > before:
                break
    if len(found) > MAX_VARIANTS:
        top.wrong("variant", f"the sweeps give more than {MAX_VARIANTS} variants; sweep less")
    return tuple(found) or (Variant(id="v1"),)


def _variant(reader: TableReader, name: str, notes: str) -> Variant:
    server = reader.text("server")
    if server:
        try:
            server = normalised_url(server)
        except ValueError as error:
            reader.wrong("server", f"server is {quoted(server)}: {error}")
            server = ""
    system = reader.text("system") if "system" in reader.table else None
    return Variant(
        id=name,
        system=system,
        server=server,
        model=reader.text("model"),
        temperature=reader.number("temperature", 0, 10),
        top_p=reader.number("top_p", 0, 1),
        top_k=reader.whole("top_k", 0, 1_000_000),
        repeat_penalty=reader.number("repeat_penalty", 0, 10),
        max_tokens=reader.whole("max_tokens", 1, MAX_TOKENS_LIMIT),
        thinking=reader.flag("thinking"),
        notes=notes,
    )


def _judge(problems: Problems, top: TableReader) -> JudgeModel | None:
    table = top.table.get("judge")
    if table is None:
        return None
    if not isinstance(table, Mapping):
        top.wrong("judge", f"judge is {quoted(table)}; write [judge] and its keys below")
        return None
    reader = TableReader(problems, ("judge",), table)
    reader.only(("rubric", "server", "model"), "a judge")
    server = reader.text("server")
    if server:
        try:
            server = normalised_url(server)
        except ValueError as error:
            reader.wrong("server", f"server is {quoted(server)}: {error}")
    return JudgeModel(
        rubric=reader.text("rubric", is_needed=True), server=server, model=reader.text("model")
    )


# -- what only the whole set can tell ---------------------------------------------------------


def _check_whole(problems: Problems, made: PromptSet) -> None:
    _check_twice(problems, "prompt", [prompt.id for prompt in made.prompts])
    _check_twice(problems, "case", [case.id for case in made.cases])
    _check_twice(problems, "variant", [variant.id for variant in made.variants])
    known = {prompt.id for prompt in made.prompts}
    for at, case in enumerate(made.cases):
        for name in case.prompts:
            if name not in known:
                said = f"the case is for the prompt {quoted(name)}, which is not in the set"
                problems.add(("case", at, "prompts"), said)
    if problems.sentences:
        return
    if not made.rows:
        problems.add((), "no case is for any prompt; leave prompts = [...] out of one")
    count = len(made.rows) * len(made.variants) * made.repeats
    if count > MAX_REQUESTS:
        said = f"the set asks {count:,} times, more than {MAX_REQUESTS:,}; sweep or repeat less"
        problems.add((), said)
        return
    _check_variables(problems, made)


def _check_twice(problems: Problems, what: str, ids: Sequence[str]) -> None:
    for at, name in enumerate(ids):
        if name in ids[:at]:
            place = (what, at, "id") if what != "variant" else (what,)
            problems.add(place, f"the {what} {quoted(name)} is there twice; give one another id")


def _check_variables(problems: Problems, made: PromptSet) -> None:
    """Checks that every variable of a prompt has a value in each of its cases."""
    systems = [v.system for v in made.variants if v.system]
    for prompt, case in made.rows:
        at = made.prompts.index(prompt)
        texts = [] if prompt.raw else [prompt.text, prompt.system, *systems]
        texts += [] if prompt.raw else [past.content for past in prompt.history]
        for name in dict.fromkeys(name for text in texts for name in names_in(text)):
            if name in case.values:
                continue
            if case.id:
                place: Place = ("case", made.cases.index(case), "values")
                way = f'write values = {{ {name} = "..." }}'
                said = f"the case {quoted(case.id)} has no value for {{{{{name}}}}}; {way}"
            else:
                place = ("prompt", at, "text")
                way = f'write [[case]] and below it values = {{ {name} = "..." }}'
                said = f"no case has a value for {{{{{name}}}}}; {way}"
            problems.add(place, said)
        _check_patterns(problems, (*prompt.checks, *case.checks), case, ("prompt", at))


def _check_patterns(
    problems: Problems, specs: Iterable[CheckSpec], case: Case, place: Place
) -> None:
    for spec in specs:
        try:
            said = check_reading.pattern_problem(check_reading.with_values(spec, case.values))
        except msgspec.ValidationError as error:
            said = f"a check cannot be filled with the values of {quoted(case.id)}: {error}"
        if said is not None:
            problems.add(place, said)

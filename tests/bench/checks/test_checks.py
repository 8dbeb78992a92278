"""Checks of answers: what passes, what fails, and what cannot be judged."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.bench.checks import languages, python_code, structured, text_counts
from tui.bench.checks.fences import open_fence
from tui.bench.checks.findings import reported, score
from tui.bench.checks.run import check_answer, echo_share, lenient
from tui.bench.model import check_specs
from tui.bench.model.answer import Answer
from tui.bench.model.records import Check
from tui.bench.model.suite import builtin_ids, load_builtin

FIELDS = (
    check_specs.JsonField(name="summary", min_words=3, max_words=5),
    check_specs.JsonField(name="items", type="list", items=5, item_keys=("title",)),
)
SHAPE = check_specs.Json(fields=FIELDS)
GOOD = {"summary": "four words are here", "items": [{"title": str(i)} for i in range(5)]}


def by_id(spec: check_specs.CheckSpec, text: str, *, is_capped: bool = False) -> dict[str, Check]:
    answer = Answer(text, prompt="a question about birds", is_capped=is_capped)
    return {check.id: check for check in check_answer([spec], answer)}


# -- JSON ------------------------------------------------------------------------------------------


def test_strict_json_passes_everything() -> None:
    found = by_id(SHAPE, json.dumps(GOOD))
    assert all(found[key].passed for key in ("json_strict", "json_fenced", "json_shape"))


def test_fenced_json_is_not_strict() -> None:
    found = by_id(SHAPE, f"```json\n{json.dumps(GOOD, indent=1)}\n```")
    assert found["json_strict"].passed is False
    assert found["json_fenced"].passed is True
    assert found["json_shape"].passed is True


def test_trailing_prose_is_flagged() -> None:
    found = by_id(SHAPE, json.dumps(GOOD) + "\nHope this helps!")
    assert found["json_strict"].passed is False
    assert "text behind" in found["json_strict"].detail
    assert found["json_repair"].info
    assert found["json_shape"].passed is True


def test_six_items_where_five_were_asked() -> None:
    bad = {**GOOD, "items": [{"title": str(i)} for i in range(6)]}
    found = by_id(SHAPE, json.dumps(bad))
    assert found["json_shape"].passed is False
    assert "6 items, not 5" in found["json_shape"].detail


def test_duplicate_key_and_nan_are_refused() -> None:
    assert "twice" in by_id(SHAPE, '{"a": 1, "a": 2}')["json_strict"].detail
    assert "NaN" in by_id(SHAPE, '{"a": NaN}')["json_strict"].detail


def test_capped_json_cannot_be_judged() -> None:
    cut = json.dumps(GOOD)[:40]
    assert by_id(SHAPE, cut, is_capped=True)["json_strict"].passed is None
    assert by_id(SHAPE, cut)["json_strict"].passed is False


def test_mended_json_is_information_only() -> None:
    found = by_id(SHAPE, '{"summary": "a b c", "items": [1,],}')
    assert found["json_repair"].detail == "mended"
    assert found["json_strict"].passed is False


def test_deeply_nested_json_does_not_crash() -> None:
    assert by_id(SHAPE, "[" * 200_000)["json_strict"].passed is False


# -- Python ----------------------------------------------------------------------------------------

CODE = '''def tidy(rows: list[str]) -> dict[str, int]:
    """Counts rows."""
    if not rows:
        raise ValueError("empty")
    return {"n": len(rows)}
'''
TIDY = check_specs.Python(function="tidy")


def test_python_in_a_fence() -> None:
    assert by_id(TIDY, f"Here:\n```python\n{CODE}```\nDone.")["python"].passed is True
    assert by_id(TIDY, CODE)["python"].passed is True


def test_python_docstring_with_a_fence_inside() -> None:
    code = CODE.replace('"""Counts rows."""', '"""Counts.\n\n```\ntidy([])\n```\n"""')
    assert by_id(TIDY, f"```python\n{code}```\nEnd")["python"].passed is True


def test_python_that_lacks_something() -> None:
    assert "annotations" in by_id(TIDY, "def tidy(rows):\n  'd'\n  raise E")["python"].detail
    assert "no function" in by_id(TIDY, "def other(): pass")["python"].detail


def test_python_syntax_error_counts_unless_a_cap_cut_it() -> None:
    cut = f"```python\n{CODE}\nprint(tidy(["
    assert by_id(TIDY, cut)["python"].passed is False
    assert by_id(TIDY, cut, is_capped=True)["python"].passed is None
    early = "def tidy(:\n" + "x = 1\n" * 30
    assert by_id(TIDY, early, is_capped=True)["python"].passed is False


def test_python_tabs_and_deep_nesting() -> None:
    assert by_id(TIDY, CODE.replace("    ", "\t"))["python"].passed is True
    found = by_id(TIDY, "(" * 10_000 + ")" * 10_000)["python"]
    assert found.passed is False


def test_without_a_process_for_the_parser_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert by_id(TIDY, CODE)["python"].passed is None


def test_python_is_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    by_id(TIDY, f"open({str(mark)!r}, 'w')\n{CODE}")
    assert not mark.exists()


@settings(max_examples=8, deadline=None)
@given(st.text(max_size=300))
def test_python_takes_any_text(text: str) -> None:
    verdict, detail = python_code.python(TIDY, Answer(text))
    assert verdict is False
    assert detail


# -- text ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        (check_specs.Nonempty(), "x", " \n"),
        (check_specs.Words(min=3, max=4), "one two three", "one two"),
        (check_specs.Words(min=10, slack_pct=10), "w " * 9, "w " * 8),
        (check_specs.Sentences(min=2, max=2), "One. Two!", "One. Two. Three."),
        (check_specs.Paragraphs(min=2), "a b\n\nc d", "a b\nc d"),
        (check_specs.Bullets(min=2, max=2), "- a\n- b", "- a\n- b\n- c"),
        (check_specs.Lines(min=2, max=2), "a\n\nb", "a"),
        (check_specs.EndsSentence(), "It ends.", "It ends and"),
        (check_specs.EndsSentence(), "它结束了。", "它结束了"),
        (check_specs.Outline(min_entries=3, min_levels=2), "# A\n## B\n1. c", "# A\nb"),
        (check_specs.Keywords(groups=(("cat", "dog"), ("sun",))), "Dogs in the SUN", "dogs"),
        (check_specs.Times(min=2), "2 weeks, then 3-4 days", "2 weeks"),
        (check_specs.StartsWith(text="Yes"), "Yes, it is", "No"),
        (check_specs.EndsWith(text="END"), "it is END\n", "END it is"),
        (check_specs.Contains(texts=("sun",), times=2), "Sun and sun", "sun"),
        (check_specs.Excludes(texts=("cat", ",")), "category", "a cat"),
        (check_specs.Casing(case="lower"), "all low 1", "Not low"),
        (check_specs.Matches(pattern="a+b"), " aab\n", "aabc"),
        (check_specs.FileName(extension="pdf", max_length=20), "one-two.pdf", "One Two.pdf"),
        (check_specs.FileName(extension="pdf", must_contain=("x1",)), "x1-a.pdf", "a.pdf"),
    ],
)
def test_text_checks(spec: check_specs.CheckSpec, good: str, bad: str) -> None:
    kind = check_specs.kind_of(spec)
    assert by_id(spec, good)[kind].passed is True
    assert by_id(spec, bad)[kind].passed is False


def test_a_cap_excuses_what_is_missing_but_not_what_is_too_much() -> None:
    assert by_id(check_specs.Words(min=50), "few words", is_capped=True)["words"].passed is None
    assert (
        by_id(check_specs.Words(max=2), "too many words", is_capped=True)["words"].passed is False
    )
    assert by_id(check_specs.Words(min=1), "few words", is_capped=True)["words"].passed is True
    loop = "the same again " * 200
    assert by_id(check_specs.NoLoop(), loop, is_capped=True)["no_loop"].passed is False


def test_strict_and_loose() -> None:
    spec = check_specs.FileName(extension="pdf")
    found = by_id(spec, "Sure, here it is:\n**one-two.pdf**")["file_name"]
    assert (found.passed, found.loose) == (False, True)
    assert "b\nc" in lenient("a\nb\nc")


def test_every_answer_is_looked_at() -> None:
    answer = Answer(
        "\ufffd a question about birds", prompt="a question about birds", is_think_unclosed=True
    )
    found = {check.id: check for check in check_answer([], answer)}
    assert found["spoilt_characters"].passed is False
    assert found["think_closed"].passed is False
    assert found["prompt_echo"].info
    assert found["prompt_echo"].passed is False
    assert found["repetition"].passed is True


def test_language_drift() -> None:
    drifted = Answer("这是一个很长的中文回答而不是英文", prompt="Why is the sky blue today?")
    found = {check.id: check for check in check_answer([], drifted)}
    assert found["language_drift"].passed is False


def test_echo_share() -> None:
    prompt = "the quick brown fox jumps over it"
    assert echo_share(prompt, "Well, the quick brown fox jumps over it now") == 1.0
    assert echo_share(prompt, "nothing of the kind") < 0.3
    assert echo_share("hi", "hi") == 0.0


# -- languages -------------------------------------------------------------------------------------

SAMPLES = {
    "en": "The list of values is empty, so the function raises an error.",
    "hu": "A lista üres, ezért a függvény hibát dob, és nem ad vissza értéket.",
    "vi": "Danh sách rỗng nên hàm này sẽ báo lỗi và không trả về giá trị nào.",
    "zh": "列表为空,因此函数会抛出错误,不返回任何值。",
    "ar": "القائمة فارغة لذلك ترمي الدالة خطأ ولا تعيد أي قيمة.",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_languages_are_told_apart(language: str) -> None:
    assert languages.detect(SAMPLES[language]) == language


def test_detect_gives_up_on_nothing() -> None:
    assert languages.detect("") is None
    assert languages.detect("12 34 %") is None


STRINGS = {"a.open": "Open file", "a.left": "{count} minutes left", "a.stop": "Cancel"}
HU = {"a.open": "Fájl megnyitása", "a.left": "{count} perc van hátra", "a.stop": "Mégse"}


def test_translated_strings() -> None:
    spec = check_specs.Strings(source=STRINGS, language="hu")
    assert by_id(spec, json.dumps(HU))["strings"].passed is True
    lost = {**HU, "a.left": "perc van hátra"}
    assert "placeholders" in by_id(spec, json.dumps(lost))["strings"].detail
    assert by_id(spec, json.dumps(STRINGS))["strings"].passed is False
    assert by_id(spec, json.dumps({"a.open": "x"}))["strings"].passed is False


def test_translated_comments() -> None:
    code = "def f(x):\n    y = x + 1\n    return y\n"
    spec = check_specs.Comments(code=code, language="hu", min=2)
    body = "# az érték növelése\n    y = x + 1\n    # és a visszatérés ez lesz\n    return y"
    good = f"```python\ndef f(x):\n    {body}\n```"
    assert by_id(spec, good)["comments"].passed is True
    assert by_id(spec, good.replace("x + 1", "x + 2"))["comments"].passed is False
    english = good.replace("az érték növelése", "increase the value").replace(
        "és a visszatérés ez lesz", "return the result of it"
    )
    assert "English" in by_id(spec, english)["comments"].detail


def test_against_the_english_answer() -> None:
    english, hungarian = json.dumps(STRINGS), json.dumps(HU)
    assert languages.against_english(english, hungarian, "strings")[0] is True
    assert languages.against_english(english, english, "strings")[0] is False
    assert languages.against_english("oops", hungarian, "strings")[0] is None
    assert languages.against_english(english, "oops", "strings")[0] is False
    assert languages.against_english("# one\nx = 1", "# egy\nx = 1", "comments")[0] is True


# -- findings --------------------------------------------------------------------------------------


def test_findings_are_scored() -> None:
    expected = (check_specs.Violation(line=7, rule="r"), check_specs.Violation(line=9, rule="r"))
    assert score(expected, [(7, "r"), (10, "r"), (30, "r")], 1) == {
        "found": 2,
        "missed": 0,
        "false": 1,
        "accuracy": 2 / 3,
    }
    assert score((), [], 1)["accuracy"] == 1.0
    assert score(expected, [(7, "r"), (7, "r")], 1)["false"] == 0
    assert reported([{"line": "3", "rule": "Magic Number"}]) == [(3, "magic-number")]
    assert reported({"findings": [{"line": 1, "rule": "x"}]}) == [(1, "x")]
    assert reported([{"line": True, "rule": "x"}]) is None
    assert reported("no") is None


def test_findings_check() -> None:
    spec = check_specs.Findings(expected=(check_specs.Violation(line=2, rule="r"),), rules=("r",))
    assert by_id(spec, '[{"line": 2, "rule": "r"}]')["findings"].passed is True
    missed = by_id(spec, "It looks fine.")["findings"]
    assert missed.passed is False
    assert missed.score["missed"] == 1
    clean = check_specs.Findings(expected=(), rules=("r",))
    assert by_id(clean, "[]")["findings"].passed is True
    assert by_id(clean, "hm")["findings"].score["accuracy"] == 0.0


def test_known_violations_are_really_there() -> None:
    needle = {
        "hard-coded-colour": ("#", "rgb", "crimson"),
        "magic-number": ("7", "503", "2.5", "37", "255", "70"),
        "relative-import": ("../",),
        "duplicate": ("total = 0", 'form["name"]', "fetch(", "levels = []"),
        "raw-value": ("px", "rem", "#", "ms", "550"),
    }
    prompts = load_builtin("code").prompts
    assert len(prompts) == 20
    assert sorted({p.group for p in prompts}) == ["duplication", "imports", "tokens", "values"]
    for prompt in prompts:
        lines = prompt.file.strip("\n").split("\n")
        for check in prompt.checks:
            assert isinstance(check, check_specs.Findings)
            for violation in check.expected:
                assert violation.rule in check.rules
                assert any(n in lines[violation.line - 1] for n in needle[violation.rule])


# -- measures and any text -------------------------------------------------------------------------


def test_measures() -> None:
    assert text_counts.words("it's 3 well-known words") == 4
    assert text_counts.words("四个汉字") == 4
    assert text_counts.sentences("") == 0
    assert text_counts.fences("```py\nx\n```\ntext\n~~~\ny\n~~~") == [("py", "x\n"), ("", "y\n")]
    assert open_fence("```py\nx\n```\n```\nrest") == ("", "rest")
    assert text_counts.outline_levels("1. a\n1.1 b\n") == (2, 2 + 1)
    assert text_counts.script_shares("ab漢")["Han"] == pytest.approx(1 / 3)


EVERY = [check for name in builtin_ids() for p in load_builtin(name).prompts for check in p.checks]
NO_PYTHON = [check for check in EVERY if not isinstance(check, check_specs.Python)]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=400), st.booleans())
def test_any_answer_can_be_checked(text: str, is_capped: bool) -> None:
    answer = Answer(text, prompt="Write this.", is_capped=is_capped)
    for check in check_answer(NO_PYTHON, answer):
        assert len(check.detail) <= 400


@pytest.mark.slow
def test_a_huge_answer_is_checked_in_reasonable_time() -> None:
    text = "word and more, " * 25_000
    answer = Answer(text, prompt="Write this and that about something.")
    assert check_answer(NO_PYTHON, answer)


@given(st.text(max_size=200))
def test_lenient_json_takes_any_text(text: str) -> None:
    found = structured.parse_lenient(text)
    assert found is None or found[1] in ("strict", "fenced", "inside text", "mended")


# -- one text, one form, one time ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "good", "bad"),
    [
        (check_specs.Equals(text="Paris"), " Paris\n", "Paris."),
        (check_specs.HasText(text="NPU"), "the NPU", "the npu"),
        (check_specs.HasText(text="NPU", any_case=True), "the npu", "the CPU"),
        (check_specs.HasMatch(pattern=r"\d{3}"), "it has 512 MiB", "it has 51"),
        (check_specs.ValidJson(), '{"a": [1, 2]}', "here: {}"),
    ],
)
def test_a_check_and_its_opposite(spec: check_specs.CheckSpec, good: str, bad: str) -> None:
    name = check_specs.kind_of(spec)
    assert by_id(spec, good)[name].passed is True
    assert by_id(spec, bad)[name].passed is False
    inverted = check_specs.Not(check=spec)
    assert by_id(inverted, good)[f"not_{name}"].passed is False
    assert by_id(inverted, bad)[f"not_{name}"].passed is True


def test_what_is_not_in_a_cut_answer_could_have_come() -> None:
    inverted = check_specs.Not(check=check_specs.HasText(text="NPU"))
    assert by_id(inverted, "the", is_capped=True)["not_has_text"].passed is None
    assert by_id(inverted, "the NPU", is_capped=True)["not_has_text"].passed is False


def test_the_time_of_an_answer_is_checked_where_it_is_known() -> None:
    spec = (check_specs.Latency(max_ms=500),)
    for took_ms, passed in ((400.0, True), (600.0, False), (None, None)):
        found = check_answer(spec, Answer(text="x", latency_ms=took_ms))[0]
        assert found.passed is passed, took_ms

"""Reports: complete, honest about what is not known, and inert whatever the texts hold."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.bench.made import profile, request, run, trace
from tests.core.hostile import HOSTILE as CORE
from tui.bench.model.conditions import Model
from tui.bench.model.events import Sampled
from tui.bench.model.records import Check, Hardware, Request, RuntimeTimes, Source, Tokens
from tui.bench.report import charts, markdown, render, rows
from tui.bench.report.blocks import Block, Code, Facts, Folded, Heading, Paragraph, Table
from tui.bench.report.observations import observations
from tui.bench.store.run_files import Loaded

HOSTILE = [
    "a | b || c",
    "```\nout\n```",
    "````` five",
    "</details></pre><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\x1b]52;c;aGk=\x07\x1b[2J\x1b[31mred",
    "\u202eright to left\u2066",
    "[link](javascript:alert(1)) ![x](http://evil.example/x.png)",
    "[ref]: http://evil.example",
    "http://evil.example www.evil.example",
    '=HYPERLINK("http://evil")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "# heading",
    "---",
    "1. list\n- item\n> quote",
    "&lt;b&gt; &amp; &#x41;",
    "*bold* _it_ ~~gone~~ __init__",
    "\ud800 lone",
    "\x00\x07\x9b31m",
    *filter(None, CORE.values()),
    "somebody@evil.example",
]


BASE = run([request("a"), request("b", order=1)])


def loaded_with(text: str) -> Loaded:
    """A run in which every foreign string is that text."""
    one = BASE.requests[0]
    hostile = msgspec.structs.replace(
        one,
        name=text,
        finish=text,
        error=text,
        group=text,
        warnings=(text,),
        checks=(Check(id="c", passed=False, detail=text),),
    )
    document = msgspec.structs.replace(
        BASE,
        requests=(hostile, BASE.requests[1]),
        model=Model(name=text, file=text, quant=text),
    )
    env = msgspec.structs.replace(document.env, board=text, kernel=text, missing={text: text})
    info = msgspec.structs.replace(document.run, notes=(text,), title=text, origin=text)
    # JSON of a file is UTF-8: half of a pair never comes in by it.
    whole = text.encode("utf-8", "replace").decode()
    config = msgspec.structs.replace(document.config, cache=whole, sources={whole: whole})
    document = msgspec.structs.replace(document, env=env, run=info, config=config)
    return Loaded(
        document,
        texts={("a", 0): (text, text), ("b", 0): ("fine", "")},
        prompts={("a", 0): text},
    )


class Tags(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str | None]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= set(attrs)


def tags_of(page: str) -> Tags:
    parser = Tags()
    parser.feed(page)
    return parser


PLAIN_TAGS = tags_of(render.as_html(loaded_with("plain"))).tags


@pytest.mark.parametrize("text", HOSTILE)
def test_html_is_inert(text: str) -> None:
    found = tags_of(render.as_html(loaded_with(text)))
    assert found.tags == PLAIN_TAGS
    assert not {"script", "img", "a", "iframe", "link"} & found.tags
    assert not any(name.startswith("on") or name in ("href", "src") for name, _ in found.attributes)


PARSER = MarkdownIt("gfm-like", {"linkify": True})
assert PARSER.linkify is not None
# GitHub links addresses with a scheme, www and e-mail; bare names with a dot it leaves alone.
PARSER.linkify.set({"fuzzy_link": False, "fuzzy_email": True})


@cache
def plain_page(compat: str | None) -> str:
    return str(PARSER.render(render.as_markdown(loaded_with("plain"), compat=compat)))


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("compat", [None, "seed004"])
def test_markdown_is_inert(text: str, compat: str | None) -> None:
    page = PARSER.render(render.as_markdown(loaded_with(text), compat=compat))
    found, plain = tags_of(page), plain_page(compat)
    assert found.tags <= tags_of(plain).tags
    assert not {"script", "img", "a"} & found.tags
    # Headings and tables are where ours are, not where a text would like to have them.
    for tag in ("<h1", "<h2", "<h3", "<table", "<details"):
        assert page.count(tag) == plain.count(tag)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_control_character_comes_through(text: str) -> None:
    loaded = loaded_with(text)
    for out in (render.as_markdown(loaded), render.as_html(loaded), rows.as_csv(loaded)):
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", out)
        out.encode("utf-8", "replace")


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_holds_no_formula_and_stays_in_shape(text: str) -> None:
    table = list(csv.reader(io.StringIO(rows.as_csv(loaded_with(text)))))
    assert {len(row) for row in table} == {len(table[0])}
    assert len(table) == 3
    for cell in table[1]:
        assert not cell.startswith(("=", "+", "@"))
        assert not (cell.startswith("-") and not re.fullmatch(r"-[\d.]+", cell))


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.text(max_size=120))
def test_markdown_of_any_text(text: str) -> None:
    blocks: list[Block] = [
        Heading(2, text),
        Paragraph(text, is_warning=True),
        Facts(((text, text),)),
        Table(("a", "b"), [(text, text)]),
        Code(text),
        Folded(text, text),
    ]
    assert text == "" or markdown.rendered(blocks)
    # What is fenced may begin its lines as it likes; above it the table has three rows.
    assert markdown.rendered(blocks[:4]).count("\n|") == 3


def test_a_fence_is_longer_than_any_inside() -> None:
    assert markdown.fence("a ```` b `") == "`" * 5
    assert markdown.fence("") == "```"


def test_a_megabyte_of_answer() -> None:
    loaded = loaded_with("plain")
    loaded.texts["a", 0] = ("x" * 1_500_000, "")
    assert "cut after 1,000,000 characters" in render.as_markdown(loaded)


# -- what must be said -----------------------------------------------------------------------------


def full() -> Loaded:
    return Loaded(profile(1))


def test_the_layout() -> None:
    text = render.as_markdown(full())
    wanted = [
        "# qwen3-4b NPU Benchmark Results",
        "## Executive Summary",
        "## Configuration",
        "## Performance Metrics",
        "## Token Statistics",
        "## Detailed Test Results",
        "## Observations",
        "## Context Decay",
        "## Reference rows",
        "## Method",
    ]
    places = [text.index(heading) for heading in wanted]
    assert places == sorted(places)
    for label in ("Success Rate:** 10/10 (100%)", "Median Speed", "Token-weighted Speed", "n=10"):
        assert label in text
    assert "| Generation Speed (tok/s) |" in text
    assert "| Time to First Token (ms) |" in text
    assert "per success" in text
    assert "per attempt" in text


def test_a_simulated_run_says_so_in_every_form() -> None:
    loaded = Loaded(run(profile(1).requests, is_simulated=True))
    assert "SIMULATED" in render.as_markdown(loaded)
    assert "SIMULATED" in render.as_markdown(loaded, compat="seed004")
    assert "SIMULATED" in render.as_html(loaded)
    head, first, *_ = csv.reader(io.StringIO(rows.as_csv(loaded)))
    assert first[head.index("simulated")] == "yes"
    assert "simulated" in str(rows.llama_bench_rows(loaded).rows)
    assert "SIMULATED" not in render.as_markdown(full())


def test_a_partial_run_says_so() -> None:
    kept = [*profile(1).requests[:6], Request(id="x", rep=0, order=9, status="timeout_idle")]
    text = render.as_markdown(Loaded(run(kept, planned=10)))
    assert "PARTIAL 6/10" in text
    assert "timeout_idle" in text


def test_a_buffered_run_has_no_false_first_token() -> None:
    buffered = [
        msgspec.structs.replace(
            r,
            m={**r.m, "ttft_client_ms": None, "decode_tps_cl": None},
            taint=("buffered_stream",),
        )
        for r in profile(1).requests
    ]
    document = run(buffered)
    config = msgspec.structs.replace(document.config, stream_mode="buffered")
    text = render.as_markdown(Loaded(msgspec.structs.replace(document, config=config)))
    assert "the server does not stream" in text
    assert "| Time to First Token (ms) |" not in text
    assert "O3 buffered" in text


def test_an_empty_run_can_be_reported() -> None:
    loaded = Loaded(run([]))
    for out in (render.as_markdown(loaded), render.as_html(loaded), rows.as_csv(loaded)):
        assert out
    assert "–" in render.as_markdown(loaded)


def test_observations_come_from_data_only() -> None:
    assert observations(Loaded(run([]))) == []
    said = " ".join(observations(full()))
    assert "[O13 spread]" in said
    for word in ("excellent", "coherent", "high success", "good"):
        assert word not in said.lower()
    hot = msgspec.structs.replace(request("h"), taint=("throttled",), hw=Hardware(t_max=88.0))
    assert any("O4 taints" in text for text in observations(Loaded(run([hot]))))


def test_a_reference_row_is_labelled_as_what_it_is() -> None:
    text = render.as_markdown(full())
    assert "MiniCPM3 4B w8a8, rk3588, Rockchip (rknn-llm v1.3.0)" in text
    assert "another" in text
    assert "board report (RockchipLlama, runtime 1.2.1)" in text
    assert "O14 reference" in text


def _standard(n_in: int, n_out: int, source: Source = "runtime") -> Loaded:
    made = [
        msgspec.structs.replace(
            request("pp128_tg64", rep, made=trace(tokens=n_out, tps=6.0 + rep / 10)),
            group="pp128_tg64",
            target_in=128,
            target_out=64,
            tok=Tokens(input=n_in, in_source=source, out=n_out, source="client"),
            rt=RuntimeTimes(prefill_ms=1400.0, prefill_tokens=n_in),
        )
        for rep in range(5)
    ]
    return Loaded(run(made, kind="standard"))


def test_the_rockchip_row() -> None:
    found = rows.rockchip_row(_standard(128, 64))
    assert found is not None
    table, problems = found
    assert problems == []
    assert table.rows[0][3:7] == ("128", "64", "1250.00", "6.20")
    others: tuple[tuple[int, int, Source, str], ...] = (
        (127, 64, "runtime", "128 prompt tokens"),
        (128, 63, "runtime", "64 tokens"),
        (128, 64, "estimated", "does not count"),
    )
    for n_in, n_out, source, said in others:
        row = rows.rockchip_row(_standard(n_in, n_out, source))
        assert row is not None
        assert said.split()[-1] in " ".join(row[1])
    assert rows.rockchip_row(full()) is None


def test_the_llama_bench_rows() -> None:
    table = rows.llama_bench_rows(_standard(128, 64))
    assert [row[4] for row in table.rows] == ["pp128", "tg64"]
    assert table.rows[1][5] == "6.20 ± 0.16"


def test_charts_draw_nothing_out_of_nothing() -> None:
    assert charts.bars([], [], "tok/s", "t") == ""
    assert charts.scatter([], "x", "y", "t", None) == ""
    assert charts.histogram([1.0], "ms", "t") == ""
    assert charts.timeline([("a", [])], "y", "t") == ""
    assert "<circle" in charts.scatter([(1, 2), (3, 4)], "x", "y", "t", None)
    assert charts.bars(["<a>"], [3.0], "tok/s", "t").count("<a>") == 0
    assert "nan" not in charts.histogram([5.0, 5.0, 5.0], "ms", "t")
    assert "<path" in charts.timeline([("a", [(0, 1), (1, 0)])], "y", "t")


def test_the_timeline_of_the_board_is_part_of_a_report() -> None:
    loaded = full()
    loaded.samples = [
        Sampled(t_ns=at * 10**9, values={"temp.max": 50.0 + at, "npu.freq": 1e9, "ddr.freq": 2.4e9})
        for at in range(20)
    ]
    assert "## Hardware Timeline" in render.as_markdown(loaded)
    assert "<svg" in render.as_html(loaded)


def timed(count: int) -> Loaded:
    """Requests with the times of their chunks, and samples of the board."""
    made = [trace(tokens=40), trace(tokens=40)]
    requests = [request(f"r{n}", order=n, made=made[n % 2]) for n in range(count)]
    stamps = {one.key: made[n % 2].stamps_ns for n, one in enumerate(requests)}
    samples = [
        Sampled(
            t_ns=n * 1_000_000_000, values={"npu.freq": 1e9, "npu.load.0": 80.0, "soc.temp": 60.0}
        )
        for n in range(15)
    ]
    return Loaded(run(requests), stamps=stamps, samples=samples)


@pytest.mark.parametrize("count", [2, 5])
def test_the_page_has_the_timeline_of_each_request_folded_where_there_are_many(
    count: int,
) -> None:
    page = render.as_html(timed(count))
    pictures = re.findall(r'<svg class="ntl".*?</svg>', page, re.DOTALL)
    assert len(pictures) == count
    assert all(len(picture) < 30_000 for picture in pictures)
    assert all(">NPU<" in picture and ">prefill<" in picture for picture in pictures)
    assert page.count("<details><summary>Timeline") == (count if count > 3 else 0)
    assert "<svg" not in render.as_markdown(timed(count))


def test_a_request_without_times_has_no_picture() -> None:
    assert 'class="ntl"' not in render.as_html(Loaded(BASE))

"""Files of other tools, and the golden numbers of the board report."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.refusals import result_or_refusal
from tui.bench.importers import files
from tui.bench.importers.tables import rockchip_table
from tui.bench.report import render, rows
from tui.bench.store.document import load
from tui.bench.store.run_files import save
from tui.bench.store.runs import RunError

DATA = Path(__file__).parent / "data"

LLAMA_BENCH = [
    {
        "build_commit": "8cf427ff",
        "model_type": "qwen2 7B Q4_K - Medium",
        "n_prompt": 512,
        "n_gen": 0,
        "n_depth": 0,
        "avg_ns": 72135640,
        "stddev_ns": 1453752,
        "avg_ts": 7100.002165,
        "stddev_ts": 140.34152,
        "samples_ns": [74601900, 71632900, 71745200, 71952700, 70745500],
        "samples_ts": [6863.1, 7147.55, 7136.37, 7115.79, 7237.21],
    },
    {
        "model_type": "qwen2 7B Q4_K - Medium",
        "n_prompt": 0,
        "n_gen": 128,
        "n_depth": 512,
        "avg_ns": 1076767880,
        "avg_ts": 118.881588,
    },
]
TABLE = """
### RK3588

| Model       | Model Size | Dtype | Seqlen | New_tokens | TTFT(ms) | Tokens/s | memory(MB) |
| :---------- | :--------: | :---: | :----: | :--------: | :------: | :------: | :--------: |
| Phi3        |    3.8B    | w8a8  |  128   |     64     | 1017.28  |   7.45   |  3758.34   |
| Qwen3.5     |    0.8B    | w8a8  |  128   |     64     |  587.74  |  27.05   |  1039.66   |
|             |     4B     | w8a8  |  128   |     64     | 2068.88  |   6.22   |  4575.78   |

### Other

| a | b |
| - | - |
| 1 | 2 |
"""


def _report(name: str) -> str:
    return render.as_markdown(files.load(DATA / name), compat="seed004")


@pytest.mark.parametrize("name", ["seed004.json", "seed004.md"])
def test_golden_numbers(name: str) -> None:
    text = _report(name)
    assert "| Generation Speed (tok/s) | 3.13 | 3.15 | 3.00 | 3.19 |" in text
    assert "| Time to First Token (ms) | 1382.11 | 1250.41 | 1048.17 | 2386.69 |" in text
    assert "| Input Processing (tok/s) | 29.36 |" in text
    assert "6/10 (60%)" in text
    assert "1,225 tokens" in text
    assert "**Total Input Tokens:** 245" in text
    assert "**Total Tokens Processed:** 1,470" in text
    assert "3.07 tok/s" in text
    assert "204.2 tokens" in text
    assert "0.76 tok/s" in text
    assert "4 timeouts took 300 s each" in text
    assert "~5027 MB" in text


def test_golden_numbers_to_the_last_digit() -> None:
    document = files.load(DATA / "seed004.json").document
    decode = document.summary["decode_tps"]
    assert decode.mean == pytest.approx(3.1313, abs=5e-5)
    assert decode.median == pytest.approx(3.1481, abs=5e-5)
    assert decode.min == pytest.approx(2.9972, abs=5e-5)
    assert decode.max == pytest.approx(3.1854, abs=5e-5)
    assert decode.sd == pytest.approx(0.067, abs=5e-4)
    assert decode.mad == pytest.approx(1.4826 * 0.010, abs=2e-3)
    assert decode.source == "runtime"
    assert document.totals["run_decode_tps"].value == pytest.approx(3.069, abs=5e-4)
    assert document.totals["run_wall_tps"].value == pytest.approx(0.762, abs=5e-4)
    assert document.totals["tokens_per_success"].value == pytest.approx(204.17, abs=5e-3)
    assert [f.count for f in document.failures if f.status == "timeout_idle"] == [4]
    assert document.summary["prefill_tps"].mean == pytest.approx(29.3613, abs=5e-5)


def test_prefill_time_is_not_called_time_to_first_token() -> None:
    loaded = files.load(DATA / "seed004.json")
    assert loaded.document.summary["ttft_client_ms"].n == 0
    assert loaded.document.run.comparability == "limited"
    text = render.as_markdown(loaded)
    assert "Imported from another tool's file" in text
    assert "Prefill time (ms)" in text


def test_damaged_encoding_is_no_reason_to_lose_numbers(tmp_path: Path) -> None:
    data = (DATA / "seed004.json").read_bytes().replace(b"mojibake", b"\xff\xfe\x80")
    path = tmp_path / "damaged.json"
    path.write_bytes(b"\xef\xbb\xbf" + data)
    assert files.load(path).document.totals["tokens_out"].value == 1225


def test_the_rows_of_the_report_alone(tmp_path: Path) -> None:
    """What is needed is id, prefill, counts and rate; the rest follows or stays unknown."""
    raw = [
        ("completion_01", 1048.17, 31, 119, 3.16, 38.69),
        ("completion_02", 1253.92, 39, 244, 3.14, 78.89),
        ("completion_03", 1087.62, 31, 112, 3.15, 36.68),
        ("completion_04", 1269.40, 38, 33, 3.19, 11.64),
        ("completion_05", 1246.89, 33, 78, 3.15, 26.05),
        ("creativity_01", 2386.69, 73, 639, 3.00, 215.69),
    ]
    results = [
        {
            "prompt_id": name,
            "prefill_time_ms": prefill,
            "input_tokens": size_in,
            "output_tokens": size_out,
            "tokens_per_second": rate,
            "total_time_ms": 1000 * total,
            "success": True,
        }
        for name, prefill, size_in, size_out, rate, total in raw
    ]
    results += [
        {"prompt_id": f"late_{i}", "success": False, "error_message": "Request timed out"}
        for i in range(4)
    ]
    path = tmp_path / "rows.json"
    path.write_text(
        json.dumps({"summary": {"duration_seconds": 1608.0}, "detailed_results": results})
    )
    text = render.as_markdown(files.load(path), compat="seed004")
    for wanted in ("| 3.13 | 3.15 |", "1382.11", "1250.41", "29.36", "3.07 tok/s", "204.2", "6/10"):
        assert wanted in text


def test_llama_bench_json_and_jsonl(tmp_path: Path) -> None:
    whole, lines = tmp_path / "a.json", tmp_path / "a.jsonl"
    whole.write_text(json.dumps(LLAMA_BENCH))
    lines.write_text("\n".join(map(json.dumps, LLAMA_BENCH)) + "\n")
    for path in (whole, lines):
        document = files.load(path).document
        assert document.model.name == "qwen2 7B Q4_K - Medium"
        assert len(document.requests) == 6
        assert document.summary["prefill_tps"].n == 5
        assert document.summary["decode_tps"].mean == pytest.approx(118.881588)
        assert document.requests[5].id == "tg128_d512"
    table = rows.llama_bench_rows(files.load(whole))
    cells = [row[-1] for row in table.rows]
    # Mean and sample deviation as llama-bench itself prints them for these samples.
    assert "7100.00 ± 140.34" in cells
    assert "118.88 ± 0.00" in cells


def test_rockchips_table(tmp_path: Path) -> None:
    path = tmp_path / "table.md"
    path.write_text(TABLE)
    document = files.load(path).document
    assert [r.name for r in document.requests] == [
        "Phi3 3.8B w8a8 rk3588",
        "Qwen3.5 0.8B w8a8 rk3588",
        "Qwen3.5 4B w8a8 rk3588",
    ]
    assert document.requests[2].m["decode_tps_rt"] == 6.22
    assert document.requests[2].rt.memory_mb == 4575.78
    assert document.run.comparability == "limited"


def test_an_imported_run_can_be_kept_and_read_again(tmp_path: Path) -> None:
    loaded = files.load(DATA / "seed004.json")
    save(loaded, tmp_path)
    again = load(tmp_path)
    assert again.document == loaded.document
    assert again.texts == loaded.texts
    assert render.as_markdown(again, compat="seed004").count("kind)") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain words",
        "{}",
        "[]",
        "null",
        '{"detailed_results": []}',
        '{"a":',
        "[" * 100_000,
        "3",
    ],
)
def test_what_nobody_knows_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(RunError, match=r"x\.json"):
        files.load(path)


def test_odd_values_are_left_out(tmp_path: Path) -> None:
    row = {
        "prompt_id": "../../a b",
        "success": True,
        "output_tokens": True,
        "tokens_per_second": float("nan"),
        "total_time_ms": -5,
        "prefill_time_ms": "fast",
        "response_text": None,
    }
    path = tmp_path / "odd.json"
    path.write_text(json.dumps({"detailed_results": [row, 7, None]}))
    document = files.load(path).document
    assert document.requests[0].status == "empty"
    assert "/" not in document.requests[0].id
    save(files.load(path), tmp_path)
    assert not (tmp_path.parent / "a b").exists()


@settings(max_examples=60)
@given(st.text(max_size=300))
def test_any_table(text: str) -> None:
    assert len(rockchip_table(text)) <= text.count("|")


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=12,
    )
)
def test_any_result_rows(value: object) -> None:
    rows = [value, {"success": True, "x": value}]
    loaded = files.rockchipllama({"detailed_results": rows}, "x")
    assert len(loaded.document.requests) == 1 + isinstance(value, dict)


# -- files as their users have them ----------------------------------------------------------------


@pytest.mark.parametrize("name", ["clean.json", "noise.json", "noise.jsonl", "appended.json"])
def test_llama_bench_as_users_save_it(name: str) -> None:
    loaded = files.load(DATA / name)
    rates = {request.group: request.m for request in loaded.document.requests}
    assert 25.0 < (rates["pp512"]["prefill_tps"] or 0) <= 25.5
    assert 4.0 < (rates["tg128"]["decode_tps_rt"] or 0) <= 4.31


def test_llama_bench_in_its_other_forms(tmp_path: Path) -> None:
    table = tmp_path / "a.md"
    table.write_text(
        "ggml_vulkan: Found 1 Vulkan devices:\n"
        "| model          |     size | backend | test         |          t/s |\n"
        "| -------------- | -------: | ------- | -----------: | -----------: |\n"
        "| qwen3 4B Q4_0  | 2.21 GiB | Vulkan  | pp512        | 25.50 ± 0.10 |\n"
        "| qwen3 4B Q4_0  | 2.21 GiB | Vulkan  | tg128 @ d512 |  4.31 ± 0.02 |\n"
        "\nbuild: abc (1)\n",
        "utf-8",
    )
    first, second = files.load(table).document.requests
    assert (first.group, first.m["prefill_tps"]) == ("pp512", 25.5)
    assert (second.group, second.m["decode_tps_rt"]) == ("tg128_d512", 4.31)
    sheet = tmp_path / "b.csv"
    sheet.write_text(
        "load_backend: loaded\n"
        'build_commit,model_type,n_prompt,n_gen,avg_ns,avg_ts\n"abc","qwen3","0","128","1","4.31"\n'
    )
    (row,) = files.load(sheet).document.requests
    assert (row.group, row.m["decode_tps_rt"]) == ("tg128", 4.31)
    wide = tmp_path / "c.json"
    wide.write_text((DATA / "clean.json").read_text("utf-8"), "utf-16")
    assert files.load(wide).document.requests


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('noise\n[\n {"avg_ts": 1},\n {"avg', "the JSON that begins on line 2 has no end"),
        ('[{"avg_ts": 1} {"avg_ts": 2}]', "JSON is broken on line 1"),
        ("INSERT INTO test (build_commit) VALUES ('abc');", "run it with -o json"),
        ("hello\n", "unknown format"),
        ('{"avg_ts": ' + "9" * 5000 + "}", "a number that is too long"),
    ],
)
def test_what_cannot_be_imported_is_told_in_words(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(RunError, match=r"^x\.json: ") as refused:
        files.load(path)
    assert said in str(refused.value)


def test_a_number_of_400_digits_is_not_known(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"avg_ts": %s, "n_gen": 128}' % ("9" * 400))
    (row,) = files.load(path).document.requests
    assert row.m["decode_tps_rt"] is None


REPEATED = (
    *("<", "`", "|", " ", "[", "{", "#", '"', "\\", "\n", "- ", "9", "| ", "[\n", "{\n", "*"),
    *("| a | b |\n", "### Test 1/1: ", "**Model:** ", "**Generated:**", "# x "),
)


@pytest.mark.parametrize("unit", REPEATED)
def test_work_grows_with_the_file_and_not_faster(unit: str, tmp_path: Path) -> None:
    """In processor time, which is what a bad pattern takes: seconds at a hundredth of this size."""

    def cost_s(n_bytes: int) -> float:
        path = tmp_path / "x"
        path.write_text("| a\n### Test 1/1: x\n" + unit * (n_bytes // len(unit)) + " |x")
        before = time.process_time()
        with suppress(RunError):
            files.load(path)
        return time.process_time() - before

    assert cost_s(256 << 10) < 5.0


@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_run_or_a_sentence(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    loaded, refusal = result_or_refusal(RunError, lambda: files.load(path))
    if loaded is None:
        assert str(refusal).startswith("any: ")
        assert "\n" not in str(refusal)
    else:
        assert loaded.document.requests

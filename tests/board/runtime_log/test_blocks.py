"""The runtime's own lines, in every version's form, glued, cut, forged or torn."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.board.runtime_log.blocks import (
    GIB,
    MIB,
    LogLine,
    RuntimeBlock,
    blocks,
    load_facts,
)
from tui.board.runtime_log.tail import journal_line
from tui.core.board.load_facts import LoadFacts

RULE = "I rkllm: " + "-" * 86
HEAD = "I rkllm:  Stage         Total Time (ms)  Tokens    Time per Token (ms)  Tokens per Second"
SECOND = [
    "I rkllm:  Prefill       402.36           19        21.18                    47.22      ",
    "I rkllm:  Generate      11874.10         63        188.48                   5.31       ",
]


def read(*lines: str) -> list[RuntimeBlock]:
    return blocks(LogLine(line) for line in lines)


def one(*lines: str) -> RuntimeBlock:
    (block,) = read(*lines)
    return block


def test_the_first_answer_after_a_load() -> None:
    block = one(
        RULE,
        "I rkllm:  Model init time (ms)  3120.44",
        RULE,
        HEAD,
        RULE,
        "I rkllm:  Prefill       2210.50          87        25.41                    39.36   ",
        "I rkllm:  Generate      31200.00         168       185.71                   5.38    ",
        RULE,
        "I rkllm:  Peak Memory Usage (GB)",
        "I rkllm:  4.31         ",
        RULE,
    )
    assert (block.load_ms, block.prefill_ms, block.prefill_tokens) == (3120.44, 2210.50, 87)
    assert (block.decode_ms, block.decode_tokens) == (31200.0, 168)
    assert block.peak_bytes == round(4.31 * GIB)
    assert block.prefill_tps == pytest.approx(39.36, abs=0.01)
    assert block.decode_tps == pytest.approx(5.38, abs=0.01)


def test_a_later_answer_glued_to_the_text_of_the_model() -> None:
    block = one(f"…bis morgen früh!{RULE}", HEAD, RULE, *SECOND, RULE)
    assert (block.load_ms, block.prefill_tokens, block.decode_tokens) == (None, 19, 63)
    assert one("and so on." + SECOND[0], SECOND[1]).prefill_ms == 402.36


def test_a_line_of_another_thread_between_the_rows() -> None:
    block = one(
        "I rkllm:  Prefill       913.27           46        19.85                    50.37",
        'INFO:     127.0.0.1:51344 - "POST /v1/chat/completions HTTP/1.1" 200 OK',
        "I rkllm:  Generate      48127.75         255       188.74                   5.30",
        "I rkllm:  Peak Memory Usage (MB)",
        "I rkllm:  4413.44",
    )
    assert block.decode_tokens == 255
    assert block.peak_bytes == round(4413.44 * MIB)


def test_an_init_row_in_the_table() -> None:
    block = one(
        "I rkllm:  Init          51204.10         /         /                        /",
        "I rkllm:  Prefill       1288.04          41        31.42                    31.83",
        "I rkllm:  Generate      90455.20         299       302.53                   3.31",
        RULE,
        "I rkllm:  Memory Usage (GB)",
        "I rkllm:  6.66",
    )
    assert (block.load_ms, block.peak_bytes) == (51204.10, round(6.66 * GIB))


def test_rows_without_a_prefix() -> None:
    block = one(
        " Prefill       655.81           93        7.05                     141.81",
        " Generate      60144.90         487       123.50                   8.10",
    )
    assert (block.prefill_tokens, block.decode_tokens, block.peak_bytes) == (93, 487, None)


def test_a_run_that_decoded_nothing_has_no_speed() -> None:
    block = one(
        "I rkllm:  Prefill       5120.00          411       12.46                    80.27",
        "I rkllm:  Generate      0.00             1         0.00                     inf",
    )
    assert block.decode_tps is None
    assert block.prefill_tps == pytest.approx(80.27, abs=0.01)


def test_the_fill_of_the_cache_at_level_2() -> None:
    block = one(
        "I rkllm: current kv cache size: 151",
        "I rkllm:  Prefill       700.20           31        22.59                    44.27",
        "I rkllm:  Generate      9300.00          51        182.35                   5.48",
        "I rkllm: In this conversation: the newly added user cache size is 82; "
        "system cache size is 0",
    )
    assert block.cache_tokens == 233


def test_entries_of_the_journal() -> None:
    first = "héI rkllm:  Prefill 402.36 19 21.18 47.22".encode()
    entries = [
        b'{"__REALTIME_TIMESTAMP":"1790000000123401","_PID":"3234","MESSAGE":%s}'
        % str(list(first)).encode(),
        b'{"__REALTIME_TIMESTAMP":"1790000000123456","_PID":"3234","MESSAGE":'
        b'"I rkllm:  Generate      11874.10         63        188.48                   5.31"}',
    ]
    lines = [line for line in map(journal_line, entries) if line is not None]
    (block,) = blocks(lines)
    assert (block.pid, block.time_s) == (3234, 1790000000.123456)
    assert (block.prefill_tokens, block.decode_tokens) == (19, 63)


@pytest.mark.parametrize(
    "head",
    ["2026-11-26T21:10:03.123456789Z ", "Nov 26 21:10:03 orangepi5max python[3234]: ", ""],
)
def test_heads_and_carriage_returns(head: str) -> None:
    assert one(head + SECOND[0] + "\r", head + SECOND[1] + "\r").decode_tokens == 63


@pytest.mark.parametrize(
    "lines",
    [
        # 100.00 / 4 is 25.00: invented by a model.
        ["I rkllm:  Prefill       100.00           4         12.00                    250.00"],
        # A rate that does not fit.
        [SECOND[0], "I rkllm:  Generate      11874.10         63        188.48              9.31"],
        # A load between the rows: the process ended in the middle.
        [
            SECOND[0],
            "I rkllm: rkllm-runtime version: 1.2.3, rknpu driver version: 0.9.8, platform: RK3588",
            SECOND[1],
        ],
        [SECOND[1], SECOND[0]],
        [SECOND[0], *["other"] * 40, SECOND[1]],
        ["I rkllm:  Peak Memory Usage (GB)", "I rkllm:  4.31"],
    ],
)
def test_what_is_no_whole_block_is_none(lines: list[str]) -> None:
    assert read(*lines, SECOND[0]) == []


def test_rows_of_two_processes_are_not_one_block() -> None:
    assert blocks([LogLine(SECOND[0], pid=1), LogLine(SECOND[1], pid=2)]) == []


def test_servers_that_log_the_numbers_themselves() -> None:
    llama = one(
        "2026-02-19 16:42:35,123 - models.rkllm_model - DEBUG - Performance stats: "
        "{'prefill_time_ms': 402.3599853515625, 'prefill_tokens': 19, 'generate_time_ms': "
        "11874.099609375, 'generate_tokens': 63, 'memory_usage_mb': 4413.43994140625}"
    )
    assert (llama.prefill_tokens, llama.decode_tokens, llama.source) == (19, 63, "rockchipllama")
    api = one(
        "2026-02-19 [INFO] [chatcmpl-9f] Perf: prefill=402ms (19 tok), "
        "generate=11874ms (63 tok), mem=4413MB"
    )
    assert (api.response_id, api.decode_ms, api.peak_bytes) == ("chatcmpl-9f", 11874, 4413 * MIB)


def test_facts_of_a_load() -> None:
    lines = [
        "I rkllm: rkllm-runtime version: 1.2.3, rknpu driver version: 0.9.8, platform: RK3588",
        "I rkllm: rkllm-toolkit version: unknown, max_context_limit: 4096, npu_core_num: 3, "
        "target_platform: RK3588, model_dtype: W8A8_G128",
        "I rkllm: Enabled cpus: [4, 5, 6, 7]",
    ]
    assert load_facts(LogLine(line) for line in lines) == LoadFacts(
        "1.2.3", "0.9.8", "RK3588", None, 4096, 3, "W8A8_G128", (4, 5, 6, 7)
    )


WORDS = st.sampled_from(
    [*SECOND, RULE, HEAD, "I rkllm:", " Prefill ", "inf", "9" * 400, "Memory Usage (GB)", "4.31"]
)


@given(st.lists(st.one_of(WORDS, st.text(max_size=60)), max_size=40))
def test_any_lines_give_blocks_whose_columns_agree(texts: list[str]) -> None:
    lines = [LogLine(text) for text in texts]
    for block in blocks(lines):
        assert block.prefill_tokens >= 0
        assert block.decode_ms >= 0
    load_facts(lines)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_entry_of_the_journal_or_none(data: bytes) -> None:
    assert journal_line(data) is None or b"MESSAGE" in data
    entry = json.dumps({"MESSAGE": list(data), "_PID": "7"}).encode()
    assert journal_line(entry) == LogLine(data.decode("utf-8", "replace"), None, 7)

"""Clients of a server, prepared: three programs, one is answered, one waits."""

from __future__ import annotations

import time
from dataclasses import replace

from tui.core.screen.server_facts import NpuWork, SeenConnection, ServerCounter
from tui.history.clients_view import ClientsView
from tui.history.records import Origin
from tui.history.request_records import ClientName, ClientRequest, ClientTotals

NOW_MS = time.time_ns() // 1_000_000
ORIGIN = Origin("qwen3-4b", "RockchipLlama", "RockchipLlama", url="http://127.0.0.1:8021")
WEBUI = ClientName("172.17.0.2", 41022, user_agent="Python/3.11 aiohttp/3.9.1")
SCRIPT = ClientName("127.0.0.1", 53420, "OpenAI/Python 1.40", "nightly.py", 8123)
HOME = ClientName("192.168.178.31", 50100, user_agent="HomeAssistant/2026.11")
CHAT = "/v1/chat/completions"
WHOLE = ClientRequest(
    started_ms=NOW_MS - 40_000,
    client=SCRIPT,
    method="POST",
    path=CHAT,
    origin=ORIGIN,
    status="complete",
    ended_ms=NOW_MS - 20_400,
    is_streamed=True,
    http_status=200,
    tokens_in=412,
    tokens_in_source="estimated",
    tokens_out=58,
    tokens_out_source="runtime",
    ttft_ms=5_210.0,
    ttft_source="measured",
    decode_tps=3.13,
    decode_source="measured",
    numbers={
        "prefill_ms": 5210.0,
        "prefill_tps": 79.1,
        "prefill_source": "estimated",
        "itl_ms": {"p50": 318.2, "p90": 322.0, "p99": 341.0, "max": 341.0},
        "clock": "kernel",
    },
    id=7,
)
GONE = replace(
    WHOLE,
    id=6,
    client=HOME,
    status="client gone",
    tokens_out=12,
    tokens_out_source="estimated",
    note="The client left after ~12 tokens; RockchipLlama continues such an answer to its end.",
)
REFUSED = replace(
    WHOLE,
    id=5,
    client=WEBUI,
    status="refused",
    http_status=422,
    tokens_out=None,
    tokens_out_source="unknown",
    ttft_ms=None,
    ttft_source="unknown",
    decode_tps=None,
    decode_source="unknown",
    note="http://127.0.0.1:8021 refused the request.",
    numbers={},
)
ANSWERING = replace(
    WHOLE,
    id=8,
    status="running",
    phase="answering",
    started_ms=NOW_MS - 14_000,
    ended_ms=None,
    tokens_out=31,
    tokens_out_source="estimated",
    decode_source="estimated",
    numbers={},
)
QUEUED = replace(
    ANSWERING,
    id=9,
    client=WEBUI,
    phase="queued",
    started_ms=NOW_MS - 6_000,
    tokens_out=None,
    tokens_out_source="unknown",
    decode_tps=None,
    decode_source="unknown",
)
TOTALS = (
    ClientTotals("nightly.py", 41, 0, 16_892, 2_378, True, 3.13, 5_200.0),
    ClientTotals("Python at 172.17.0.2", 9, 2, 2_204, 1_930, True, 3.11, 11_000.0),
    ClientTotals("HomeAssistant at 192.168.178.31", 120, 1, 48_100, 3_600, False, 3.2, 900.0),
)
NPU = NpuWork("decode", "/proc/rknpu/load: 86/84/61 %, /proc/interrupts: 25700 jobs/s")
CONNECTIONS = (
    SeenConnection("127.0.0.1", "npulse", 900),
    SeenConnection("127.0.0.1", "npulse", 900),
    SeenConnection("192.168.178.31"),
    SeenConnection("127.0.0.1", is_own=True),
)
COUNTERS = (
    ServerCounter("slots in use", "1 of 4", "/slots"),
    ServerCounter("tokens so far", "120394", "/metrics"),
)
TAPPED = ClientsView(
    running=(ANSWERING, QUEUED),
    newest=(WHOLE, GONE, REFUSED, *(replace(WHOLE, id=-n) for n in range(60))),
    totals=TOTALS,
    tap_pid=4321,
    server="RockchipLlama :8021",
    connections=CONNECTIONS,
    npu=NPU,
)
UNTAPPED = ClientsView(
    server="llama.cpp :8080", connections=CONNECTIONS[2:], npu=NPU, counters=COUNTERS
)


class PreparedClients:
    """Gives the view that it holds."""

    def __init__(self, view: ClientsView = TAPPED) -> None:
        self.view = view

    def look(self) -> ClientsView:
        return self.view

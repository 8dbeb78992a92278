"""Rows of the clients screen: running requests, last requests, totals per client."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence

from tui.core.screen.server_facts import NpuPhase, SeenConnection
from tui.core.text import format as fmt
from tui.core.text.glyphs import Glyphs
from tui.core.types import NumberSource
from tui.history.clients_view import ClientsView
from tui.history.request_records import ClientRequest, ClientTotals
from tui.widgets.kit.grounds import indented, on_ground
from tui.widgets.kit.rows import Row, column, fit, pad, spread, window

WIDE, VERY_WIDE = 98, 148
MAX_RUNNING = 4
MIN_REQUESTS = 3
LABEL_CELLS = 13
CLIENT_CELLS = 18
MODEL_CELLS = 20
SURE = ("runtime", "measured", "tokenizer")
STATUS_ROLES = {
    "complete": "ok",
    "empty": "warn",
    "refused": "bad",
    "error": "bad",
    "interrupted": "bad",
    "client gone": "warn",
    "unread": "dim",
}
NPU_WORDS: dict[NpuPhase, tuple[str, str]] = {
    "idle": ("idle", "soft"),
    "prefill": ("~prefill", "live"),
    "decode": ("~decode", "live"),
    "working": ("working", "live"),
    "unknown": ("unknown", "dim"),
}
TAP_COMMAND = "npulse\u00a0tap"
"""Never in two lines."""
NO_TAP = (
    "No tap is running, so the answers to other programs are not measured. "
    f"Start {TAP_COMMAND} and point them at http://127.0.0.1:8090: then each of their requests has "
    "a line here and in the history."
)
CLOCK_WORDS = {"kernel": "by the kernel clock", "read": "by the socket clock"}
"""Who stamped the tokens, as the glossary calls it."""


def clients_rows(
    view: ClientsView, chosen: int, size: tuple[int, int], now_ms: int, glyphs: Glyphs
) -> list[Row]:
    """The whole screen at ``size`` (cells, rows). ``chosen`` is the number of a last request."""
    width, height = size[0] - 2, size[1]
    rows = _all_rows(view, chosen, (width, height), now_ms, glyphs)
    return [indented(row) for row in rows]


def _all_rows(
    view: ClientsView, chosen: int, size: tuple[int, int], now_ms: int, glyphs: Glyphs
) -> list[Row]:
    width, height = size
    top = [*_running_rows(view, width, now_ms, glyphs), _npu_row(view, width)]
    is_tall = height >= 32
    below: list[Row] = [()]
    if view.newest:
        chosen = min(chosen, len(view.newest) - 1)
        below += _detail_rows(view.newest[chosen], width)
    below += _totals_rows(view.totals, width, 8 if is_tall else 2)
    below += _connection_rows(view, width, 8 if is_tall else 2)
    below += _counter_rows(view, width, 10 if is_tall else 3)
    if not view.newest:
        return _cut([*top, *_absence_rows(view, width), *below], height)
    room = max(height - len(top) - len(below) - 2, MIN_REQUESTS)
    first, end = window(len(view.newest), room, chosen)
    rows = [*top, (), _head_row(width)]
    for number in range(first, end):
        is_chosen = number == chosen
        rows.append(_request_row(view.newest[number], width, glyphs, is_chosen=is_chosen))
    return _cut([*rows, *below], height)


def title_row(view: ClientsView, width: int) -> Row:
    """What the screen is, and whether a tap is running."""
    server = f"  {view.server}" if view.server else "  no server"
    tap: Row = (("no tap is running", "dim"),)
    if view.tap_pid is not None:
        tap = (("tap ", "soft"), (f"pid {view.tap_pid}", "ok"))
    if not view.is_read:
        tap = (("reading", "dim"),)
    return spread(((" clients", "strong"), (server, "soft")), (*tap, (" ", "text")), width)


# -- now -------------------------------------------------------------------------------------------


def _running_rows(view: ClientsView, width: int, now_ms: int, glyphs: Glyphs) -> list[Row]:
    if not view.running:
        if view.tap_pid is None:
            return []
        return [_labelled("now", (("no request runs through the tap", "dim"),), width)]
    answering = [one for one in view.running if one.phase != "queued"]
    waiting = [one for one in view.running if one.phase == "queued"]
    shown = [*answering, *waiting][:MAX_RUNNING]
    rows = [
        _labelled("now" if at == 0 else "", _running(one, width, now_ms, glyphs), width)
        for at, one in enumerate(shown)
    ]
    more = len(view.running) - len(shown)
    if more > 0:
        rows.append(_labelled("", ((f"and {more} more", "dim"),), width))
    return rows


def _running(one: ClientRequest, width: int, now_ms: int, glyphs: Glyphs) -> Row:
    is_queued = one.phase == "queued"
    elapsed = fmt.long_seconds(max(now_ms - one.started_ms, 0) / 1000)
    row: Row = (
        (f"{glyphs.dot} ", "dim" if is_queued else "live"),
        *column(one.client.label, CLIENT_CELLS, "strong"),
        (f"{one.phase or '':<10}", "dim" if is_queued else "live"),
        (f"{elapsed:>9}", "text"),
    )
    if one.tokens_out:
        row += ((f"  {_number(one.tokens_out, one.tokens_out_source)} tokens", "text"),)
    if one.decode_tps is not None:
        row += ((f"  {fmt.marked(fmt.rate(one.decode_tps), one.decode_source)} tok/s", "live"),)
    if width >= WIDE:
        row += ((f"  {one.origin.model}", "soft"),)
    return row


def _npu_row(view: ClientsView, width: int) -> Row:
    word, role = NPU_WORDS[view.npu.phase]
    clauses = (view.npu.source or "neither its load nor its interrupts can be read").split(", ")
    room = width - LABEL_CELLS - len(word) - 2
    # Whole clauses, as many as fit.
    counts = range(len(clauses), 0, -1)
    shown = next((count for count in counts if len(", ".join(clauses[:count])) <= room), 1)
    source = f"  {', '.join(clauses[:shown])}"
    return _labelled("NPU", ((word, role), (source, "dim")), width)


# -- the last requests -----------------------------------------------------------------------------


def _head_row(width: int) -> Row:
    text = f"  {'ended':<9}{'client':<{CLIENT_CELLS}}"
    if width >= WIDE:
        text += f"{'model':<{MODEL_CELLS}}"
    text += f"{'prompt':>7}{'tokens':>8}{'TTFT':>9}{'tok/s':>8}"
    if width >= VERY_WIDE:
        text += f"{'queue':>9}{'prefill':>9}{'gaps p50/p99':>16}"
    text += f"{'took':>9}  how it ended" if width >= WIDE else "  how it ended"
    return fit(((text, "dim"),), width)


def _request_row(one: ClientRequest, width: int, glyphs: Glyphs, *, is_chosen: bool) -> Row:
    ended = one.ended_ms or one.started_ms
    row: Row = (
        (f"{glyphs.closed if is_chosen else ' '} ", "live"),
        (f"{_clock(ended):<9}", "soft"),
        *column(one.client.label, CLIENT_CELLS, "strong" if is_chosen else "text"),
    )
    if width >= WIDE:
        row += column(one.origin.model or fmt.UNKNOWN, MODEL_CELLS, "soft")
    ttft = fmt.UNKNOWN
    if one.ttft_ms is not None:
        ttft = fmt.marked(fmt.milliseconds(one.ttft_ms), one.ttft_source)
    row += (
        (f"{_number(one.tokens_in, one.tokens_in_source):>7}", "text"),
        (f"{_number(one.tokens_out, one.tokens_out_source):>8}", "text"),
        (f"{ttft:>9}", "text"),
        (f"{fmt.marked(fmt.rate(one.decode_tps), one.decode_source):>8}", "text"),
    )
    if width >= VERY_WIDE:
        row += (
            (f"{_queue(one):>9}", "text"),
            (f"{_prefill(one):>9}", "text"),
            (f"{_gaps(one):>16}", "text"),
        )
    if width >= WIDE:
        row += ((f"{_took(one):>9}", "text"),)
    row = fit((*row, (f"  {one.status}", STATUS_ROLES.get(one.status, "text"))), width)
    return on_ground(row, "selected", width + 1) if is_chosen else row


def _detail_rows(one: ClientRequest, width: int) -> list[Row]:
    """More of one request: who, what was asked where, and what the list has no room for."""
    who = one.client
    process = "" if who.process is None else f"{who.process} (pid {who.pid})  "
    agent = f"  {who.user_agent}" if who.user_agent else ""
    first = f"{process}{who.host}:{who.port}{agent}  {one.method} {one.path}".strip()
    facts = [f"took {_took(one)}"]
    if one.queue_ms is not None:
        facts.append(f"queue {_queue(one)}")
    if one.numbers.get("prefill_ms") is not None:
        rate = one.numbers.get("prefill_tps")
        shown = f" at {rate:.0f} tok/s" if isinstance(rate, float) else ""
        facts.append(f"prefill {_prefill(one)}{shown}")
    if _gaps(one) != fmt.UNKNOWN:
        facts.append(f"gaps p50/p99 {_gaps(one)}")
    if one.is_streamed is False:
        facts.append("not streamed")
    if (clock := one.numbers.get("clock")) in CLOCK_WORDS:
        facts.append(CLOCK_WORDS[clock])
    second = one.note or ", ".join(facts)
    return [
        _labelled("request", ((first, "soft"),), width),
        _labelled("", ((second, "warn" if one.note else "soft"),), width),
    ]


# -- clients, connections, counters ----------------------------------------------------------------


def _totals_rows(totals: Sequence[ClientTotals], width: int, limit: int) -> list[Row]:
    rows: list[Row] = []
    for at, one in enumerate(totals[:limit]):
        mark = "~" if one.is_estimated else ""
        noun = "request" if one.requests == 1 else "requests"
        failed = f", {one.failed} not complete" if one.failed else ""
        rate = "" if one.decode_tps is None else f"  {fmt.rate(one.decode_tps)} tok/s"
        ttft = "" if one.ttft_ms is None else f"  TTFT {fmt.milliseconds(one.ttft_ms)}"
        row: Row = (
            *column(one.label, CLIENT_CELLS, "text"),
            (f"{one.requests:>5} {noun}{failed}", "text"),
            (f"  {mark}{one.tokens_in:,} + {mark}{one.tokens_out:,} tokens", "soft"),
            (f"{rate}{ttft}", "soft"),
        )
        rows.append(_labelled("24 hours" if at == 0 else "", row, width))
    if len(totals) > limit:
        more = f"and {len(totals) - limit} more clients"
        rows.append(_labelled("", ((more, "dim"),), width))
    return rows


def _connection_rows(view: ClientsView, width: int, limit: int) -> list[Row]:
    if view.connections is None:
        if not view.server:
            return []
        words = "the server is on another machine: its connections are not seen"
        return [_labelled("clients", ((words, "dim"),), width)]
    source = "  /proc/net/tcp"
    if not view.connections:
        none: Row = (("nobody is connected to the server", "dim"), (source, "dim"))
        return [_labelled("connected", none, width)]
    groups = Counter(_who(one) for one in view.connections)
    rows = [
        _labelled(
            "connected" if at == 0 else "",
            ((who, "text"), (f"  x{count}" if count > 1 else "", "soft"), (source, "dim")),
            width,
        )
        for at, (who, count) in enumerate(list(groups.items())[:limit])
    ]
    if len(groups) > limit:
        rows.append(_labelled("", ((f"and {len(groups) - limit} more", "dim"),), width))
    return rows


def _who(one: SeenConnection) -> str:
    if one.is_own:
        return "this npulse"
    return one.host if one.process is None else f"{one.process} (pid {one.pid}) at {one.host}"


def _counter_rows(view: ClientsView, width: int, limit: int) -> list[Row]:
    return [
        _labelled(
            "server says" if at == 0 else "",
            ((f"{one.label} ", "soft"), (one.value, "text"), (f"  {one.source}", "dim")),
            width,
        )
        for at, one in enumerate(view.counters[:limit])
    ]


def _absence_rows(view: ClientsView, width: int) -> list[Row]:
    """Why there are no requests here."""
    if view.problem is not None:
        return [(), fit(((view.problem, "bad"),), width), ()]
    if not view.is_read:
        return []
    if view.tap_pid is not None:
        return [(), (("no request for an answer has come through the tap yet", "dim"),), ()]
    return [(), *(_with_command(line) for line in _fold(NO_TAP, width)), ()]


def _with_command(line: str) -> Row:
    before, command, after = line.partition(TAP_COMMAND)
    shown = command.replace("\u00a0", " ")
    return tuple(span for span in ((before, "soft"), (shown, "key"), (after, "soft")) if span[0])


# -- parts -----------------------------------------------------------------------------------------


def _labelled(label: str, row: Row, width: int) -> Row:
    return fit((*pad(((label, "dim"),), LABEL_CELLS), *row), width)


def _number(number: int | None, source: NumberSource) -> str:
    if number is None:
        return fmt.UNKNOWN
    return str(number) if source in SURE else f"~{number}"


def _clock(ms: int) -> str:
    """The time of day; of another day its date."""
    try:
        moment, today = time.localtime(ms / 1000), time.localtime()
    except (OverflowError, ValueError, OSError):
        return fmt.UNKNOWN
    is_today = moment[:3] == today[:3]
    return time.strftime("%H:%M:%S" if is_today else "%m-%d", moment)


def _took(one: ClientRequest) -> str:
    if one.ended_ms is None:
        return fmt.UNKNOWN
    return fmt.seconds(max(one.ended_ms - one.started_ms, 0) / 1000)


def _queue(one: ClientRequest) -> str:
    if one.queue_ms is None:
        return fmt.UNKNOWN
    return fmt.marked(fmt.milliseconds(one.queue_ms), one.queue_source)


def _prefill(one: ClientRequest) -> str:
    value = one.numbers.get("prefill_ms")
    if not isinstance(value, int | float):
        return fmt.UNKNOWN
    mark = "" if one.numbers.get("prefill_source") in SURE else "~"
    return f"{mark}{fmt.milliseconds(value)}"


def _gaps(one: ClientRequest) -> str:
    gaps = one.numbers.get("itl_ms")
    if not isinstance(gaps, dict):
        return fmt.UNKNOWN
    return fmt.gaps(gaps.get("p50"), gaps.get("p99"))


def _fold(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, max(10, width))


def _cut(rows: Sequence[Row], height: int) -> list[Row]:
    return list(rows[:height])

"""Sentences for simulated answers. Names in braces stand for random numbers."""

from __future__ import annotations

OPENINGS = (
    "This is a simulated answer: no model ran for it, and the numbers in it are invented.",
    "You are reading a simulated answer. The board, its {cores} NPU cores and this text are made "
    "up.",
    "This is a simulated answer from a board that exists only as a program.",
    "A simulated answer follows. Its pace is that of a real board, its content is not.",
)

PROSE = (
    "A decoding step reads every weight of the model once, so its time is close to the size of the "
    "weights divided by the bandwidth of the memory.",
    "With {gib} GiB of weights and a bus that moves {bw} GB/s, no scheduler can do better than "
    "about {rate} tokens a second.",
    "Prefill is another matter: many tokens share one pass over the weights, and the {cores} cores "
    "are busy with arithmetic instead of waiting.",
    "That is why a prompt of {short} tokens is read in seconds while an answer of the same length "
    "takes minutes.",
    "The key-value cache grows by a fixed amount with each token, and each step has to read all of "
    "it as well.",
    "So the rate falls slowly as the conversation gets longer; at {ctx} tokens of context the "
    "difference can be felt.",
    "A load of {pct} per cent on a core during decoding is no fault: it is the share of time with "
    "a job on that core, and for most of it the job waits for memory.",
    "If the memory clock stays at {low_mhz} MHz, the governor did not notice that there is work; "
    "that alone can halve the rate.",
    "Heat matters less than one expects: at {temp} °C nothing is throttled yet, and the limits "
    "start some twenty degrees higher.",
    "Quantised weights help twice, because they take less room and because fewer bytes have to "
    "cross the bus for each token.",
    "A small core can draw the screen while the big ones feed the NPU, as long as it does not "
    "touch memory more than it must.",
    "Measure the first token and the gaps between the others apart from each other; one average "
    "over both says nothing about either.",
    "The first answer after loading is slower, since the pages of the file have to be mapped and "
    "the clocks have to rise.",
    "Two requests at once do not make the NPU faster, the second one simply waits for the first.",
    "What looks like a pause in the middle of an answer is often only a long word that came in "
    "several pieces.",
    "When the answer is over, the NPU stays powered for about three seconds and then goes to "
    "sleep.",
    "A model that fits in memory with {gib} GiB to spare leaves room for a longer context, and "
    "that is often the better use of it.",
)

PROSE_STARTS = (0, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16)
"""Indices of sentences in PROSE that can be first; from each, the order of PROSE makes sense."""

LIST_ITEMS = (
    "read the memory clock: `dmc/cur_freq` should say {mhz} MHz under load",
    "compare **measured** and **runtime** rates before you believe either",
    "keep the context below {ctx} tokens if you want a steady rate",
    "watch the temperature of the NPU, it was {temp} °C in this made-up run",
    "note which governor was active, and do not change it halfway",
    "leave {gib} GiB of memory free, pinned weights cannot be swapped",
    "a load of {pct} % on core {core} is normal while decoding",
    "warm the model up with one short prompt, then measure {n} times",
    "use the *median*; one slow run tells more about the board than about the model",
    "write down the driver version next to the result",
    "give the first token {n} seconds before you suspect the server",
    "check that all {cores} cores take part, some models use only one",
)

STEPS = (
    "Load the model and wait until the memory stops growing.",
    "Send one short prompt and throw its numbers away.",
    "Send the real prompt {n} times with the same settings.",
    "Look at the gaps between tokens, not only at their average.",
    "Let the board cool down to {temp} °C before the next round.",
    "Repeat with {ctx} tokens of context and compare.",
    "Keep the raw times; a summary can be made again, a run cannot.",
)

HEADINGS = (
    "Why decoding waits for memory",
    "What the cores do meanwhile",
    "How to measure it",
    "A few numbers (invented)",
    "What to look at first",
    "Where the time goes",
    "Things that do not help",
    "In short",
)

CODE = (
    "def roofline_tps(weights_bytes: int, bandwidth_bytes_s: float) -> float:\n"
    '    """Upper limit of the decode rate: every weight is read once per token."""\n'
    "    return bandwidth_bytes_s / weights_bytes\n",
    "def step_ms(context: int, base: float = {ms}.0, slope: float = 0.0{n}) -> float:\n"
    "    # the cache of the context is read as well\n"
    "    return base + slope * context\n",
    "rates = [roofline_tps(size << 20, {bw}e9) for size in ({ctx}, {ms}, {mhz})]\n"
    "print(sorted(rates, reverse=True))\n",
    "def is_throttled(limit_hz: int, table: list[int]) -> bool:\n"
    "    return limit_hz < max(table)\n",
    "async def watch(path: str, seconds: float = {n}.0) -> None:\n"
    "    while True:\n"
    "        print(open(path).read().strip())\n"
    "        await asyncio.sleep(seconds)\n",
    "for core, load in enumerate([{pct}, {pct}, {pct}]):\n"
    '    bar = "#" * (load // 5)\n'
    '    print(f"core {{core}} {{bar:<20}} {{load}} %")\n',
)

TABLE_ROWS = (
    ("prefill", "{prefill} tok/s", "bound by arithmetic"),
    ("decode", "{decode} tok/s", "bound by memory"),
    ("memory clock", "{mhz} MHz", "governor `dmc_ondemand`"),
    ("NPU load", "{pct} %", "core {core} of {cores}"),
    ("temperature", "{temp} °C", "no limit reached"),
    ("weights", "{gib} GiB", "pinned, never swapped"),
    ("context", "{ctx} tokens", "the cache grows with it"),
    ("step", "{step} ms", "median of {n} runs"),
)

WIDE = (
    "这是一个模拟的回答，没有任何模型在运行。",
    "解码速度受内存带宽限制，每个新词都要读取全部权重。",
    "上下文越长，每一步需要读取的缓存就越多。",
    "温度是{temp}度，一切正常。",
    "これはシミュレーションの回答です。数字はすべて架空のものです。",
    "メモリの帯域が速さを決めます。",
    "NPUのコアは{cores}個ありますが、待っている時間が長いです。",
    "이것은 모의 응답이며 실제 모델은 실행되지 않았습니다.",
    "메모리 대역폭이 속도를 결정합니다.",
)

EMOJI = ("🚀", "🔥", "🧠", "📈", "🐢", "👩🏽‍💻", "🌡️", "✅")

JOINED = (
    "cafe\N{COMBINING ACUTE ACCENT}",
    "n\N{COMBINING TILDE}",
    "\N{REGIONAL INDICATOR SYMBOL LETTER P}\N{REGIONAL INDICATOR SYMBOL LETTER L}",
    "语言",
    "नमस्ते",
    "ไทย",
)
"""Words with characters of several code points."""

QUOTES = (
    "> Not the cores are slow, the way to memory is long.",
    "> A number without its unit is a rumour.",
    "> What was not measured was not fast.",
)

THOUGHTS = (
    "The question is about speed on a small board.",
    "I should say first that this is a simulation.",
    "Decoding reads all {gib} GiB of weights per token, so memory decides.",
    "Reading {gib} GiB at {bw} GB/s gives about {rate} tokens a second at best.",
    "Prefill is different, there the cores are the limit.",
    "Perhaps a table makes it clearer, or a short list.",
    "Let me check the units: bytes per second over bytes per token is tokens per second.",
    "The context of {ctx} tokens adds a little to each step.",
    "I will mention the memory clock, people forget it.",
    "That should be enough for an answer.",
)

CLOSINGS = (
    "Here the simulated answer ends.",
    "So much for the simulation; a real model would have said it differently.",
    "That was a simulated answer, made of ready sentences.",
)

LOOPS = (
    "The board is a board and the memory is the memory of the board.",
    "The answer is the answer, and the answer is the answer.",
    "It is fast because it is fast, and it is small because it is small.",
)

WORDS = (
    "memory", "bandwidth", "decode", "prefill", "cache", "token", "core", "clock", "weights",
    "governor", "context", "latency",
)  # fmt: skip

HOSTILE = (
    "colour \x1b[31mred\x1b[0m and \x1b[2J\x1b[Hclear ",
    "title \x1b]0;pwned\x07 and \x1b]2;pwned\x1b\\ ",
    "clipboard \x1b]52;c;c2ltdWxhdGVk\x07 ",
    "link \x1b]8;;http://127.0.0.1/\x1b\\here\x1b]8;;\x1b\\ ",
    'device \x1bP$q"p\x1b\\ status \x1b[6n\x1b[c ',
    "C1 \x9b31m csi \x9d0;title\x9c osc \x90dcs\x9c ",
    "bidi \u202eevil\u202c \u2066isolate\u2069 \u200f mark ",
    "control \x00\x07\x08\x0b\x0c\x0e\x0f\x7f bell ",
    "overwrite me\rreplaced ",
    "mouse \x1b[?1000h\x1b[?1049h modes \x1b[?25l ",
    "markup [bold red]not bold[/] [@click=app.quit]quit[/] [link=file:///etc/passwd]x[/link] ",
    "tags </think> <think> </think> <|im_end|> ",
    "html <script>alert(1)</script> [x](javascript:alert) ![i](http://127.0.0.1/i.png) ",
    "sse data: [DONE] \u2028 \u2029 \ufeff \ufffd ",
    "combining Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́O͚̖ ",
    "tags \U000e0041\U000e0042 and private \ue000\uf8ff use ",
)

"""Checks Python answers: parsed in a subprocess with limited time and memory, never executed."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from tui.bench.checks.fences import fence_lines, open_fence
from tui.bench.model import check_specs as s
from tui.bench.model.answer import Answer, Outcome

PARSE_SECONDS = 2
PARSE_BYTES = 256 * 2**20
MAX_CODE_CHARS = 400_000
MAX_CANDIDATES = 8

_PARSER = """
import ast, json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import warnings
warnings.simplefilter("ignore")
def facts(code):
    try:
        tree = ast.parse(code)
    except SyntaxError as error:
        return {"error": str(error.msg), "line": error.lineno or 0}
    except (ValueError, RecursionError, MemoryError) as error:
        return {"error": "parser limit: " + type(error).__name__, "line": 0}
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            args = node.args
            every = args.posonlyargs + args.args + args.kwonlyargs
            every = [a for a in every if a.arg not in ("self", "cls")]
            inner = list(ast.walk(node))
            found.setdefault(node.name, {
                "annotated": all(a.annotation for a in every) and node.returns is not None,
                "docstring": ast.get_docstring(node) is not None,
                "errors": any(isinstance(n, (ast.Raise, ast.Try)) for n in inner),
            })
    return {"functions": found}
out = []
for code in json.load(sys.stdin):
    try:
        out.append(facts(code))
    except (RecursionError, MemoryError) as error:
        out.append({"error": "parser limit: " + type(error).__name__, "line": 0})
json.dump(out, sys.stdout)
"""


def candidates(text: str) -> list[str]:
    """Parts of the text that may be the code, the likeliest first.

    The longest possible extent of a fence comes first, as a docstring may contain a fence itself.
    """
    lines = fence_lines(text)
    # Any later line that can close a fence may be the right one. The longest blocks begin at the
    # first fences and end at the last ones.
    openings = lines[:MAX_CANDIDATES]
    closings = [line for line in lines if line.is_closing][-MAX_CANDIDATES:]
    spans = [
        (opening.end, closing.at)
        for opening in openings
        for closing in closings
        if closing.at > opening.at
    ]
    spans.sort(key=lambda span: span[1] - span[0], reverse=True)
    blocks = [text[start:end] for start, end in spans]
    unclosed = open_fence(text)
    if unclosed is not None:
        blocks.append(unclosed[1])
    if not lines:
        blocks.append(text)
    return [block[:MAX_CODE_CHARS] for block in blocks if block.strip()][:MAX_CANDIDATES]


def parse(codes: list[str]) -> list[dict[str, Any]]:
    """Per code a dict with ``functions`` by name, or with ``error`` and ``line``. Empty if the
    subprocess of the parser could not be started."""
    script = _PARSER.replace("SECONDS", str(PARSE_SECONDS)).replace("BYTES", str(PARSE_BYTES))
    try:
        done = subprocess.run(  # the code to check is only data on standard input
            [sys.executable, "-I", "-c", script],
            input=json.dumps(codes).encode("utf-8", "surrogatepass"),
            capture_output=True,
            timeout=PARSE_SECONDS + 10,
            check=False,
        )
        found = json.loads(done.stdout) if done.returncode == 0 else None
    except OSError:
        return []
    except (subprocess.TimeoutExpired, ValueError):
        found = None
    if not isinstance(found, list) or len(found) != len(codes):
        return [{"error": "parser limit: time or memory", "line": 0} for _ in codes]
    return found


def python(spec: s.Python, answer: Answer) -> Outcome:
    """Whether the named function exists, with annotations, docstring and error handling if
    asked."""
    codes = candidates(answer.text)
    if not codes:
        return (None if answer.is_capped else False), "no code"
    results = parse(codes)
    if not results:
        return None, "the parser could not be started"
    for result in results:
        if spec.function in result.get("functions", {}):
            return _judge(spec, result["functions"][spec.function])
    parsed = [result for result in results if "functions" in result]
    if parsed:
        missing = f"no function {spec.function!r}"
        return (None if answer.is_capped else False), missing
    first = results[0]
    detail = f"{first['error']} in line {first['line']}"
    lines = codes[0].count("\n") + 1
    is_at_cut = answer.is_capped and first["line"] >= lines - 2
    return (None if is_at_cut else False), detail


def _judge(spec: s.Python, facts: dict[str, bool]) -> Outcome:
    wanted = {
        "annotated": spec.annotations,
        "docstring": spec.docstring,
        "errors": spec.errors,
    }
    names = {"annotated": "annotations", "docstring": "a docstring", "errors": "error handling"}
    missing = [names[key] for key, is_wanted in wanted.items() if is_wanted and not facts[key]]
    detail = f"lacks {', '.join(missing)}" if missing else "parsed"
    return not missing, detail

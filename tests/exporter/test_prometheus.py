"""A real Prometheus scrapes npulse beside a simulated board, and evaluates all that is shipped."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.exporter.exporting import exporting, run, scraped, value
from tests.sim.simulator import running as simulator
from tests.sim.simulator import truth
from tests.waiting import wait_until
from tui.commands.exporter import FILES, package_file

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None or shutil.which("promtool") is None,
    reason="no Prometheus here (Debian's package prometheus)",
)
FAST = ("--decode-tps", "40", "--prefill-tps", "2000")
RULES = ("alerts.yml", "vllm_names.yml")
NEVER_HERE = ("npulse_request_queue_seconds", "vllm:request_queue_time", "npulse:decode_rate:mean")
"""What one run without a queue, and shorter than the rules' own time, has no value of."""


def promtool(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        ["promtool", *arguments], input=stdin, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def shipped_rules(folder: Path) -> list[Path]:
    for name in RULES:
        (folder / name).write_text(package_file(name), encoding="utf-8")
    return [folder / name for name in RULES]


@pytest.mark.slow
def test_the_rules_are_rules_and_the_alerts_come_when_they_should(tmp_path: Path) -> None:
    alerts, names = shipped_rules(tmp_path)
    promtool("check", "rules", str(alerts), str(names))
    cases = Path(__file__).with_name("alert_tests.yml").read_text("utf-8")
    (tmp_path / "tests.yml").write_text(cases.replace("ALERTS", str(alerts)), encoding="utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "tests.yml"))


@dataclass(frozen=True, slots=True)
class Prometheus:
    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=20)
        body = answer.json()
        assert body["status"] == "success", (expression, body)
        return list(body["data"]["result"])

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=5).status_code == 200
        except httpx.TransportError:
            return False


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Prometheus]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in shipped_rules(folder)],
        "scrape_configs": [{"job_name": "npulse", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        found = Prometheus(f"http://127.0.0.1:{port}")
        wait_until(found.is_ready, shown=(folder / "prometheus.log").read_text)
        yield found
    finally:
        process.kill()
        process.wait(60)


def dashboard_expressions() -> list[str]:
    dashboard = json.loads(package_file(FILES["dashboard"]))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(expressions) > 20
    return [
        expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
        for expression in expressions
    ]


def rule_expressions() -> list[str]:
    found = []
    for name in RULES:
        text = re.sub(r"expr: >-\n((?:          .*\n)+)", _joined, package_file(name))
        found += re.findall(r"^ +expr: (.*)$", text, re.MULTILINE)
    assert len(found) > 25
    return found


def _joined(match: re.Match[str]) -> str:
    return "expr: " + " ".join(line.strip() for line in match[1].splitlines()) + "\n"


@pytest.mark.slow
def test_every_expression_holds_on_a_live_board(tmp_path: Path) -> None:
    log = tmp_path / "truth.jsonl"
    with simulator(*FAST, "--truth", str(log), has_root=True) as sim:
        home = tmp_path / "home"
        ask = ("ask", "--url", sim.url, "--max-tokens", "24", "Count to twenty.")
        assert run(home, *ask).returncode == 0  # before the exporter's start: not its own
        board = ("--url", sim.url, "--root", str(sim.root))
        with exporting(home, *board) as (url, _), prometheus(tmp_path, url.split("/")[2]) as seen:
            wait_until(lambda: bool(seen.query("npulse_requests_running == 0")))
            assert not seen.query("npulse_requests_total")
            for _ in range(2):
                assert run(home, *ask).returncode == 0
            wait_until(lambda: bool(seen.query("sum(npulse_requests_total) == 2")))
            wait_until(lambda: bool(seen.query("rate(npulse_requests_total[1m]) >= 0")))
            found = scraped(url)
            promtool("check", "metrics", stdin=httpx.get(url, timeout=20).text)
            for expression in dashboard_expressions():
                has_value = bool(seen.query(expression))
                assert has_value or any(name in expression for name in NEVER_HERE), expression
            for expression in rule_expressions():
                answer = seen.query(expression)
                is_alert = any(sign in expression for sign in (" < ", " > ", "== 0", "== 1"))
                is_rare = any(name in expression for name in NEVER_HERE)
                assert answer or is_alert or is_rare, expression
            assert not seen.query("ALERTS{alertname!='NpulseThrottled'}")
        written = [e for e in truth(log, "token") if e["request"] > 1]
        assert value(found, "npulse_output_tokens_total") == len(written)
        # This server tells no counts, so neither they nor the rates are called measured.
        count = value(found, "npulse_decode_rate_tokens_per_second_count", source="estimated")
        assert count == 2
        total = value(found, "npulse_decode_rate_tokens_per_second_sum", source="estimated")
        assert total is not None
        assert total / 2 == pytest.approx(40, rel=0.25)
        assert value(found, "npulse_server_up", url=sim.url) == 1
        assert value(found, "npulse_model_info", model="qwen3-4b") == 1

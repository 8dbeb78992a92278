"""Benchmarks: suites of prompts, a runner without a screen, journals, reports, comparisons."""

"""Benchmarks with method: suites, a runner without a screen, journals, reports, comparison."""

"""The prompt lab: cases and variants of a prompt set, run by the benchmark, compared and judged."""

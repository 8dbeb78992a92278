"""One run on many boards: Dask distributes the prompts, each board measures with ``tui/bench/run``.

Only ``tui/fleet/engine.py``, ``tui/fleet/on_board.py`` and ``tui/fleet/worker.py`` know Dask.
"""

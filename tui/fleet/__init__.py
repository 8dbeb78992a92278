"""One benchmark run on many boards: Dask distributes the prompts; ``tui/bench/run`` measures.

Only ``tui/fleet/engine.py``, ``tui/fleet/dask_tasks.py`` and ``tui/fleet/worker.py`` use Dask.
"""

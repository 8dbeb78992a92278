"""Where npulse runs, and who else uses the CPU."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.board import tree_files, trees
from tests.board.boards import Board
from tui.board.affinity import little_cpus, move_to_little_cpus
from tui.board.readers.files import Files
from tui.board.readers.neighbours import Neighbours

CPU = "sys/devices/system/cpu"


def files_of(tree: tree_files.Tree, root: Path) -> Files:
    return Files(tree_files.write(tree, root))


def capacities(*values: int) -> tree_files.Tree:
    return {f"{CPU}/cpu{cpu}/cpu_capacity": f"{value}\n" for cpu, value in enumerate(values)}


def test_rk3588_by_clocks(tmp_path: Path) -> None:
    assert little_cpus(files_of(trees.idle(), tmp_path)) == (1, 2, 3)


def test_capacity_decides_where_clocks_are_close(tmp_path: Path) -> None:
    """RK3576: 2.2 and 2.3 GHz, but cores of two kinds."""
    tree = tree_files.policy(0, "0 1 2 3", 2208000, 2208000, "x")
    tree |= tree_files.policy(4, "4 5 6 7", 2304000, 2304000, "x")
    assert little_cpus(files_of(tree, tmp_path)) == ()
    tree = capacities(485, 485, 485, 485, 1024, 1024, 1024, 1024)
    assert little_cpus(files_of(tree, tmp_path)) == (1, 2, 3)


@pytest.mark.parametrize("tree", [trees.single_core(), trees.laptop(), {}])
def test_nothing_to_choose(tree: tree_files.Tree, tmp_path: Path) -> None:
    files = files_of(tree, tmp_path)
    assert little_cpus(files) == ()
    moved = move_to_little_cpus(files)
    assert (moved.cpus, moved.reason) == ((), "all CPU cores are alike")


def test_favoured_cores_of_a_pc_are_no_cluster(tmp_path: Path) -> None:
    tree: tree_files.Tree = {}
    for cpu, top in enumerate((5000000, 5000000, 4700000, 4700000)):
        tree |= tree_files.policy(cpu, str(cpu), top, top, "powersave")
    assert little_cpus(files_of(tree, tmp_path)) == ()


def test_half_a_picture_is_none(tmp_path: Path) -> None:
    tree = trees.idle()
    tree[f"{CPU}/cpufreq/policy4/cpuinfo_max_freq"] = "x\n"
    assert little_cpus(files_of(tree, tmp_path)) == ()


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU only")
def test_a_real_process_moves_with_all_its_threads(tmp_path: Path) -> None:
    first, *others = sorted(os.sched_getaffinity(0))
    strong = [1024 if cpu == first else 400 for cpu in range(max(others) + 1)]
    tree_files.write(capacities(*strong), tmp_path)
    code = (
        "import os,sys,threading,pathlib\n"
        "from tui.board.affinity import move_to_little_cpus\n"
        "from tui.board.readers.files import Files\n"
        "end=threading.Event(); t=threading.Thread(target=end.wait); t.start()\n"
        "moved=move_to_little_cpus(Files(pathlib.Path(sys.argv[1])))\n"
        "all_=[sorted(os.sched_getaffinity(int(i))) for i in os.listdir('/proc/self/task')]\n"
        "end.set(); print(moved.cpus, all_)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == f"{tuple(others)} {[others, others]}"


def test_cpus_that_are_not_ours_to_use(tmp_path: Path) -> None:
    absent = max(os.sched_getaffinity(0)) + 1
    strong = [1024] * absent + [400]
    moved = move_to_little_cpus(files_of(capacities(*strong), tmp_path))
    assert moved.reason == "the little cores are not allowed for this process"


@pytest.mark.slow
def test_busiest_processes_of_this_machine() -> None:
    code = "import time\nend=time.monotonic()+30\nwhile time.monotonic()<end: pass"
    child = subprocess.Popen([sys.executable, "-c", code])
    try:
        neighbours = Neighbours(Files())
        assert neighbours.busiest(time.perf_counter_ns()) == []
        for _ in range(20):
            time.sleep(0.5)
            found = {entry.pid: entry for entry in neighbours.busiest(time.perf_counter_ns(), 20)}
            if child.pid in found:
                break
        assert found[child.pid].load_pct > 0
        without = frozenset({child.pid})
        time.sleep(0.5)
        rest = neighbours.busiest(time.perf_counter_ns(), 20, without)
        assert child.pid not in {entry.pid for entry in rest}
    finally:
        child.kill()
        child.wait(60)


def test_busiest_drops_what_lies_too_far_apart(tmp_path: Path) -> None:
    with Board(tmp_path, {"proc/7/stat": trees.server_stat(100, pid=7)}):
        neighbours = Neighbours(Files(tmp_path))
        neighbours.busiest(0)
        tree_files.write({"proc/7/stat": trees.server_stat(300, pid=7)}, tmp_path)
        assert neighbours.busiest(3600 * 10**9) == []
        tree_files.write({"proc/7/stat": trees.server_stat(400, pid=7)}, tmp_path)
        [entry] = neighbours.busiest(3601 * 10**9)
        assert (entry.pid, entry.cpu) == (7, 5)
        assert entry.load_pct == 100 * 100 / os.sysconf("SC_CLK_TCK")


def test_the_sampler_names_the_busiest_others_every_other_second(tmp_path: Path) -> None:
    tree = trees.decoding() | {
        "proc/77/stat": trees.server_stat(100, pid=77),
        "proc/4242/stat": trees.server_stat(100),
    }
    with Board(tmp_path, tree) as board:
        board.settled()
        assert board.sampler.others() == ()
        for second in range(1, 5):
            ticks = 100 + 50 * second
            board.change(
                {
                    "proc/77/stat": trees.server_stat(ticks, pid=77),
                    "proc/4242/stat": trees.server_stat(ticks),
                }
            )
            board.after(1)
            found = board.sampler.others()
            assert [entry.pid for entry in found] == ([77] if second >= 2 else [])
        (tmp_path / "proc/77/stat").unlink()
        board.after(1)
        assert board.sampler.others() == found, "too early for another look"
        board.after(1)
        assert board.sampler.others() == ()

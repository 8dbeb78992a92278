"""Connections of this machine from /proc/net/tcp, and whose they are."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tui.board.readers.connections import client_side, clients_of, owner_of, parse_connections
from tui.board.readers.files import Files

TABLE = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000 0 11 1 0 100 0
   1: 0100007F:1F90 0A00A8C0:CF68 01 00000000:00000000 00:00000000 00000000  1000 0 12 1 0 20 4
   2: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000100007F:A001 01 \
00000000:00000000 00:00000000 00000000     0 0 13 1 0 20 4
   3: nonsense
   4: 00000000000000000000000001000000:1F91 00000000000000000000000001000000:A002 06 \
00000000:00000000 00:00000000 00000000     0 0 0 1 0 20 4
"""


def test_rows_of_both_tables_are_read(tmp_path: Path) -> None:
    rows = list(parse_connections(TABLE))
    assert [(row.local, row.state, row.uid, row.inode) for row in rows] == [
        (("127.0.0.1", 8080), 10, 1000, 11),
        (("127.0.0.1", 8080), 1, 1000, 12),
        (("127.0.0.1", 8080), 1, 0, 13),
        (("::1", 8081), 6, 0, 0),
    ]
    (tmp_path / "proc" / "net").mkdir(parents=True)
    (tmp_path / "proc" / "net" / "tcp").write_bytes(TABLE)
    found = clients_of(Files(tmp_path), 8080)
    assert [row.remote for row in found] == [("192.168.0.10", 53096), ("127.0.0.1", 40961)]
    assert client_side(Files(tmp_path), "::1", 8081) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_no_failure(raw: bytes) -> None:
    assert len(list(parse_connections(raw))) <= raw.count(b":")
    rows = list(parse_connections(TABLE[:200] + raw, 8080))
    assert rows[0] == next(parse_connections(TABLE))
    assert {row.local[1] for row in rows} == {8080}


def test_a_real_connection_is_found_with_its_process() -> None:
    files = Files()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            host, own = client.getsockname()
            assert [row.remote for row in clients_of(files, port)] == [(host, own)]
            row = client_side(files, host, own)
            assert row is not None
            owner = owner_of(files, row.inode)
            assert owner is not None
            assert owner.pid == os.getpid()
            assert owner_of(files, 0) is None

"""Opens the database, for writing or read-only."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from tui.core.text.sanitize import clean_line
from tui.files.private import FILE_MODE, create_private, make_folder
from tui.history.failures import HistoryError, NewerHistoryError, OlderHistoryError, reason
from tui.history.schema import APPLICATION_ID, MIGRATIONS, PAGE_BYTES

Connection = sqlite3.Connection
"""The connection type, for modules that only pass one on."""
FILE_NAME = "history.db"
WAIT_S = 2.0
"""Longest wait for another process's transaction."""
NOTHING = "nothing is kept yet: there is no history on this machine"
MAX_WAL_BYTES = 4 << 20
_OPENING = Lock()
"""Lock: no thread inspects a file while another one opens it; see :func:`_is_open_here`."""
_HEADER_BYTES = 100
_MAGIC = b"SQLite format 3\x00"
_USER_VERSION_AT, _APPLICATION_ID_AT = 60, 68
"""Offsets in the header (https://www.sqlite.org/fileformat2.html, section 1.3)."""


def open_for_writing(
    path: Path, migrations: Sequence[str] = MIGRATIONS, wait_s: float = WAIT_S
) -> sqlite3.Connection:
    """Opens the database, creating it where it is missing; an older schema is migrated after a
    backup.

    Raises HistoryError with one sentence.
    """
    try:
        with _OPENING:
            if not _is_open_here(path):
                _refuse_foreign(path, len(migrations))
                make_folder(path.parent)
                os.close(create_private(path, os.O_RDWR))
            if stat.S_IMODE(path.stat().st_mode) != FILE_MODE:
                path.chmod(FILE_MODE)
            connection = _connect(f"file:{quote(str(path.absolute()))}?mode=rw", wait_s)
    except (OSError, sqlite3.Error) as error:
        raise _cannot("be opened", path, error) from error
    try:
        _version(connection, path, len(migrations))
        _prepare(connection, wait_s)
        _migrate(connection, path, migrations)
    except (OSError, sqlite3.Error) as error:
        connection.close()
        raise _cannot("be opened", path, error) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """A connection that cannot change anything. Raises HistoryError with one sentence, also where
    there is no file, or an older npulse wrote it."""
    try:
        with _OPENING:
            if not _is_open_here(path):
                _refuse_foreign(path, len(MIGRATIONS))
            if not path.exists():
                raise HistoryError(NOTHING)
            connection = _connect_reading(path)
    except (OSError, sqlite3.Error) as error:
        raise _cannot("be read", path, error) from error
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not version:
            raise HistoryError(NOTHING)
        if version != len(MIGRATIONS):
            raise OlderHistoryError(
                f"{_shown(path)} is of an older npulse and cannot be brought up to date while it "
                "cannot be written"
            )
    except sqlite3.Error as error:
        connection.close()
        raise _cannot("be read", path, error) from error
    except HistoryError:
        connection.close()
        raise
    return connection


@contextmanager
def reading_from(path: Path) -> Iterator[Connection]:
    """A connection that cannot change anything, closed at the end; a file of an older npulse is
    brought up to date before. Raises HistoryError with one sentence, whatever goes wrong."""
    with closing(_open_newest(path)) as connection, _in_words("be read", path):
        yield connection


def _open_newest(path: Path) -> Connection:
    try:
        return open_for_reading(path)
    except OlderHistoryError:
        with suppress(HistoryError):
            open_for_writing(path).close()
        return open_for_reading(path)


@contextmanager
def writing_to(path: Path) -> Iterator[Connection]:
    """A connection that may change everything, closed at the end. Raises HistoryError with one
    sentence, whatever goes wrong."""
    with closing(open_for_writing(path)) as connection, _in_words("be written", path):
        yield connection


@contextmanager
def _in_words(verb: str, path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _cannot(verb, path, error) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """A transaction that commits as a whole or not at all. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # Where SQLite has rolled back by itself there is nothing left to roll back.
        with suppress(sqlite3.Error):
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        raise


def damage(connection: sqlite3.Connection, *, is_thorough: bool = False) -> list[str]:
    """Damage of the file in SQLite's words; empty where there is none. Raises sqlite3.Error where
    it cannot be read at all.
    """
    pragma = "integrity_check(20)" if is_thorough else "quick_check(1)"
    found = [str(row[0]) for row in connection.execute(f"PRAGMA {pragma}")]
    if is_thorough:
        rows = connection.execute("PRAGMA foreign_key_check").fetchmany(20)
        found += [f"{row[0]} {row[1]} names a row of {row[2]} that is missing" for row in rows]
    return [clean_line(line, 200) for line in found if line != "ok"]


def _connect(uri: str, wait_s: float) -> sqlite3.Connection:
    return sqlite3.connect(
        uri, uri=True, timeout=wait_s, isolation_level=None, check_same_thread=False
    )


def _connect_reading(path: Path) -> sqlite3.Connection:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    connection = _connect(uri, WAIT_S)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        # On a disk that cannot be written there is no place for the shared memory of a WAL.
        if os.access(path.parent, os.W_OK):
            raise
        connection = _connect(f"{uri}&immutable=1", WAIT_S)
    return connection


def _prepare(connection: sqlite3.Connection, wait_s: float) -> None:
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    _use_wal(connection, wait_s)
    # Each commit is on the disk when it returns: power may fail at any moment.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA journal_size_limit = {MAX_WAL_BYTES}")


def _use_wal(connection: sqlite3.Connection, wait_s: float) -> None:
    """SQLite does not wait here for another process that does the same."""
    end_s = time.monotonic() + wait_s
    while not _is_wal(connection, is_last=time.monotonic() > end_s):
        time.sleep(0.02)


def _is_wal(connection: sqlite3.Connection, *, is_last: bool) -> bool:
    try:
        connection.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError:
        if is_last:
            raise
        return False
    return True


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Sequence[str]) -> None:
    version = _version(connection, path, len(migrations))
    if version == len(migrations):
        return
    if version:
        _back_up(connection, path, version)
    while version < len(migrations):
        # Foreign keys cannot be switched inside a transaction, and a table that is made anew must
        # not take what refers to it along.
        connection.execute("PRAGMA foreign_keys = OFF")
        with transaction(connection):
            version = _version(connection, path, len(migrations))
            if version < len(migrations):
                for statement in _statements(migrations[version]):
                    connection.execute(statement)
                broken = connection.execute("PRAGMA foreign_key_check").fetchone()
                if broken is not None:
                    raise HistoryError(
                        f"{_shown(path)} cannot be brought up to date: {broken[0]} would lose rows"
                    )
                version += 1
                connection.execute(f"PRAGMA user_version = {version}")
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA foreign_keys = ON")


def _version(connection: sqlite3.Connection, path: Path, newest: int) -> int:
    # One statement sees one moment: another process may make the file between two of them.
    version, application, tables = connection.execute(
        "SELECT (SELECT user_version FROM pragma_user_version),"
        " (SELECT application_id FROM pragma_application_id), count(*) FROM sqlite_master"
    ).fetchone()
    if application == APPLICATION_ID and version > newest:
        raise _newer(path, version, newest)
    if tables and (application != APPLICATION_ID or not version):
        raise _foreign(path)
    return int(version)


def _statements(script: str) -> Iterator[str]:
    """Splits a script into statements, since ``executescript`` would commit first."""
    statement = ""
    for part in script.split(";"):
        statement += part + ";"
        if sqlite3.complete_statement(statement):
            if statement.strip(" \n;"):
                yield statement
            statement = ""


def _back_up(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copies the file atomically before its schema changes."""
    target = path.with_name(f"{path.stem}-schema-{version}.db")
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(create_private(partial, os.O_RDWR))
    try:
        with closing(sqlite3.connect(partial)) as copy:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _is_open_here(path: Path) -> bool:
    """Whether this process has the file open: then it was looked at, and must not be opened without
    SQLite. To close any descriptor of a file gives up all locks that the process has on it
    (fcntl(2)), and another process would take the log that is being written for left behind."""
    try:
        wanted = path.stat()
        descriptors = list(Path("/proc/self/fd").iterdir())
    except OSError:
        return False
    for descriptor in descriptors:
        with suppress(OSError):
            found = descriptor.stat()
            if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
                return True
    return False


def _refuse_foreign(path: Path, newest: int) -> None:
    """Looks at the header without SQLite, which would write beside a file that is not ours."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise HistoryError(
                f"{_shown(path)} is not a regular file, so no history can be kept in it"
            )
        header = file.read(_HEADER_BYTES)
    if not header:
        return
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise HistoryError(
            f"{_shown(path)} is not a database, or it is damaged; "
            "move it away to begin a new history"
        )
    version, application = (
        int.from_bytes(header[at : at + 4], "big") for at in (_USER_VERSION_AT, _APPLICATION_ID_AT)
    )
    if application not in (APPLICATION_ID, 0):
        raise _foreign(path)
    if application == APPLICATION_ID and version > newest:
        raise _newer(path, version, newest)


def _newer(path: Path, version: int, newest: int) -> NewerHistoryError:
    return NewerHistoryError(
        f"{_shown(path)} was written by a newer npulse (schema {version}, this one knows "
        f"{newest}); it was left as it is: update npulse"
    )


def _foreign(path: Path) -> HistoryError:
    return HistoryError(f"{_shown(path)} is the database of another program; it was left as it is")


def _cannot(verb: str, path: Path, error: Exception) -> HistoryError:
    return HistoryError(f"{_shown(path)} cannot {verb}: {reason(error)}")


def _shown(path: Path) -> str:
    return clean_line(str(path))

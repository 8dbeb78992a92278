"""The database schema: tables, and migrations from every earlier version.

- ``conversations``: ``leaf`` is the last turn of the chosen branch; ``deleted_ms`` is set while a
  deletion can be taken back.
- ``turns``: prompts and answers, a tree by ``parent``. While an answer is written, ``writer`` says
  by whom, its ``status`` is ``running`` and its words are in ``pieces``, until its end.
- ``bodies``: the words of a turn and its numbers, put in once, when the turn is whole: a row that
  grows would leave half of each page empty.
- ``traces``: what is seldom read: times of the chunks (:mod:`tui.history.token_times`) and samples
  of the board (:mod:`tui.history.board_samples`).
- ``words``: the full-text index of ``bodies.text`` by ``turn``, without a copy of the text; what
  is put in and taken out is :func:`tui.history.search_terms.indexed`.
- ``origins`` and ``parameters`` are shared by many turns; ``writers`` are processes, ``command`` is
  what they were started as.
- ``live``: how far an answer is that is being written, beside its words: for other processes, which
  may ask its writer there to stop it. There as long as its ``status`` is ``running``. ``t0_ns`` is
  of CLOCK_MONOTONIC, the same for all processes of one boot.
- ``more_words``: what of a long answer does not fit into its row of ``bodies``
  (:mod:`tui.history.long_words`).
- ``imports``: where a conversation of another file stands among those that were made here: after
  these ones, until it goes on behind ``last_turn``, the newest turn of that file.
- ``detached``: answers whose npulse went on without its terminal, until a dashboard has shown their
  end.
- ``client_requests``: requests of other programs that went through ``npulse tap``, a row each: who
  asked, what was measured, how it ended. Until then ``writer`` is set and ``status`` is
  ``running``; ``phase``, ``tokens_out`` and ``decode_tps`` are of the last second. ``prompt`` and
  ``answer`` are null unless the tap was told to keep texts. ``numbers`` are as in ``bodies``.
"""

from __future__ import annotations

from collections.abc import Sequence

APPLICATION_ID = 0x6E70756C
"""``npul``, in the header of the file: what tells it from any other database."""

PAGE_BYTES = 2048
"""Of a new file. The words of an answer are about 2 kB: in the usual pages of 4,096 bytes a third
of the room stays empty, and each second of an answer writes one page."""

SCHEMA_1 = """
CREATE TABLE conversations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    leaf INTEGER REFERENCES turns ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    is_pinned INTEGER NOT NULL DEFAULT 0,
    deleted_ms INTEGER
);
CREATE TABLE tags (
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (conversation, tag)
) WITHOUT ROWID;
CREATE TABLE origins (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE parameters (id INTEGER PRIMARY KEY, json TEXT NOT NULL UNIQUE);
CREATE TABLE writers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    pid INTEGER NOT NULL,
    started_ticks INTEGER NOT NULL,
    boot_id TEXT NOT NULL
);
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES conversations ON DELETE CASCADE,
    parent INTEGER REFERENCES turns DEFERRABLE INITIALLY DEFERRED,
    role TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    created_ms INTEGER NOT NULL,
    status TEXT,
    error_kind TEXT,
    error TEXT,
    writer INTEGER REFERENCES writers ON DELETE SET NULL,
    origin INTEGER REFERENCES origins,
    parameters INTEGER REFERENCES parameters,
    tokens INTEGER,
    decode_tps REAL
);
CREATE INDEX turns_of_conversation ON turns (conversation, role, id, tokens);
CREATE INDEX turns_by_parent ON turns (parent);
CREATE INDEX turns_by_writer ON turns (writer) WHERE writer IS NOT NULL;
CREATE TABLE bodies (
    turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL DEFAULT '',
    numbers TEXT
);
CREATE TABLE traces (
    turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    times BLOB NOT NULL,
    board BLOB NOT NULL
);
CREATE TABLE pieces (
    turn INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    place INTEGER NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL,
    times BLOB NOT NULL,
    board BLOB NOT NULL,
    PRIMARY KEY (turn, place)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
"""

SCHEMA_2 = """
ALTER TABLE turns ADD COLUMN tokens_source TEXT;
ALTER TABLE turns ADD COLUMN decode_source TEXT;
UPDATE turns SET
    tokens_source = (
        SELECT json_extract(numbers, '$.tokens_source') FROM bodies WHERE turn = turns.id
    ),
    decode_source = (
        SELECT json_extract(numbers, '$.decode_source') FROM bodies WHERE turn = turns.id
    )
WHERE role = 'assistant';
DROP INDEX turns_of_conversation;
CREATE INDEX turns_of_conversation ON turns (conversation, role, id, tokens, tokens_source);
"""
"""A list says which of its numbers are estimated, without reading every answer."""

SCHEMA_3 = """
ALTER TABLE writers ADD COLUMN command TEXT;
CREATE TABLE live (
    turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    t0_ns INTEGER NOT NULL,
    phase TEXT NOT NULL,
    wait TEXT,
    chunk_meaning TEXT NOT NULL,
    stop_wanted_ms INTEGER
);
CREATE TABLE detached (turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE);
"""
"""Another npulse shows an answer that is being written, and may have it stopped."""

SCHEMA_4 = """
ALTER TABLE traces ADD COLUMN ends BLOB;
ALTER TABLE pieces ADD COLUMN ends BLOB;
"""
"""Which words each chunk brought (:mod:`tui.history.chunk_ends`); null where nobody recorded it."""

SCHEMA_5 = """
CREATE TABLE client_requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER,
    writer INTEGER REFERENCES writers ON DELETE SET NULL,
    status TEXT NOT NULL,
    phase TEXT,
    host TEXT NOT NULL,
    port INTEGER NOT NULL,
    user_agent TEXT,
    process TEXT,
    pid INTEGER,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    origin INTEGER REFERENCES origins,
    is_streamed INTEGER,
    http_status INTEGER,
    tokens_in INTEGER,
    tokens_in_source TEXT,
    tokens_out INTEGER,
    tokens_out_source TEXT,
    queue_ms REAL,
    queue_source TEXT,
    ttft_ms REAL,
    ttft_source TEXT,
    decode_tps REAL,
    decode_source TEXT,
    note TEXT,
    numbers TEXT,
    prompt TEXT,
    answer TEXT
);
CREATE INDEX client_requests_running ON client_requests (writer) WHERE writer IS NOT NULL;
"""
"""What other programs ask, as ``npulse tap`` sees it."""

SCHEMA_6 = """
CREATE TABLE more_words (
    turn INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    place INTEGER NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL,
    PRIMARY KEY (turn, place)
) WITHOUT ROWID;
CREATE TABLE imports (
    conversation INTEGER PRIMARY KEY REFERENCES conversations ON DELETE CASCADE,
    last_turn INTEGER NOT NULL,
    after_turn INTEGER NOT NULL,
    after_conversation INTEGER NOT NULL
);
"""
"""A row holds so much of an answer; an import stands where its time is, not where it was stored."""

MIGRATIONS: Sequence[str] = (SCHEMA_1, SCHEMA_2, SCHEMA_3, SCHEMA_4, SCHEMA_5, SCHEMA_6)
"""``MIGRATIONS[n]`` makes schema n + 1 out of schema n; schema 0 is an empty file."""

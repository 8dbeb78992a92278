BEGIN;
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
    boot_id TEXT NOT NULL,
    command TEXT
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
    decode_tps REAL,
    tokens_source TEXT,
    decode_source TEXT
);
CREATE INDEX turns_of_conversation ON turns (conversation, role, id, tokens, tokens_source);
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
    board BLOB NOT NULL,
    ends BLOB
);
CREATE TABLE pieces (
    turn INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    place INTEGER NOT NULL,
    text TEXT NOT NULL,
    thinking TEXT NOT NULL,
    times BLOB NOT NULL,
    board BLOB NOT NULL,
    ends BLOB,
    PRIMARY KEY (turn, place)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE words USING fts5 (
    text, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);
CREATE TABLE live (
    turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    t0_ns INTEGER NOT NULL,
    phase TEXT NOT NULL,
    wait TEXT,
    chunk_meaning TEXT NOT NULL,
    stop_wanted_ms INTEGER
);
CREATE TABLE detached (turn INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE);
INSERT INTO conversations VALUES (1, '83ae373ec2b7435db2897938a1c1af17', 'why?', 1700000000000, 6, 0, NULL);
INSERT INTO tags VALUES (1, 'physics');
INSERT INTO origins VALUES (1, '{"model":"qwen3-4b","server":"RockchipLlama","kind":"rockchipllama","url":"http://127.0.0.1:8021"}');
INSERT INTO parameters VALUES (1, '{"temperature":0.6,"top_p":0.95,"top_k":20,"repeat_penalty":1.1,"max_tokens":2048,"is_thinking":false,"system_prompt":""}');
INSERT INTO turns VALUES (1, 1, NULL, 'user', 1700000000000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO turns VALUES (2, 1, 1, 'assistant', 1700000000000, 'complete', NULL, NULL, NULL, 1, 1, 4, 3.125, 'runtime', 'measured');
INSERT INTO turns VALUES (3, 1, 2, 'user', 1700000060000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO turns VALUES (4, 1, 3, 'assistant', 1700000060000, 'interrupted', 'cut', 'The connection was cut.', NULL, 1, 1, 3, 3.125, NULL, NULL);
INSERT INTO writers VALUES (1, 4194305, 7, '0b7e6c1c-6f0e-4b7a-9a0e-5d0b4a1f7c11', 'ask');
INSERT INTO turns VALUES (5, 1, 4, 'user', 1700000120000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO turns VALUES (6, 1, 5, 'assistant', 1700000120000, 'running', NULL, NULL, 1, 1, 1, NULL, NULL, NULL, NULL);
INSERT INTO pieces VALUES (6, 1, 'it was ', '', X'A0CB98019FC371', X'', X'0608');
INSERT INTO pieces VALUES (6, 2, 'killed', '', X'80897A', X'', X'1A');
INSERT INTO bodies VALUES (5, 'and now?', '', NULL);
INSERT INTO bodies VALUES (1, 'why?', '', NULL);
INSERT INTO bodies VALUES (2, 'because of 你好', '', '{"ttft_ms":1250.0,"ttft_source":"measured","tokens_out":4}');
INSERT INTO bodies VALUES (3, 'and then?', '', NULL);
INSERT INTO bodies VALUES (4, 'half an', '', '{"ttft_ms":1250.0,"ttft_source":"measured","tokens_out":3}');
INSERT INTO traces VALUES (2, X'A0CB98019FC371', X'', X'100A');
INSERT INTO traces VALUES (4, X'80897A', X'', NULL);
INSERT INTO words (rowid, text) VALUES (1, 'why?');
INSERT INTO words (rowid, text) VALUES (2, 'because of  你  好 ');
INSERT INTO words (rowid, text) VALUES (3, 'and then?');
INSERT INTO words (rowid, text) VALUES (4, 'half an');
INSERT INTO words (rowid, text) VALUES (5, 'and now?');
INSERT INTO live VALUES (6, 1000000000, 'answering', NULL, 'token', NULL);
INSERT INTO detached VALUES (4);
PRAGMA application_id = 1852863852;
PRAGMA user_version = 4;
COMMIT;

-- A database as version 3 of the schema left it.
CREATE TABLE threads (
    thread_id   TEXT PRIMARY KEY,
    -- The home of Codex in which the thread lies: another home's client never sees it.
    codex_home  TEXT NOT NULL,
    cwd         TEXT NOT NULL,
    name        TEXT,
    -- The beginning of its first prompt.
    topic       TEXT,
    -- What the thread was set up with, as JSON; instructions among it.
    options     TEXT,
    model       TEXT,
    -- `bridge` for our own; else Codex's word for where it was made (`cli`, `exec`, `vscode`).
    source      TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    archived_at INTEGER
) STRICT;

-- The list of threads is read newest first, within one home.
CREATE INDEX threads_by_age ON threads (codex_home, updated_at DESC, thread_id);

CREATE TABLE turns (
    -- Our own number, never used twice.
    number      INTEGER PRIMARY KEY,
    thread_id   TEXT NOT NULL REFERENCES threads ON DELETE CASCADE,
    -- Codex's id, once it has started the turn.
    turn_id     TEXT,
    prompt      TEXT NOT NULL,
    options     TEXT,
    background  INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'inProgress', 'completed', 'interrupted', 'failed')),
    model       TEXT,
    effort      TEXT,
    queued_at   INTEGER NOT NULL,
    started_at  INTEGER,
    ended_at    INTEGER,
    duration_ms INTEGER NOT NULL DEFAULT 0,
    stopped_by  TEXT,
    -- Why it failed, as JSON.
    error       TEXT,
    warnings    TEXT NOT NULL DEFAULT '[]',
    -- How many messages and items it has: the next one's place.
    entries     INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX turns_by_thread ON turns (thread_id, number DESC);
-- A turn is asked for by Codex's id.
CREATE UNIQUE INDEX turns_by_id ON turns (thread_id, turn_id) WHERE turn_id IS NOT NULL;
-- What an engine that was killed left behind is looked for at each start.
CREATE INDEX turns_unfinished ON turns (number) WHERE ended_at IS NULL;

CREATE TABLE messages (
    id       INTEGER PRIMARY KEY,
    turn     INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    item_id  TEXT NOT NULL,
    ordinal  INTEGER NOT NULL,
    role     TEXT NOT NULL CHECK (role IN ('user', 'agent')),
    -- Of an agent's message, where Codex says so.
    phase    TEXT CHECK (phase IN ('commentary', 'final_answer')),
    text     TEXT NOT NULL,
    -- Whether it was not cut off.
    complete INTEGER NOT NULL,
    UNIQUE (turn, item_id)
) STRICT;

CREATE TABLE items (
    turn    INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    item_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    kind    TEXT NOT NULL CHECK (kind IN ('thinking', 'command', 'tool', 'declined')),
    data    TEXT NOT NULL,
    PRIMARY KEY (turn, item_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE plans (
    thread_id   TEXT NOT NULL REFERENCES threads ON DELETE CASCADE,
    version     INTEGER NOT NULL,
    turn        INTEGER REFERENCES turns ON DELETE SET NULL,
    author      TEXT NOT NULL,
    at          INTEGER NOT NULL,
    explanation TEXT,
    steps       TEXT NOT NULL,
    PRIMARY KEY (thread_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE patches (
    patch_id  TEXT PRIMARY KEY,
    thread_id TEXT NOT NULL REFERENCES threads ON DELETE CASCADE,
    turn      INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    item_id   TEXT NOT NULL,
    ordinal   INTEGER NOT NULL,
    status    TEXT NOT NULL,
    paths     TEXT NOT NULL,
    -- Compressed with zstd.
    diff      BLOB NOT NULL,
    UNIQUE (turn, item_id)
) STRICT;

CREATE INDEX patches_by_thread ON patches (thread_id);

CREATE TABLE approvals (
    id          INTEGER PRIMARY KEY,
    thread_id   TEXT NOT NULL REFERENCES threads ON DELETE CASCADE,
    turn        INTEGER REFERENCES turns ON DELETE CASCADE,
    asked_at    INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    what        TEXT NOT NULL,
    reason      TEXT,
    decision    TEXT NOT NULL,
    -- `policy`, `person`, `deadline` or `bridge`.
    decided_by  TEXT NOT NULL,
    answered_at INTEGER NOT NULL
) STRICT;

CREATE INDEX approvals_by_thread ON approvals (thread_id, asked_at);

CREATE TABLE usage (
    turn             INTEGER PRIMARY KEY REFERENCES turns ON DELETE CASCADE,
    model            TEXT,
    at               INTEGER NOT NULL,
    input            INTEGER NOT NULL,
    cached_input     INTEGER NOT NULL,
    output           INTEGER NOT NULL,
    reasoning_output INTEGER NOT NULL,
    total            INTEGER NOT NULL,
    thread_total     INTEGER NOT NULL,
    context_window   INTEGER
) STRICT;

CREATE TABLE outputs (
    -- Random, so that it cannot be guessed.
    output_id  TEXT PRIMARY KEY,
    thread_id  TEXT REFERENCES threads ON DELETE CASCADE,
    kind       TEXT NOT NULL,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- The oldest outputs go first.
CREATE INDEX outputs_by_age ON outputs (created_at);

-- A long text in pieces, so that a page of it is read without the rest.
CREATE TABLE output_chunks (
    output_id TEXT NOT NULL REFERENCES outputs ON DELETE CASCADE,
    -- Where the piece begins in the whole, in bytes.
    start     INTEGER NOT NULL,
    -- Compressed with zstd.
    data      BLOB NOT NULL,
    PRIMARY KEY (output_id, start)
) STRICT;

CREATE TABLE checkpoints (
    checkpoint_id TEXT PRIMARY KEY,
    thread_id     TEXT NOT NULL REFERENCES threads ON DELETE CASCADE,
    turn          INTEGER REFERENCES turns ON DELETE CASCADE,
    name          TEXT NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT;

CREATE INDEX checkpoints_by_thread ON checkpoints (thread_id, created_at);

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Full-text search over what was said. The index holds no text of its own: it points into `messages`.

CREATE VIRTUAL TABLE messages_search USING fts5 (text, content = 'messages', content_rowid = 'id');

CREATE TRIGGER messages_search_insert AFTER INSERT ON messages BEGIN
    INSERT INTO messages_search (rowid, text) VALUES (new.id, new.text);
END;

CREATE TRIGGER messages_search_delete AFTER DELETE ON messages BEGIN
    INSERT INTO messages_search (messages_search, rowid, text) VALUES ('delete', old.id, old.text);
END;

CREATE TRIGGER messages_search_update AFTER UPDATE OF text ON messages BEGIN
    INSERT INTO messages_search (messages_search, rowid, text) VALUES ('delete', old.id, old.text);
    INSERT INTO messages_search (rowid, text) VALUES (new.id, new.text);
END;

INSERT INTO messages_search (messages_search) VALUES ('rebuild');

INSERT INTO threads (thread_id, codex_home, cwd, name, topic, source, created_at, updated_at)
VALUES ('old', '/u/.codex', '/w', NULL, 'Tell me.', 'bridge', 1, 2);
INSERT INTO turns (number, thread_id, turn_id, prompt, background, state, queued_at, started_at, ended_at, entries)
VALUES (7, 'old', 'turn-7', 'Tell me.', 0, 'completed', 1, 1, 2, 2),
       (41, 'old', 'turn-41', 'And then?', 0, 'inProgress', 3, 4, NULL, 1);
INSERT INTO messages (turn, item_id, ordinal, role, phase, text, complete)
VALUES (7, 'prompt', 1, 'user', NULL, 'Tell me.', 1),
       (7, 'm', 2, 'agent', 'final_answer', 'An ancient answer.', 1),
       (41, 'prompt', 1, 'user', NULL, 'And then?', 1);
-- Numbers of turns outlive the turns: a name that was made of one never comes to mean another.

CREATE TABLE turn_numbers (
    -- The first number for the next engine. One row.
    next INTEGER NOT NULL
) STRICT;

INSERT INTO turn_numbers SELECT coalesce(max(number), 0) + 1 FROM turns;

-- When the last record of the turn came: so long a turn that was cut has lasted.
ALTER TABLE turns ADD COLUMN changed_at INTEGER;

-- Who had the thread made, as JSON.
ALTER TABLE threads ADD COLUMN metadata TEXT;
PRAGMA user_version = 3;

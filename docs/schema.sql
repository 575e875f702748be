-- Generated from the migrations by the tests; run them with UPDATE_EXPECT=1 to write this file anew.

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
, metadata TEXT) STRICT;

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
, changed_at INTEGER, session TEXT) STRICT;

CREATE INDEX turns_by_thread ON turns (thread_id, number DESC);

CREATE UNIQUE INDEX turns_by_id ON turns (thread_id, turn_id) WHERE turn_id IS NOT NULL;

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
    steps       TEXT NOT NULL, last_step INTEGER NOT NULL DEFAULT 0, told_at INTEGER, told_in TEXT, unaware_of INTEGER, session TEXT,
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

CREATE INDEX outputs_by_age ON outputs (created_at);

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

CREATE TABLE turn_numbers (
    -- The first number for the next engine. One row.
    next INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    codex_home TEXT NOT NULL,
    key        TEXT NOT NULL,
    -- Of the turn, which is not there if it was cut before it was kept.
    number     INTEGER NOT NULL,
    -- A digest of what was asked: the same key with something else is a mistake.
    asked      TEXT NOT NULL,
    at         INTEGER NOT NULL,
    PRIMARY KEY (codex_home, key)
) STRICT;

CREATE TABLE change_sets (
    change_set_id TEXT PRIMARY KEY,
    -- Neither of a diff that a client brought.
    thread_id     TEXT REFERENCES threads ON DELETE CASCADE,
    turn          INTEGER REFERENCES turns ON DELETE SET NULL,
    kind          TEXT NOT NULL CHECK (kind IN ('propose', 'direct', 'unconfined', 'given')),
    -- The directory that it is about.
    root          TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    files         INTEGER NOT NULL,
    added         INTEGER NOT NULL,
    removed       INTEGER NOT NULL,
    -- The first of the files, as JSON.
    paths         TEXT NOT NULL,
    ignored       INTEGER NOT NULL,
    notes         TEXT NOT NULL,
    -- Each file with both of its sides, as JSON, compressed with zstd. Their contents lie beside the database.
    changes       BLOB NOT NULL
) STRICT;

CREATE INDEX change_sets_by_turn ON change_sets (turn);

CREATE INDEX change_sets_by_thread ON change_sets (thread_id, created_at);

CREATE TABLE applications (
    application_id TEXT PRIMARY KEY,
    change_set_id  TEXT NOT NULL REFERENCES change_sets ON DELETE CASCADE,
    at             INTEGER NOT NULL,
    state          TEXT NOT NULL CHECK (state IN ('applying', 'applied', 'reversed', 'failed')),
    -- The application that this one takes back.
    reverses       TEXT,
    -- What it did to each file, as JSON, compressed with zstd.
    steps          BLOB NOT NULL
) STRICT;

CREATE INDEX applications_by_change_set ON applications (change_set_id, at);

CREATE INDEX plans_untold ON plans (thread_id, version) WHERE author = 'client' AND told_at IS NULL;

CREATE TABLE session_threads (
    session    TEXT NOT NULL,
    thread_id  TEXT NOT NULL REFERENCES threads ON DELETE CASCADE,
    -- When it last worked with it.
    used_at    INTEGER NOT NULL,
    -- The newest version of the plan that it knows.
    known_plan INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (session, thread_id)
) STRICT;

CREATE TABLE session_tasks (
    session   TEXT NOT NULL,
    task      TEXT NOT NULL,
    subject   TEXT NOT NULL,
    status    TEXT NOT NULL,
    -- The step that it stands for.
    thread_id TEXT REFERENCES threads ON DELETE SET NULL,
    step      INTEGER,
    at        INTEGER NOT NULL,
    PRIMARY KEY (session, task)
) STRICT;

CREATE TABLE artifacts (
    -- The output may be forgotten before the turn is.
    output_id TEXT PRIMARY KEY,
    turn      INTEGER NOT NULL REFERENCES turns ON DELETE CASCADE,
    ordinal   INTEGER NOT NULL,
    -- The item that it came with.
    item_id   TEXT NOT NULL,
    kind      TEXT NOT NULL CHECK (kind IN ('log', 'image')),
    name      TEXT NOT NULL,
    mime      TEXT NOT NULL,
    bytes     INTEGER NOT NULL,
    -- Of a log the lines that tell of a failure, as JSON.
    failing   TEXT NOT NULL DEFAULT '[]'
) STRICT;

CREATE INDEX artifacts_by_turn ON artifacts (turn, ordinal);

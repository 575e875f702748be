-- What turns have changed or would change, and what of it was carried into the user's files.

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

-- What a Claude Code session knows of the plans of the threads that it works with, and the tasks of its own list.

-- Of a client's version: the session that made it.
ALTER TABLE plans ADD COLUMN session TEXT;

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

-- Steps of plans have names, clients make versions too, and Codex is told of those.

-- The newest name that a step of the thread had by then. No name is given twice.
ALTER TABLE plans ADD COLUMN last_step INTEGER NOT NULL DEFAULT 0;
-- Of a client's version: when Codex was told of it, and the turn that took it.
ALTER TABLE plans ADD COLUMN told_at INTEGER;
ALTER TABLE plans ADD COLUMN told_in TEXT;
-- Of Codex's version: the client's version that Codex had not been told of when it made this one.
ALTER TABLE plans ADD COLUMN unaware_of INTEGER;

-- Before each turn it is asked what Codex does not know.
CREATE INDEX plans_untold ON plans (thread_id, version) WHERE author = 'client' AND told_at IS NULL;

-- Steps from before are named by their place.
UPDATE plans SET
    last_step = (SELECT max(json_array_length(p.steps)) FROM plans p WHERE p.thread_id = plans.thread_id),
    steps = (
        SELECT json_group_array(json_object('id', key + 1, 'step', value ->> 'step', 'status', value ->> 'status'))
        FROM json_each(plans.steps)
    );

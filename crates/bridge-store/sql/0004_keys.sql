-- Keys by which a client makes its calls safe to repeat: each names the turn that its first call asked for.

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

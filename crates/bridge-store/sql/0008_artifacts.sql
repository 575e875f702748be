-- Long logs and images are kept as outputs, and a turn knows which are its own.
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

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

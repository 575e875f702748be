-- The session of the client that asked for a turn, which is told of the turn's end when no call waits for it.
ALTER TABLE turns ADD COLUMN session TEXT;

-- What the watch of each node says, and the major incidents it declares. One row a node, so that the
-- table does not grow with time; at most one incident is open.
CREATE TABLE watch_reports (
    node_id BLOB NOT NULL PRIMARY KEY,
    number INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    report TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incidents (
    id BLOB NOT NULL PRIMARY KEY,
    open INTEGER NOT NULL,
    node_id BLOB NOT NULL,
    declared_us INTEGER NOT NULL,
    answer_hash BLOB,
    answered_us INTEGER,
    answered_by TEXT,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX incidents_open ON incidents (open) WHERE open = 1;

CREATE TABLE incident_lines (
    incident_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    source TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (incident_id, seq)
) STRICT, WITHOUT ROWID;

-- What the watch of each node says, and the major incidents it declares. One row a node, so that the
-- table does not grow with time; at most one incident is open.
CREATE TABLE watch_reports (
    node_id UUID NOT NULL PRIMARY KEY,
    number BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    report TEXT NOT NULL
);

CREATE TABLE incidents (
    id UUID NOT NULL PRIMARY KEY,
    open BIGINT NOT NULL,
    node_id UUID NOT NULL,
    declared_us BIGINT NOT NULL,
    answer_hash BYTEA,
    answered_us BIGINT,
    answered_by TEXT,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX incidents_open ON incidents (open) WHERE open = 1;

CREATE TABLE incident_lines (
    incident_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    source TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (incident_id, seq)
);

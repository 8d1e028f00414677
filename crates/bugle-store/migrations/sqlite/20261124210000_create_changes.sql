-- What the stages run with, and how they come from one revision to another. A revision is never
-- changed; a node without a target of its own runs the known-good.
CREATE TABLE revisions (
    number INTEGER NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    made_us INTEGER NOT NULL,
    blocked_us INTEGER,
    blocked_why TEXT
) STRICT;

CREATE TABLE known_good (
    id INTEGER NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_targets (
    node_id BLOB NOT NULL,
    stage TEXT NOT NULL,
    revision INTEGER,
    held INTEGER NOT NULL,
    PRIMARY KEY (node_id, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE stage_runs (
    node_id BLOB NOT NULL,
    stage TEXT NOT NULL,
    revision INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    held INTEGER NOT NULL,
    error TEXT,
    PRIMARY KEY (node_id, stage)
) STRICT, WITHOUT ROWID;

-- `under_way` is 1 or nothing, so that there is only ever one.
CREATE TABLE changes (
    number INTEGER NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    under_way INTEGER,
    driver_id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    undo_wanted TEXT,
    document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX changes_under_way ON changes (under_way) WHERE under_way IS NOT NULL;

CREATE TABLE checkpoints (
    change_number INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    ok INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (change_number, seq)
) STRICT, WITHOUT ROWID;

-- Tenants that a change moved to another node for its time, and where they belong.
CREATE TABLE moved_placements (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    node_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What the stages run with, and how they come from one revision to another. A revision is never
-- changed; a node without a target of its own runs the known-good.
CREATE TABLE revisions (
    number BIGINT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    author TEXT NOT NULL,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    made_us BIGINT NOT NULL,
    blocked_us BIGINT,
    blocked_why TEXT
);

CREATE TABLE known_good (
    id BIGINT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL
);

CREATE TABLE stage_targets (
    node_id UUID NOT NULL,
    stage TEXT NOT NULL,
    revision BIGINT,
    held BIGINT NOT NULL,
    PRIMARY KEY (node_id, stage)
);

CREATE TABLE stage_runs (
    node_id UUID NOT NULL,
    stage TEXT NOT NULL,
    revision BIGINT NOT NULL,
    fingerprint TEXT NOT NULL,
    since_us BIGINT NOT NULL,
    held BIGINT NOT NULL,
    error TEXT,
    PRIMARY KEY (node_id, stage)
);

-- `under_way` is 1 or nothing, so that there is only ever one.
CREATE TABLE changes (
    number BIGINT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    under_way BIGINT,
    driver_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    undo_wanted TEXT,
    document TEXT NOT NULL
);
CREATE UNIQUE INDEX changes_under_way ON changes (under_way) WHERE under_way IS NOT NULL;

CREATE TABLE checkpoints (
    change_number BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    state TEXT NOT NULL,
    ok BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (change_number, seq)
);

-- Tenants that a change moved to another node for its time, and where they belong.
CREATE TABLE moved_placements (
    tenant_id UUID NOT NULL PRIMARY KEY,
    node_id UUID NOT NULL
);

-- The books. Each effect adds to a row of its own node and stage in its own transaction, so that
-- intake, alerting and dispatch never wait for each other's counters. What waits is not counted
-- here but where it waits.
CREATE TABLE ledger (
    tenant_id BLOB NOT NULL,
    node_id BLOB NOT NULL,
    stage TEXT NOT NULL,
    accepted INTEGER NOT NULL,
    alerted INTEGER NOT NULL,
    folded INTEGER NOT NULL,
    suppressed INTEGER NOT NULL,
    owed INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    cancelled INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, node_id, stage)
) STRICT, WITHOUT ROWID;

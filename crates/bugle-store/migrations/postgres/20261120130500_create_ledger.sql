-- The books. Each effect adds to a row of its own node and stage in its own transaction, so that
-- intake, alerting and dispatch never wait for each other's counters. What waits is not counted
-- here but where it waits.
CREATE TABLE ledger (
    tenant_id UUID NOT NULL,
    node_id UUID NOT NULL,
    stage TEXT NOT NULL,
    accepted BIGINT NOT NULL,
    alerted BIGINT NOT NULL,
    folded BIGINT NOT NULL,
    suppressed BIGINT NOT NULL,
    owed BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    cancelled BIGINT NOT NULL,
    expired BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, node_id, stage)
);

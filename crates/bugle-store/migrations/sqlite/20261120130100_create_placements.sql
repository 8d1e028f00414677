-- Which node does which tenant's alerting. The epoch fences out an owner that was replaced.
CREATE TABLE nodes (
    node_id BLOB NOT NULL PRIMARY KEY,
    beat INTEGER NOT NULL,
    started_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE placements (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    node_id BLOB NOT NULL,
    epoch INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX placements_node ON placements (node_id);

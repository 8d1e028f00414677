-- Which node does which tenant's alerting. The epoch fences out an owner that was replaced.
CREATE TABLE nodes (
    node_id UUID NOT NULL PRIMARY KEY,
    beat BIGINT NOT NULL,
    started_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL
);

CREATE TABLE placements (
    tenant_id UUID NOT NULL PRIMARY KEY,
    node_id UUID NOT NULL,
    epoch BIGINT NOT NULL
);
CREATE INDEX placements_node ON placements (node_id);

-- Clean-ups, and what they took away and can put back. `over` is 1 when nothing more happens. A key
-- that has ended is only marked: its row stays until it is dropped.
CREATE TABLE clean_ups (
    number BIGINT NOT NULL PRIMARY KEY,
    step BIGINT NOT NULL,
    over BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX clean_ups_at_work ON clean_ups (number) WHERE over = 0;

-- `stuck`: it could not be put back, because its name was taken meanwhile.
CREATE TABLE removed_things (
    clean_up BIGINT NOT NULL,
    tenant_id UUID NOT NULL,
    kind TEXT NOT NULL,
    id UUID NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    stuck BIGINT NOT NULL,
    PRIMARY KEY (clean_up, tenant_id, kind, id)
);

ALTER TABLE api_keys ADD COLUMN removed_us BIGINT;

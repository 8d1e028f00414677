-- Clean-ups, and what they took away and can put back. `over` is 1 when nothing more happens. A key
-- that has ended is only marked: its row stays until it is dropped.
CREATE TABLE clean_ups (
    number INTEGER NOT NULL PRIMARY KEY,
    step INTEGER NOT NULL,
    over INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT;
CREATE INDEX clean_ups_at_work ON clean_ups (number) WHERE over = 0;

-- `stuck`: it could not be put back, because its name was taken meanwhile.
CREATE TABLE removed_things (
    clean_up INTEGER NOT NULL,
    tenant_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    stuck INTEGER NOT NULL,
    PRIMARY KEY (clean_up, tenant_id, kind, id)
) STRICT, WITHOUT ROWID;

ALTER TABLE api_keys ADD COLUMN removed_us INTEGER;

-- What people ask who say that nobody was paged, what the ledger said then, and the conversation
-- about it. They are few and written by people. The trace is read only where one is shown.
CREATE TABLE assistance (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    open BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    document TEXT NOT NULL,
    trace TEXT,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX assistance_id ON assistance (id);
CREATE INDEX assistance_open ON assistance (id) WHERE open = 1;
CREATE INDEX assistance_updated ON assistance (tenant_id, updated_us);

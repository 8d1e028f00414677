-- What people act on. The policy is stamped into the alert, so that an edit changes nothing in
-- flight; `due_us` is when alerting must look again, and is empty when it need not.
CREATE TABLE alert_numbers (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    last_number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    number INTEGER NOT NULL,
    integration_id BLOB NOT NULL,
    service_id BLOB,
    dedup_key TEXT NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    summary TEXT NOT NULL,
    source TEXT NOT NULL,
    extra TEXT NOT NULL,
    policy TEXT,
    escalation TEXT NOT NULL,
    due_us INTEGER,
    resolve_us INTEGER,
    opened_by BLOB NOT NULL,
    opened_us INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    last_event_us INTEGER NOT NULL,
    acknowledged TEXT,
    resolved_us INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX alerts_open ON alerts (tenant_id, integration_id, dedup_key)
    WHERE status <> 'resolved';
CREATE INDEX alerts_due ON alerts (tenant_id, due_us) WHERE due_us IS NOT NULL;
CREATE UNIQUE INDEX alerts_number ON alerts (tenant_id, number);
CREATE INDEX alerts_key ON alerts (tenant_id, integration_id, dedup_key, id);
CREATE INDEX alerts_status ON alerts (tenant_id, status, id);

CREATE TABLE timeline (
    tenant_id BLOB NOT NULL,
    alert_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (tenant_id, alert_id, seq)
) STRICT, WITHOUT ROWID;

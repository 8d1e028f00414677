-- What people act on. The policy is stamped into the alert, so that an edit changes nothing in
-- flight; `due_us` is when alerting must look again, and is empty when it need not.
CREATE TABLE alert_numbers (
    tenant_id UUID NOT NULL PRIMARY KEY,
    last_number BIGINT NOT NULL
);

CREATE TABLE alerts (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    number BIGINT NOT NULL,
    integration_id UUID NOT NULL,
    service_id UUID,
    dedup_key TEXT NOT NULL,
    status TEXT NOT NULL,
    severity TEXT NOT NULL,
    summary TEXT NOT NULL,
    source TEXT NOT NULL,
    extra TEXT NOT NULL,
    policy TEXT,
    escalation TEXT NOT NULL,
    due_us BIGINT,
    resolve_us BIGINT,
    opened_by UUID NOT NULL,
    opened_us BIGINT NOT NULL,
    event_count BIGINT NOT NULL,
    last_event_us BIGINT NOT NULL,
    acknowledged TEXT,
    resolved_us BIGINT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX alerts_open ON alerts (tenant_id, integration_id, dedup_key)
    WHERE status <> 'resolved';
CREATE INDEX alerts_due ON alerts (tenant_id, due_us) WHERE due_us IS NOT NULL;
CREATE UNIQUE INDEX alerts_number ON alerts (tenant_id, number);
CREATE INDEX alerts_key ON alerts (tenant_id, integration_id, dedup_key, id);
CREATE INDEX alerts_status ON alerts (tenant_id, status, id);

CREATE TABLE timeline (
    tenant_id UUID NOT NULL,
    alert_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    entry TEXT NOT NULL,
    PRIMARY KEY (tenant_id, alert_id, seq)
);

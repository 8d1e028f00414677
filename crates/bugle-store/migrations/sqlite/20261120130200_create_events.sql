-- What was said to us. An event's row is written by intake and given its outcome by alerting; the
-- bytes it came in stand apart, so that retention can drop them and an outcome does not rewrite them.
CREATE TABLE events (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    dialect TEXT NOT NULL,
    action TEXT NOT NULL,
    received_us INTEGER NOT NULL,
    idempotency_key TEXT,
    request_id BLOB NOT NULL,
    body TEXT NOT NULL,
    tries INTEGER NOT NULL,
    outcome TEXT,
    reason TEXT,
    alert_id BLOB,
    decided_us INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_pending ON events (tenant_id, id) WHERE outcome IS NULL;
CREATE UNIQUE INDEX events_idempotency ON events (tenant_id, integration_id, idempotency_key)
    WHERE idempotency_key IS NOT NULL;
CREATE INDEX events_alert ON events (tenant_id, alert_id, id) WHERE alert_id IS NOT NULL;
CREATE INDEX events_change ON events (tenant_id, integration_id, id) WHERE action = 'change';
-- Most requests hold one event, which has the request's id.
CREATE INDEX events_request ON events (tenant_id, request_id) WHERE request_id <> id;

CREATE TABLE requests (
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    id BLOB NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE rejected_requests (
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    dialect TEXT NOT NULL,
    status INTEGER NOT NULL,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    raw BLOB NOT NULL,
    PRIMARY KEY (tenant_id, integration_id, at_us)
) STRICT, WITHOUT ROWID;

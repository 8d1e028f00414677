-- Requests that came with an Idempotency-Key: what was asked, and what was answered. Without a
-- status, the request has not ended; with a status and without a body, its answer is not kept.
CREATE TABLE keyed_requests (
    tenant_id UUID NOT NULL,
    key_hash BYTEA NOT NULL,
    request_hash BYTEA NOT NULL,
    begun_us BIGINT NOT NULL,
    status BIGINT,
    head TEXT,
    body TEXT,
    PRIMARY KEY (tenant_id, key_hash)
);
CREATE INDEX keyed_requests_begun ON keyed_requests (begun_us);

-- Requests that came with an Idempotency-Key: what was asked, and what was answered. Without a
-- status, the request has not ended; with a status and without a body, its answer is not kept.
CREATE TABLE keyed_requests (
    tenant_id BLOB NOT NULL,
    key_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    begun_us INTEGER NOT NULL,
    status INTEGER,
    head TEXT,
    body TEXT,
    PRIMARY KEY (tenant_id, key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX keyed_requests_begun ON keyed_requests (begun_us);

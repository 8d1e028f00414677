-- What a tenant has set up: its documents, the keys and credentials that open it, and who changed
-- what. Configuration is small and read whole, so it is kept as documents in one table; secrets are
-- kept apart from it, as hashes only.
CREATE TABLE tenants (
    tenant_id BLOB NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    fallback_policy_id BLOB,
    config_version INTEGER NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE objects (
    tenant_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    name TEXT,
    phone TEXT,
    version INTEGER NOT NULL,
    data TEXT NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX objects_name ON objects (tenant_id, kind, name) WHERE name IS NOT NULL;
-- People sign in by mail address before their tenant is known, so it is unique over all of them.
CREATE UNIQUE INDEX objects_login ON objects (name) WHERE kind = 'user';
-- A text message or call comes from a number, before its tenant is known.
CREATE INDEX objects_phone ON objects (phone) WHERE phone IS NOT NULL;

CREATE TABLE audit (
    tenant_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id BLOB NOT NULL,
    before_data TEXT,
    after_data TEXT,
    PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE integration_keys (
    key_hash BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    integration_id BLOB NOT NULL,
    created_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX integration_keys_owner ON integration_keys (tenant_id, integration_id);

CREATE TABLE credentials (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    password_hash TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE operators (
    tenant_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    since_us INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    token_hash BLOB NOT NULL PRIMARY KEY,
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    agent TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_expiry ON sessions (expires_us);

CREATE TABLE api_keys (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    key_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hint TEXT NOT NULL,
    user_id BLOB,
    created_us INTEGER NOT NULL,
    expires_us INTEGER,
    used_us INTEGER,
    revoked_us INTEGER,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);

CREATE TABLE one_time_tokens (
    token_hash BLOB NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    tenant_id BLOB,
    user_id BLOB,
    expires_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX one_time_tokens_purpose ON one_time_tokens (purpose);

CREATE TABLE proofs (
    tenant_id BLOB NOT NULL,
    method_id BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    expires_us INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, method_id)
) STRICT, WITHOUT ROWID;

-- What a tenant has set up: its documents, the keys and credentials that open it, and who changed
-- what. Configuration is small and read whole, so it is kept as documents in one table; secrets are
-- kept apart from it, as hashes only.
CREATE TABLE tenants (
    tenant_id UUID NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    fallback_policy_id UUID,
    config_version BIGINT NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE objects (
    tenant_id UUID NOT NULL,
    kind TEXT NOT NULL,
    id UUID NOT NULL,
    name TEXT,
    phone TEXT,
    version BIGINT NOT NULL,
    data TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, kind, id)
);
CREATE UNIQUE INDEX objects_name ON objects (tenant_id, kind, name) WHERE name IS NOT NULL;
-- People sign in by mail address before their tenant is known, so it is unique over all of them.
CREATE UNIQUE INDEX objects_login ON objects (name) WHERE kind = 'user';
-- A text message or call comes from a number, before its tenant is known.
CREATE INDEX objects_phone ON objects (phone) WHERE phone IS NOT NULL;

CREATE TABLE audit (
    tenant_id UUID NOT NULL,
    seq BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id UUID NOT NULL,
    before_data TEXT,
    after_data TEXT,
    PRIMARY KEY (tenant_id, seq)
);

CREATE TABLE integration_keys (
    key_hash BYTEA NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE UNIQUE INDEX integration_keys_owner ON integration_keys (tenant_id, integration_id);

CREATE TABLE credentials (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    password_hash TEXT NOT NULL,
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE operators (
    tenant_id UUID NOT NULL,
    user_id UUID NOT NULL,
    since_us BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, user_id)
);

CREATE TABLE sessions (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    created_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX sessions_user ON sessions (tenant_id, user_id);
CREATE INDEX sessions_expiry ON sessions (expires_us);

CREATE TABLE api_keys (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    key_hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    hint TEXT NOT NULL,
    user_id UUID,
    created_us BIGINT NOT NULL,
    expires_us BIGINT,
    used_us BIGINT,
    revoked_us BIGINT,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (key_hash);

CREATE TABLE one_time_tokens (
    token_hash BYTEA NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    tenant_id UUID,
    user_id UUID,
    expires_us BIGINT NOT NULL
);
CREATE INDEX one_time_tokens_purpose ON one_time_tokens (purpose);

CREATE TABLE proofs (
    tenant_id UUID NOT NULL,
    method_id UUID NOT NULL,
    code_hash BYTEA NOT NULL,
    expires_us BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, method_id)
);

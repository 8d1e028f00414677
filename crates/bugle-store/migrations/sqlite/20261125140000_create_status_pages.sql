-- Pages of tenants for their services: what each tells the public, and in which state each service was
-- from when until when. One index finds all of them, whoever's they are.
CREATE INDEX objects_status_pages ON objects (tenant_id, id) WHERE kind = 'status_page';

CREATE TABLE page_bulletins (
    tenant_id BLOB NOT NULL,
    page_id BLOB NOT NULL,
    id BLOB NOT NULL,
    open INTEGER NOT NULL,
    version INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (tenant_id, page_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE page_spans (
    tenant_id BLOB NOT NULL,
    page_id BLOB NOT NULL,
    service_id BLOB NOT NULL,
    from_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant_id, page_id, service_id, from_us)
) STRICT, WITHOUT ROWID;

-- Pages of tenants for their services: what each tells the public, and in which state each service was
-- from when until when. One index finds all of them, whoever's they are.
CREATE INDEX objects_status_pages ON objects (tenant_id, id) WHERE kind = 'status_page';

-- Which services are in trouble is read each second, whatever else is open.
CREATE INDEX alerts_trouble ON alerts (tenant_id, service_id, severity, status)
    WHERE status IN ('open', 'acknowledged') AND service_id IS NOT NULL;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ('alerts', 'alerts_trouble', '10000 100 10 5 3');
ANALYZE sqlite_schema;

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

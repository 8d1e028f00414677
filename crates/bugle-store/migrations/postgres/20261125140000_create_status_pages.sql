-- Pages of tenants for their services: what each tells the public, and in which state each service was
-- from when until when. One index finds all of them, whoever's they are.
CREATE INDEX objects_status_pages ON objects (tenant_id, id) WHERE kind = 'status_page';

-- Which services are in trouble is read each second, whatever else is open.
CREATE INDEX alerts_trouble ON alerts (tenant_id, service_id, severity, status)
    WHERE status IN ('open', 'acknowledged') AND service_id IS NOT NULL;

CREATE TABLE page_bulletins (
    tenant_id UUID NOT NULL,
    page_id UUID NOT NULL,
    id UUID NOT NULL,
    open BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (tenant_id, page_id, id)
);

CREATE TABLE page_spans (
    tenant_id UUID NOT NULL,
    page_id UUID NOT NULL,
    service_id UUID NOT NULL,
    from_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (tenant_id, page_id, service_id, from_us)
);

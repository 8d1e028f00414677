-- What retention looks for: alerts that are over, by when they ended, and events that came to nothing.
-- When a request came last through an integration is noted when its bytes are dropped.
CREATE INDEX alerts_resolved ON alerts (tenant_id, resolved_us) WHERE resolved_us IS NOT NULL;
CREATE INDEX events_alone ON events (tenant_id, id) WHERE alert_id IS NULL AND outcome IS NOT NULL;

CREATE TABLE integration_use (
    tenant_id UUID NOT NULL,
    integration_id UUID NOT NULL,
    used_us BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, integration_id)
);

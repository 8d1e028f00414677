-- What the public is told, and in which state each component was from when until when. A span grows
-- while nothing changes, so there is about one row a change, and what no span covers was not measured.
CREATE TABLE status_bulletins (
    id UUID NOT NULL PRIMARY KEY,
    incident_id UUID UNIQUE,
    open BIGINT NOT NULL,
    version BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX status_bulletins_updated ON status_bulletins (updated_us);

CREATE TABLE status_spans (
    component TEXT NOT NULL,
    from_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (component, from_us)
);

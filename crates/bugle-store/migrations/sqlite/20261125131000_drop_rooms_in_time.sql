-- When a room was closed, by which it is dropped after its time. Those that were closed before this
-- are kept.
ALTER TABLE incident_rooms ADD COLUMN closed_us INTEGER;
CREATE INDEX incident_rooms_closed ON incident_rooms (tenant_id, closed_us)
    WHERE closed_us IS NOT NULL;

-- What people make of incidents, their own and the watch's: a document each, whose version rises with
-- every act. The installation's have the tenant 0. The page that shows more of a line goes with it.
CREATE TABLE incident_rooms (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    open INTEGER NOT NULL,
    version INTEGER NOT NULL,
    due_us INTEGER,
    document TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_rooms_open ON incident_rooms (tenant_id) WHERE open = 1;
CREATE INDEX incident_rooms_due ON incident_rooms (due_us) WHERE due_us IS NOT NULL;

ALTER TABLE incident_lines ADD COLUMN link TEXT;

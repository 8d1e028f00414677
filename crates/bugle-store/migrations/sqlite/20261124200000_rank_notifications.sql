-- What waits is found by how bad its alert is, and what was held back apart from what was not, so
-- that the newest of the worst is found behind any backlog. Old code leaves the rank at 0.
-- What a person was owed and never sent, because it was resolved before: for the line in a digest.
ALTER TABLE notifications ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
DROP INDEX notifications_waiting;
CREATE INDEX notifications_waiting ON notifications (lane, tenant_id, rank, due_us)
    WHERE state = 'waiting';
CREATE INDEX notifications_unsent ON notifications (tenant_id, user_id, ended_us)
    WHERE ended_reason = 'resolved' AND tries = 0;

-- What is owed to people. Each state that work is looked for in has its own partial index, so that
-- looking for work and counting it never touches history.
CREATE TABLE notifications (
    tenant_id BLOB NOT NULL,
    id BLOB NOT NULL,
    alert_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    method_id BLOB NOT NULL,
    channel TEXT NOT NULL,
    lane INTEGER NOT NULL,
    level INTEGER NOT NULL,
    cycle INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    wanted_us INTEGER NOT NULL,
    deadline_us INTEGER NOT NULL,
    token TEXT,
    due_us INTEGER NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    held INTEGER NOT NULL,
    unsure INTEGER NOT NULL,
    possible_repeat INTEGER NOT NULL,
    claim_id BLOB,
    claim_node_id BLOB,
    claimed_us INTEGER,
    send_by_us INTEGER,
    receipt_due_us INTEGER,
    receipt TEXT,
    receipt_us INTEGER,
    ended TEXT,
    ended_reason TEXT,
    ended_us INTEGER,
    provider_ref TEXT,
    PRIMARY KEY (tenant_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notifications_waiting ON notifications (lane, tenant_id, due_us)
    WHERE state = 'waiting';
CREATE INDEX notifications_sending ON notifications (send_by_us) WHERE state = 'sending';
CREATE INDEX notifications_handed_off ON notifications (receipt_due_us)
    WHERE state = 'handed_off';
CREATE INDEX notifications_alert ON notifications (tenant_id, alert_id);
-- Callbacks and links name no tenant.
CREATE INDEX notifications_callback ON notifications (id) WHERE channel IN ('sms', 'voice');
CREATE INDEX notifications_message ON notifications (claim_id) WHERE channel IN ('sms', 'voice');
CREATE UNIQUE INDEX notifications_token ON notifications (token) WHERE token IS NOT NULL;

CREATE TABLE attempts (
    tenant_id BLOB NOT NULL,
    notification_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    provider TEXT NOT NULL,
    started_us INTEGER NOT NULL,
    finished_us INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    provider_ref TEXT,
    PRIMARY KEY (tenant_id, notification_id, number, outcome)
) STRICT, WITHOUT ROWID;

-- What was lately sent to one contact method of a person: for bundling, ceilings and for knowing
-- what a reply by text message answers.
CREATE TABLE method_pace (
    tenant_id BLOB NOT NULL,
    method_id BLOB NOT NULL,
    last_sent_us INTEGER NOT NULL,
    window_from_us INTEGER NOT NULL,
    window_count INTEGER NOT NULL,
    last_ids TEXT NOT NULL,
    PRIMARY KEY (tenant_id, method_id)
) STRICT, WITHOUT ROWID;

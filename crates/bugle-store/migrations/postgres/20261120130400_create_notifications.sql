-- What is owed to people. Each state that work is looked for in has its own partial index, so that
-- looking for work and counting it never touches history.
CREATE TABLE notifications (
    tenant_id UUID NOT NULL,
    id UUID NOT NULL,
    alert_id UUID NOT NULL,
    user_id UUID NOT NULL,
    method_id UUID NOT NULL,
    channel TEXT NOT NULL,
    lane BIGINT NOT NULL,
    level BIGINT NOT NULL,
    cycle BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    wanted_us BIGINT NOT NULL,
    deadline_us BIGINT NOT NULL,
    token TEXT,
    due_us BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    held BIGINT NOT NULL,
    unsure BIGINT NOT NULL,
    possible_repeat BIGINT NOT NULL,
    claim_id UUID,
    claim_node_id UUID,
    claimed_us BIGINT,
    send_by_us BIGINT,
    receipt_due_us BIGINT,
    receipt TEXT,
    receipt_us BIGINT,
    ended TEXT,
    ended_reason TEXT,
    ended_us BIGINT,
    provider_ref TEXT,
    PRIMARY KEY (tenant_id, id)
);
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
    tenant_id UUID NOT NULL,
    notification_id UUID NOT NULL,
    number BIGINT NOT NULL,
    provider TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    finished_us BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    provider_ref TEXT,
    PRIMARY KEY (tenant_id, notification_id, number, outcome)
);

-- What was lately sent to one contact method of a person: for bundling, ceilings and for knowing
-- what a reply by text message answers.
CREATE TABLE method_pace (
    tenant_id UUID NOT NULL,
    method_id UUID NOT NULL,
    last_sent_us BIGINT NOT NULL,
    window_from_us BIGINT NOT NULL,
    window_count BIGINT NOT NULL,
    last_ids TEXT NOT NULL,
    PRIMARY KEY (tenant_id, method_id)
);

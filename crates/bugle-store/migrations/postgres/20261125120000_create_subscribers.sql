-- Who is told of what the status page says. A row without `confirmed_us` is one who only asked, and
-- is dropped after a day. A message to a subscriber is a row until it is sent; that of the nil
-- notice asks to confirm. What has been claimed is not claimed again: nobody is told twice.
CREATE TABLE subscribers (
    id UUID NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    components TEXT NOT NULL,
    asked_us BIGINT NOT NULL,
    confirmed_us BIGINT,
    UNIQUE (channel, address)
);
CREATE INDEX subscribers_unconfirmed ON subscribers (asked_us) WHERE confirmed_us IS NULL;

-- Up to which update of a bulletin subscribers were told.
CREATE TABLE status_told (
    bulletin_id UUID NOT NULL PRIMARY KEY,
    told_us BIGINT NOT NULL
);

-- What they are told; up to which of them the messages are made.
CREATE TABLE status_notices (
    id UUID NOT NULL PRIMARY KEY,
    made_us BIGINT NOT NULL,
    after_id UUID NOT NULL,
    over BIGINT NOT NULL,
    document TEXT NOT NULL
);
CREATE INDEX status_notices_at_work ON status_notices (id) WHERE over = 0;

CREATE TABLE subscriber_messages (
    subscriber_id UUID NOT NULL,
    notice_id UUID NOT NULL,
    due_us BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    claimed_us BIGINT,
    PRIMARY KEY (subscriber_id, notice_id)
);
CREATE INDEX subscriber_messages_due ON subscriber_messages (due_us) WHERE claimed_us IS NULL;
CREATE INDEX subscriber_messages_claimed ON subscriber_messages (claimed_us)
    WHERE claimed_us IS NOT NULL;

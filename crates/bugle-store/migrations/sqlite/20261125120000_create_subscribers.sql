-- Who is told of what the status page says. A row without `confirmed_us` is one who only asked, and
-- is dropped after a day. A message to a subscriber is a row until it is sent; that of the nil
-- notice asks to confirm. What has been claimed is not claimed again: nobody is told twice.
CREATE TABLE subscribers (
    id BLOB NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    components TEXT NOT NULL,
    asked_us INTEGER NOT NULL,
    confirmed_us INTEGER,
    UNIQUE (channel, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscribers_unconfirmed ON subscribers (asked_us) WHERE confirmed_us IS NULL;

-- Up to which update of a bulletin subscribers were told.
CREATE TABLE status_told (
    bulletin_id BLOB NOT NULL PRIMARY KEY,
    told_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What they are told; up to which of them the messages are made.
CREATE TABLE status_notices (
    id BLOB NOT NULL PRIMARY KEY,
    made_us INTEGER NOT NULL,
    after_id BLOB NOT NULL,
    over INTEGER NOT NULL,
    document TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX status_notices_at_work ON status_notices (id) WHERE over = 0;

CREATE TABLE subscriber_messages (
    subscriber_id BLOB NOT NULL,
    notice_id BLOB NOT NULL,
    due_us INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    claimed_us INTEGER,
    PRIMARY KEY (subscriber_id, notice_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX subscriber_messages_due ON subscriber_messages (due_us) WHERE claimed_us IS NULL;
CREATE INDEX subscriber_messages_claimed ON subscriber_messages (claimed_us)
    WHERE claimed_us IS NOT NULL;

-- When a message was last tried by each provider that the stages name, and since when that has been
-- looked at: what a clean-up of providers judges by. Written once an hour at most.
CREATE TABLE provider_use (
    channel TEXT NOT NULL,
    provider TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    used_us INTEGER,
    PRIMARY KEY (channel, provider)
) STRICT, WITHOUT ROWID;

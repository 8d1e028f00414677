-- Since when, as each node knows, senders could always reach some node. A node of an older release
-- does not write it: it counts as always, which is what that release goes by.
ALTER TABLE nodes ADD COLUMN heard_us INTEGER NOT NULL DEFAULT 0;

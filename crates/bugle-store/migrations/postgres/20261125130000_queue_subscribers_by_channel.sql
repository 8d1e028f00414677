-- What goes to subscribers by one channel is claimed apart from what goes by another: programs that
-- hang keep nobody's mail waiting.
ALTER TABLE subscriber_messages ADD COLUMN channel TEXT NOT NULL DEFAULT 'email';
UPDATE subscriber_messages SET channel = COALESCE(
    (SELECT s.channel FROM subscribers s WHERE s.id = subscriber_messages.subscriber_id), channel);
DROP INDEX subscriber_messages_due;
CREATE INDEX subscriber_messages_due ON subscriber_messages (channel, due_us)
    WHERE claimed_us IS NULL;

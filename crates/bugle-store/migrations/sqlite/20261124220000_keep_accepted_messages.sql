-- What a provider took last for a phone, and what before that: a reply answers what can have been
-- read. Old code goes on writing what was claimed last.
ALTER TABLE method_pace ADD COLUMN accepted_us INTEGER;
ALTER TABLE method_pace ADD COLUMN before_us INTEGER;
ALTER TABLE method_pace ADD COLUMN before_ids TEXT NOT NULL DEFAULT '[]';

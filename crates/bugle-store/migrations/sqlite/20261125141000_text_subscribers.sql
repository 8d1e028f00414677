-- Who is told by text proves the number by a code, of which so many tries were made; `link` is the
-- hash of the short address that stands in each text. Texts cost: how many there were is counted by
-- day and by the beginning of the number; the empty one is all of them.
ALTER TABLE subscribers ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE subscribers ADD COLUMN link BLOB;
CREATE UNIQUE INDEX subscribers_link ON subscribers (link) WHERE link IS NOT NULL;

CREATE TABLE subscriber_texts (
    day INTEGER NOT NULL,
    prefix TEXT NOT NULL,
    texts INTEGER NOT NULL,
    PRIMARY KEY (day, prefix)
) STRICT, WITHOUT ROWID;

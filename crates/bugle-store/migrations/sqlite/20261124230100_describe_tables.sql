-- How large each table that grows comes to be, and how many rows have the same beginning of a key.
-- SQLite, which is told nothing, takes ten rows for all that a tenant has, and then reads all of
-- them rather than look up a few by another index. These are no counts but what a statement has to
-- be good for, so that each has one plan from the first row on. Whoever makes an index adds its
-- line.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('objects', 'objects', '100000 1000 100 1'),
    ('objects', 'objects_name', '100000 1000 100 1'),
    ('objects', 'objects_login', '50000 1'),
    ('objects', 'objects_phone', '10000 1'),
    ('audit', 'audit', '100000 1000 1'),
    ('events', 'events', '1000000 10000 1'),
    ('events', 'events_pending', '1000 10 1'),
    ('events', 'events_idempotency', '100000 1000 100 1'),
    ('events', 'events_alert', '1000000 10000 4 1'),
    ('events', 'events_change', '10000 100 10 1'),
    ('events', 'events_request', '100000 1000 4'),
    ('events', 'events_alone', '200000 2000 1'),
    ('requests', 'requests', '1000000 10000 1000 1'),
    ('rejected_requests', 'rejected_requests', '10000 100 10 1'),
    ('keyed_requests', 'keyed_requests', '10000 100 1'),
    ('keyed_requests', 'keyed_requests_begun', '10000 1'),
    ('alerts', 'alerts', '500000 5000 1'),
    ('alerts', 'alerts_open', '10000 100 10 1'),
    ('alerts', 'alerts_due', '10000 100 1'),
    ('alerts', 'alerts_number', '500000 5000 1'),
    ('alerts', 'alerts_key', '500000 5000 500 10 1'),
    ('alerts', 'alerts_status', '500000 5000 1000 1'),
    ('alerts', 'alerts_resolved', '500000 5000 1'),
    ('timeline', 'timeline', '2000000 20000 4 1'),
    ('notifications', 'notifications', '1000000 10000 1'),
    ('notifications', 'notifications_waiting', '10000 5000 100 50 1 noskipscan'),
    ('notifications', 'notifications_sending', '100 1'),
    ('notifications', 'notifications_handed_off', '1000 1'),
    ('notifications', 'notifications_alert', '1000000 10000 4'),
    ('notifications', 'notifications_callback', '500000 1'),
    ('notifications', 'notifications_message', '500000 2'),
    ('notifications', 'notifications_token', '500000 1'),
    ('notifications', 'notifications_unsent', '10000 100 10 1'),
    ('attempts', 'attempts', '1000000 10000 2 1 1');
ANALYZE sqlite_schema;

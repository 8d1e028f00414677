-- SQLite is told here how large tables come to be. PostgreSQL looks for itself, and is asked to look
-- again as a database grows.
SELECT 1;

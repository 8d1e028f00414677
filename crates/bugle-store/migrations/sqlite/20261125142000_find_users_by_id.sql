-- A mail to somebody's own address comes before their tenant is known.
CREATE INDEX objects_user ON objects (id) WHERE kind = 'user';

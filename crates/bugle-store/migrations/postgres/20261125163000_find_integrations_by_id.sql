-- An address for mail names an integration by its id, and its tenant is not known yet.
CREATE INDEX objects_integration ON objects (id) WHERE kind = 'integration';

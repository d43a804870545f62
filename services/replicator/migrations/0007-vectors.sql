-- Where this replica was at a time: what a reading "as of" a time goes by. One row a minute, one an hour after two days, as long as history is kept.
CREATE TABLE replica_vector (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at     timestamptz NOT NULL,
  vector jsonb NOT NULL
);
CREATE INDEX replica_vector_at ON replica_vector (at);

COMMENT ON COLUMN replica_vector.number IS 'while number 1 is here, nothing has been forgotten yet';
COMMENT ON COLUMN replica_vector.vector IS '{"<topic>/<partition>": [generation, next offset]} of the data streams, of one snapshot';

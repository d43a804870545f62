CREATE TABLE heartbeat (
  id     int    PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  number bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE heartbeat IS 'Number of the last heartbeat of this region. One counter for all partitions, so that every 30th is the same one on each.';
INSERT INTO heartbeat DEFAULT VALUES;

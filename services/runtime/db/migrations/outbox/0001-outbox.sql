-- The meeting place of gateway, relay and replicator inside one region's database.

CREATE TABLE outbox_head (
  topic         text   NOT NULL,
  partition     int    NOT NULL,
  next_sequence bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE outbox_head IS 'Next dense sequence per topic-partition. Its row lock makes sequence order commit order.';

CREATE TABLE outbox (
  topic        text        NOT NULL,
  partition    int         NOT NULL,
  sequence     bigint      NOT NULL,
  key          text        NOT NULL,
  value        bytea       NOT NULL,
  type         text        NOT NULL,
  event_id     text,
  subject      text,
  time_ms      bigint      NOT NULL,
  traceparent  text,
  committed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, partition, sequence)
);
ALTER TABLE outbox ALTER COLUMN value SET STORAGE EXTERNAL;
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE relay_position (
  topic         text        NOT NULL,
  partition     int         NOT NULL,
  generation    text,
  last_sequence bigint      NOT NULL DEFAULT -1,
  last_offset   bigint      NOT NULL DEFAULT -1,
  paused_reason text,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, partition)
);
COMMENT ON TABLE relay_position IS 'Highest sequence known to be on the log, written by the relay after the acknowledgement.';

CREATE TABLE sent_range (
  topic          text   NOT NULL,
  partition      int    NOT NULL,
  first_sequence bigint NOT NULL,
  last_sequence  bigint NOT NULL,
  first_offset   bigint NOT NULL,
  PRIMARY KEY (topic, partition, first_sequence)
);
COMMENT ON TABLE sent_range IS 'offset = first_offset + (sequence - first_sequence); neighbouring runs are merged.';

CREATE TABLE shadowed (
  topic           text        NOT NULL,
  partition       int         NOT NULL,
  record_id       text        NOT NULL,
  version         bigint      NOT NULL,
  event_id        text        NOT NULL,
  type            text        NOT NULL,
  subject         text,
  value           bytea       NOT NULL,
  time_ms         bigint      NOT NULL DEFAULT 0,
  detected_offset bigint      NOT NULL,
  queued_sequence bigint,
  at              timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (topic, record_id)
);
COMMENT ON TABLE shadowed IS 'Records of this region whose newest version is not the newest event on the log: compaction would keep the wrong one, so they are published again.';

CREATE TABLE lease (
  name  text        PRIMARY KEY,
  owner text        NOT NULL,
  epoch bigint      NOT NULL,
  until timestamptz NOT NULL
);

-- What this region has published: one row per version, written with its outbox row. The replica is never asked.
CREATE TABLE published (
  topic      text COLLATE "C" NOT NULL,
  record_id  text COLLATE "C" NOT NULL,
  version    bigint      NOT NULL,
  body_hash  bytea       NOT NULL,
  event_id   uuid        NOT NULL,
  partition  integer     NOT NULL,
  sequence   bigint      NOT NULL,
  kind       text        NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, record_id, version)
);

-- Receipts are asked for by event id.
CREATE INDEX published_event_id ON published (event_id);

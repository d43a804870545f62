-- Earlier versions of this region's own records that have ended, as they stood on the log: what the origin alone keeps, outside the digests, for a configured time.
CREATE TABLE archive (
  stream      text   COLLATE "C" NOT NULL,
  record_id   text   COLLATE "C" NOT NULL,
  version     bigint NOT NULL,
  kind        text   NOT NULL,
  event_id    text   NOT NULL,
  body        bytea  NOT NULL,
  archived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, record_id, version)
);
CREATE INDEX archive_by_age ON archive USING brin (archived_at);

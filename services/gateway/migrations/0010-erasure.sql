-- Records of this region that were erased: who had it done, and why. Nothing of what was erased.
CREATE TABLE erasure (
  topic     text   COLLATE "C" NOT NULL,
  record_id text   COLLATE "C" NOT NULL,
  version   bigint NOT NULL,
  event_id  uuid   NOT NULL,
  caller    text   NOT NULL,
  why       text   NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, record_id, version)
);

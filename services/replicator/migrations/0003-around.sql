-- Superseded versions: current from from_offset up to and without to_offset of their partition.
CREATE TABLE history (
  stream      text COLLATE "C" NOT NULL,
  region      text COLLATE "C" NOT NULL,
  record_id   text COLLATE "C" NOT NULL,
  from_offset bigint NOT NULL,
  to_offset   bigint NOT NULL,
  partition   int NOT NULL,
  version     bigint NOT NULL,
  kind        text NOT NULL,
  ended       boolean NOT NULL,
  event_id    text NOT NULL,
  change_no   bigint,
  body        bytea NOT NULL,
  superseded_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (stream, region, record_id, from_offset)
);
CREATE INDEX history_by_age ON history USING brin (superseded_at);
COMMENT ON COLUMN history.change_no IS 'null for versions folded inside one transaction: the change feed never had them';

-- Bad events. Their bytes stay in the log.
CREATE TABLE parked (
  topic      text COLLATE "C" NOT NULL,
  partition  int NOT NULL,
  log_offset bigint NOT NULL,
  key        text COLLATE "C" NOT NULL,
  subject    text,
  reason     text NOT NULL,
  hash_hi    bigint NOT NULL,
  hash_lo    bigint NOT NULL,
  sequence   bigint,
  parked_at  timestamptz NOT NULL DEFAULT now(),
  buried_by  bigint,
  published  boolean NOT NULL DEFAULT false,
  PRIMARY KEY (topic, partition, log_offset)
);
CREATE INDEX parked_open ON parked (topic, partition, key) WHERE buried_by IS NULL;
CREATE INDEX parked_unpublished ON parked (topic, partition, log_offset) WHERE NOT published;
COMMENT ON COLUMN parked.buried_by IS 'offset of the next event of the same key: from then on compaction may remove this one, and it leaves the parked digest';

-- How far each region has come, as its newest Position says, this one included.
CREATE TABLE region_position (
  region      text COLLATE "C" NOT NULL,
  topic       text COLLATE "C" NOT NULL,
  partition   int NOT NULL,
  generation  text NOT NULL,
  next_offset bigint NOT NULL,
  parked_open bigint NOT NULL,
  version     bigint NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (region, topic, partition)
) WITH (fillfactor = 50);

-- Since when each region has had an offset of this region's own topics: the oldest row above it answers.
-- It has the moves that passed an event; after an hour one per minute.
CREATE TABLE position_log (
  topic       text COLLATE "C" NOT NULL,
  partition   int NOT NULL,
  region      text COLLATE "C" NOT NULL,
  next_offset bigint NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (topic, partition, region, next_offset)
);

-- What each region said its replica was at a given offset; this replica's own until they are published.
CREATE TABLE checkpoint (
  region        text COLLATE "C" NOT NULL,
  topic         text COLLATE "C" NOT NULL,
  partition     int NOT NULL,
  generation    text NOT NULL,
  next_offset   bigint NOT NULL,
  digest        bytea NOT NULL,
  parked_digest bytea NOT NULL,
  at            timestamptz NOT NULL,
  version       bigint NOT NULL DEFAULT 0,
  published     boolean NOT NULL DEFAULT true,
  PRIMARY KEY (region, topic, partition, generation, next_offset)
);
CREATE INDEX checkpoint_by_age ON checkpoint USING brin (at);
CREATE INDEX checkpoint_unpublished ON checkpoint (topic, partition) WHERE NOT published;

-- Events of this region's own topics that a region parked, as that region published it.
CREATE TABLE region_parked (
  region     text COLLATE "C" NOT NULL,
  topic      text COLLATE "C" NOT NULL,
  partition  int NOT NULL,
  log_offset bigint NOT NULL,
  key        text NOT NULL,
  reason     text NOT NULL,
  at         timestamptz NOT NULL,
  PRIMARY KEY (topic, partition, log_offset, region)
);

-- One row: the version of the newest Position or Checkpoint this replica published.
CREATE TABLE publication (
  id      int PRIMARY KEY CHECK (id = 1),
  version bigint NOT NULL DEFAULT 0
);
INSERT INTO publication (id) VALUES (1);

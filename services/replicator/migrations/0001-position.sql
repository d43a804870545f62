-- One row: who applies, and under which epoch. Every transaction of the applier begins by updating it.
CREATE TABLE applier (
  id          int PRIMARY KEY CHECK (id = 1),
  replica_id  uuid NOT NULL DEFAULT gen_random_uuid(),
  epoch       bigint NOT NULL DEFAULT 0,
  owner       text,
  lease_until timestamptz NOT NULL DEFAULT '-infinity',
  next_change bigint NOT NULL DEFAULT 1
);
INSERT INTO applier (id) VALUES (1);

-- Position, counters and digests of one partition move together by compare-and-set on next_offset.
CREATE TABLE consumer_offset (
  topic              text COLLATE "C" NOT NULL,
  partition          int  NOT NULL,
  region             text NOT NULL,
  stream             text NOT NULL,
  generation         text NOT NULL,
  first_offset       bigint NOT NULL,
  next_offset        bigint NOT NULL,
  applied            bigint NOT NULL DEFAULT 0,
  duplicate          bigint NOT NULL DEFAULT 0,
  stale              bigint NOT NULL DEFAULT 0,
  folded             bigint NOT NULL DEFAULT 0,
  parked             bigint NOT NULL DEFAULT 0,
  control            bigint NOT NULL DEFAULT 0,
  absent             bigint NOT NULL DEFAULT 0,
  records            bigint NOT NULL DEFAULT 0,
  ended_records      bigint NOT NULL DEFAULT 0,
  digest_hi          bigint NOT NULL DEFAULT 0,
  digest_lo          bigint NOT NULL DEFAULT 0,
  parked_open        bigint NOT NULL DEFAULT 0,
  parked_hi          bigint NOT NULL DEFAULT 0,
  parked_lo          bigint NOT NULL DEFAULT 0,
  complete_from      bigint NOT NULL DEFAULT 0,
  last_sequence      bigint NOT NULL DEFAULT -1,
  last_event         bigint NOT NULL DEFAULT -1,
  heartbeat_number       bigint,
  heartbeat_committed_ms bigint,
  heartbeat_delay_ms     bigint,
  log_end            bigint NOT NULL DEFAULT 0,
  moved_at           timestamptz NOT NULL DEFAULT now(),
  paused_reason      text,
  paused_at          timestamptz,
  PRIMARY KEY (topic, partition),
  CONSTRAINT every_event_in_one_class CHECK
    (next_offset - first_offset = applied + duplicate + stale + folded + parked + control + absent)
) WITH (fillfactor = 50);

COMMENT ON COLUMN consumer_offset.folded IS 'superseded inside its own transaction: into history, without a change number';
COMMENT ON COLUMN consumer_offset.absent IS 'offsets that compaction removed';
COMMENT ON COLUMN consumer_offset.complete_from IS 'below this offset superseded versions are missing here';
COMMENT ON COLUMN consumer_offset.last_event IS 'offset of the newest event that is not a control record';
COMMENT ON COLUMN consumer_offset.parked_open IS 'parked events that are the newest of their key on the log; parked_hi and parked_lo are their digest';

CREATE VIEW partition_state AS
SELECT topic, partition, region, stream, generation, first_offset, next_offset, log_end AS high_watermark,
       greatest(log_end - next_offset, 0) AS lag,
       applied, duplicate, stale, folded, parked, control, absent, records, ended_records, parked_open,
       encode(int8send(digest_hi) || int8send(digest_lo), 'hex') AS digest,
       encode(int8send(parked_hi) || int8send(parked_lo), 'hex') AS parked_digest,
       complete_from, last_sequence, heartbeat_number,
       to_timestamp(heartbeat_committed_ms / 1000.0) AS heartbeat_at, heartbeat_delay_ms, moved_at, paused_reason, paused_at
  FROM consumer_offset;

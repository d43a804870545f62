-- As of when a partition lacked nothing older, on this database's clock: see Freshness of the schemas. Null before that is known.
ALTER TABLE consumer_offset ADD COLUMN fresh_at timestamptz;

CREATE OR REPLACE VIEW partition_state AS
SELECT topic, partition, region, stream, generation, first_offset, next_offset, log_end AS high_watermark,
       greatest(log_end - next_offset, 0) AS lag,
       applied, duplicate, stale, folded, parked, control, absent, records, ended_records, parked_open,
       encode(int8send(digest_hi) || int8send(digest_lo), 'hex') AS digest,
       encode(int8send(parked_hi) || int8send(parked_lo), 'hex') AS parked_digest,
       complete_from, last_sequence, heartbeat_number,
       to_timestamp(heartbeat_committed_ms / 1000.0) AS heartbeat_at, heartbeat_delay_ms, moved_at, paused_reason, paused_at, fresh_at
  FROM consumer_offset;

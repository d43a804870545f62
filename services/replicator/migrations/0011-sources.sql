-- What each region says of its source systems; the newest version of each.
CREATE TABLE source_status (
  region          text COLLATE "C" NOT NULL,
  source          text COLLATE "C" NOT NULL,
  version         bigint NOT NULL,
  declared        boolean NOT NULL,
  declared_since  timestamptz NOT NULL,
  owner           text NOT NULL,
  duty_line       text NOT NULL,
  caller          text NOT NULL,
  streams         text[] NOT NULL,
  mode            text NOT NULL,
  cadence_seconds bigint NOT NULL,
  version_rule    text NOT NULL,
  PRIMARY KEY (region, source)
);

-- Hand-overs that this replica has not seen whole yet, and the newest that it has: a new one does not make the source older while its events are on their way.
CREATE TABLE source_hand_over (
  region            text COLLATE "C" NOT NULL,
  source            text COLLATE "C" NOT NULL,
  hand_over_id      text COLLATE "C" NOT NULL,
  at                timestamptz NOT NULL,
  rows              bigint,
  way               text NOT NULL,
  baseline_complete_at timestamptz,
  partitions        jsonb NOT NULL,
  PRIMARY KEY (region, source, at, hand_over_id)
);

COMMENT ON COLUMN source_hand_over.partitions IS '[{topic, partition, sequence}]';

-- A hand-over counts once every partition that it names has been applied here up to the sequence that it names.
CREATE VIEW hand_over_state AS
SELECT h.*, NOT EXISTS (
         SELECT FROM jsonb_to_recordset(h.partitions) AS need (topic text, partition int, sequence bigint)
           LEFT JOIN consumer_offset o ON o.topic = need.topic AND o.partition = need.partition
          WHERE coalesce(o.last_sequence, -1) < need.sequence) AS counted
  FROM source_hand_over h;

CREATE VIEW source_freshness AS
SELECT s.region, s.source, s.owner, s.duty_line AS contact, s.caller, s.streams, s.mode, s.cadence_seconds, s.version_rule, s.declared_since,
       l.hand_over_id AS last_hand_over, l.at AS last_hand_over_at, l.rows AS last_hand_over_rows, l.way AS last_hand_over_way,
       l.baseline_complete_at IS NOT NULL AS baseline_complete, l.baseline_complete_at,
       p.since IS NULL AS counted, p.since AS pending_since,
       coalesce(p.at, l.at, s.declared_since) + make_interval(secs => s.cadence_seconds) AS due_at,
       coalesce(p.at, l.at, s.declared_since) + make_interval(secs => s.cadence_seconds) < now() AS overdue
  FROM source_status s
  LEFT JOIN LATERAL (SELECT * FROM hand_over_state h WHERE h.region = s.region AND h.source = s.source AND h.counted ORDER BY h.at DESC, h.hand_over_id DESC LIMIT 1) l ON true
  LEFT JOIN LATERAL (SELECT min(at) AS since, max(at) AS at FROM hand_over_state h WHERE h.region = s.region AND h.source = s.source AND NOT h.counted) p ON true
 WHERE s.declared;
COMMENT ON VIEW source_freshness IS 'last_hand_over is the newest that this replica has seen whole; counted is false while a newer one is on its way, since pending_since';
COMMENT ON COLUMN source_freshness.due_at IS 'when the office owes the next hand-over, whether or not the last one has been seen whole here; of a source that never handed over, counted from its declaration';

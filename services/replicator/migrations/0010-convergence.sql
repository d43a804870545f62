-- Whether the replicas are the same, partition by partition: what their checkpoints say, as far as this replica has heard of them.
CREATE TABLE convergence (
  topic       text COLLATE "C" NOT NULL,
  partition   int NOT NULL,
  verdict     text NOT NULL,
  reason      text,
  next_offset bigint,
  as_of       timestamptz,
  since       timestamptz NOT NULL,
  equal_since timestamptz,
  regions     jsonb NOT NULL,
  checked_at  timestamptz NOT NULL,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
COMMENT ON COLUMN convergence.next_offset IS 'the newest offset that the verdict compares; null where there is none yet';
COMMENT ON COLUMN convergence.equal_since IS 'since when nothing that could be compared differed; a replica that falls behind does not end it';
COMMENT ON COLUMN convergence.regions IS '[{region, nextOffset, at, digest, parkedDigest}]: each region''s newest checkpoint, and its digests at next_offset';

-- The last pass of the scrubber over each partition of this replica.
CREATE TABLE scrub (
  topic       text COLLATE "C" NOT NULL,
  partition   int NOT NULL,
  at          timestamptz NOT NULL,
  next_offset bigint NOT NULL,
  rows        bigint NOT NULL,
  ms          int NOT NULL,
  result      text NOT NULL CHECK (result IN ('equal', 'repaired', 'different')),
  reason      text,
  findings    jsonb NOT NULL DEFAULT '[]',
  since       timestamptz,
  PRIMARY KEY (topic, partition)
);
COMMENT ON COLUMN scrub.findings IS 'what differed from the log, the first of them: record, fields, both values where they may be shown';
COMMENT ON COLUMN scrub.since IS 'since when passes end as different; null otherwise';

-- What an operator asked the scrubber of this replica for; the process that applies does it.
CREATE TABLE scrub_request (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind         text NOT NULL CHECK (kind IN ('scrub', 'repair')),
  topic        text COLLATE "C",
  partition    int,
  who          text NOT NULL,
  why          text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz,
  outcome      jsonb
);
CREATE INDEX scrub_request_open ON scrub_request (id) WHERE finished_at IS NULL;

-- Every act that changed what the log alone would have made of this replica: who, what, why, when.
CREATE TABLE audit (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at     timestamptz NOT NULL DEFAULT now(),
  who    text NOT NULL,
  what   text NOT NULL,
  target text NOT NULL,
  why    text NOT NULL,
  detail jsonb NOT NULL
);
CREATE INDEX audit_by_target ON audit (target, number);

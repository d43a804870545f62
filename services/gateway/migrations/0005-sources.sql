-- The source systems of this region as they were last declared and published, and their last complete hand-over.
CREATE TABLE declared_source (
  id                   text COLLATE "C" PRIMARY KEY,
  version              bigint NOT NULL,
  declaration          jsonb NOT NULL,
  declared             boolean NOT NULL,
  declared_since       timestamptz NOT NULL,
  baseline_complete_at timestamptz,
  last_hand_over       text COLLATE "C"
);
COMMENT ON COLUMN declared_source.declared IS 'false once sources.yaml no longer has it';

-- Hand-overs, so that one that is told twice counts once. Kept for 400 days, and the last of each source for ever.
CREATE TABLE hand_over (
  source     text COLLATE "C" NOT NULL REFERENCES declared_source,
  id         text COLLATE "C" NOT NULL,
  at         timestamptz NOT NULL,
  caller     text COLLATE "C" NOT NULL,
  rows       bigint,
  way        text NOT NULL CHECK (way IN ('import', 'api')),
  baseline   boolean NOT NULL,
  partitions jsonb NOT NULL,
  PRIMARY KEY (source, id)
);
COMMENT ON COLUMN hand_over.partitions IS '[{topic, partition, lastSequence}]: all that the source had written stands at or below';

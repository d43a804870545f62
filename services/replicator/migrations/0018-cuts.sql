-- Where the origins cut their partitions for joint announcements, and what the counts were there: copied by the transaction that applies the first marker.
CREATE TABLE cut (
  number        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  campaign      text COLLATE "C" NOT NULL,
  year          int NOT NULL,
  region        text COLLATE "C" NOT NULL,
  stream        text COLLATE "C" NOT NULL,
  topic         text COLLATE "C" NOT NULL,
  partition     int NOT NULL,
  generation    text NOT NULL,
  log_offset    bigint NOT NULL,
  cut_at        timestamptz NOT NULL,
  first_day     date NOT NULL,
  last_day      date NOT NULL,
  demo          boolean NOT NULL,
  sources       jsonb NOT NULL,
  parked        bigint NOT NULL,
  parked_digest bytea NOT NULL,
  whole         boolean NOT NULL,
  repeated      int NOT NULL DEFAULT 0,
  applied_at    timestamptz NOT NULL DEFAULT now(),
  UNIQUE (campaign, year, topic, partition)
);
COMMENT ON COLUMN cut.whole IS 'false where compaction had taken versions that were current at the marker before this replica read them: the copy says nothing then';
COMMENT ON COLUMN cut.repeated IS 'later markers of the same announcement, which change nothing';
COMMENT ON COLUMN cut.sources IS '[{source, owner, baselineComplete, lastHandOver: ms UTC}] of the region, as the marker states them';

CREATE TABLE cut_complaint_day (
  cut           bigint NOT NULL REFERENCES cut ON DELETE CASCADE,
  day           date NOT NULL,
  state         text COLLATE "C" NOT NULL,
  outcome       text COLLATE "C" NOT NULL,
  online        text COLLATE "C" NOT NULL,
  n             bigint NOT NULL,
  recovered_fen numeric NOT NULL
);
CREATE INDEX cut_complaint_day_of ON cut_complaint_day (cut);

CREATE TABLE cut_complaint_class_day (
  cut       bigint NOT NULL REFERENCES cut ON DELETE CASCADE,
  day       date NOT NULL,
  dimension text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  code      text COLLATE "C" NOT NULL,
  received  bigint NOT NULL,
  counted   bigint NOT NULL,
  accepted  bigint NOT NULL
);
CREATE INDEX cut_complaint_class_day_of ON cut_complaint_class_day (cut);

CREATE TABLE cut_trader_day (
  cut        bigint NOT NULL REFERENCES cut ON DELETE CASCADE,
  day        date NOT NULL,
  uscc       text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  counted    bigint NOT NULL,
  accepted   bigint NOT NULL,
  settled    bigint NOT NULL,
  terminated bigint NOT NULL
);
CREATE INDEX cut_trader_day_of ON cut_trader_day (cut);

CREATE TABLE cut_tally_day (
  cut        bigint NOT NULL REFERENCES cut ON DELETE CASCADE,
  day        date NOT NULL,
  tally_type text COLLATE "C" NOT NULL,
  n          bigint NOT NULL
);
CREATE INDEX cut_tally_day_of ON cut_tally_day (cut);

-- What each region does in a joint announcement, as it says it in its own topic.
CREATE TABLE announcement_act (
  campaign   text COLLATE "C" NOT NULL,
  year       int NOT NULL,
  region     text COLLATE "C" NOT NULL,
  number     int NOT NULL,
  edition    int NOT NULL,
  at         timestamptz NOT NULL,
  says       text NOT NULL,
  body       text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (campaign, year, region, number)
);
COMMENT ON COLUMN announcement_act.body IS 'canonical JSON; of two events with one number the first stands';

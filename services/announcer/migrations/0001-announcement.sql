-- What this region has taken up, planned or asked for. Who inserts or changes a row has claimed that step: two announcers do it once.
CREATE TABLE announcement (
  campaign  text COLLATE "C" NOT NULL,
  year      int NOT NULL,
  demo      boolean NOT NULL,
  asked_by  text,
  opened_at timestamptz NOT NULL DEFAULT now(),
  cut_at    timestamptz,
  scrub     jsonb,
  clean_at  timestamptz,
  PRIMARY KEY (campaign, year)
);
COMMENT ON COLUMN announcement.asked_by IS 'the caller that had it run; null = its time had come';
COMMENT ON COLUMN announcement.cut_at IS 'when this region wrote its markers';
COMMENT ON COLUMN announcement.scrub IS '{requests: [scrub_request.id], askedAt, outcome}: the pass over the cut partitions that its signature rests on';

-- The plans of every year with a notice, to tell when one moves.
CREATE TABLE announcement_plan (
  campaign text COLLATE "C" NOT NULL,
  year     int NOT NULL,
  plan     jsonb NOT NULL,
  before   jsonb,
  moved_at timestamptz,
  PRIMARY KEY (campaign, year)
);

-- What this region said, in the order of its numbers; one act of a kind about one thing.
CREATE TABLE own_announcement_act (
  campaign text COLLATE "C" NOT NULL,
  year     int NOT NULL,
  number   int NOT NULL,
  edition  int NOT NULL,
  says     text NOT NULL,
  about    text NOT NULL,
  at       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (campaign, year, number),
  UNIQUE (campaign, year, edition, says, about)
);

-- Who approved and who looked a second time. It stays here: the others learn the number.
CREATE TABLE announcement_approval (
  campaign  text COLLATE "C" NOT NULL,
  year      int NOT NULL,
  edition   int NOT NULL,
  content   text NOT NULL,
  first_by  text NOT NULL,
  first_at  timestamptz NOT NULL DEFAULT now(),
  second_by text CHECK (second_by <> first_by),
  second_at timestamptz,
  PRIMARY KEY (campaign, year, edition, content)
);
COMMENT ON COLUMN announcement_approval.content IS 'the digests that were approved';

-- Published files, byte for byte.
CREATE TABLE announcement_edition (
  campaign     text COLLATE "C" NOT NULL,
  year         int NOT NULL,
  edition      int NOT NULL,
  kind         text NOT NULL,
  demo         boolean NOT NULL,
  title        text NOT NULL,
  published_at timestamptz NOT NULL DEFAULT now(),
  file         text NOT NULL,
  names_until  date,
  PRIMARY KEY (campaign, year, edition)
);

-- The firms that an announcement names, once the copies of all its partitions are added up: a million rows with five million complaints.
ALTER TABLE cut ADD COLUMN recopied int NOT NULL DEFAULT 0;
COMMENT ON COLUMN cut.recopied IS 'how often a repair put other counts into its copies';

CREATE TABLE cut_trader_list (
  campaign text COLLATE "C" NOT NULL,
  year     int NOT NULL,
  cut_at   timestamptz NOT NULL,
  of       text COLLATE "C" NOT NULL,
  traders  text NOT NULL,
  PRIMARY KEY (campaign, year)
);
COMMENT ON COLUMN cut_trader_list.of IS 'the copies and the bounds that it was made from: whoever asks for others makes it anew';
COMMENT ON COLUMN cut_trader_list.traders IS 'JSON array, in the order of the list';
-- Compressing megabytes takes longer than reading them.
ALTER TABLE cut_trader_list ALTER COLUMN traders SET STORAGE EXTERNAL;

-- What was said of events that `published` does not tell: refusals, duplicates, stale and conflicting ones, and the flags of accepted ones (their id is then
-- the event's). Never a value of the event. Kept for 90 days.
CREATE TABLE verdict (
  id        uuid   PRIMARY KEY,
  stream    text   COLLATE "C" NOT NULL,
  source    text   COLLATE "C",
  caller    text   COLLATE "C" NOT NULL,
  request   uuid   NOT NULL,
  outcome   text   NOT NULL,
  record_id text   COLLATE "C",
  version   bigint,
  event_id  uuid,
  line      int,
  index     int,
  flags     text,
  problems  text
);
COMMENT ON COLUMN verdict.id IS 'UUID v7, so that its order is the order in time and nothing else needs an index';
COMMENT ON COLUMN verdict.source IS 'source system of the record; null where it could not be read or is not the caller''s: then the row is the caller''s alone';
COMMENT ON COLUMN verdict.event_id IS 'of a duplicate, the event that was published first';
COMMENT ON COLUMN verdict.flags IS 'codes, one space between';
COMMENT ON COLUMN verdict.problems IS 'one `rule field` a line, the first ten';

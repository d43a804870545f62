-- The change feed merges current rows and superseded versions by change number.
CREATE UNIQUE INDEX history_changes ON history (stream, change_no) WHERE change_no IS NOT NULL;

-- The newest change number of a time, one row an hour. Below the oldest row's number the feed is no longer whole.
CREATE TABLE change_mark (
  at        timestamptz NOT NULL,
  change_no bigint NOT NULL
);
INSERT INTO change_mark SELECT coalesce(min(superseded_at), now()), 0 FROM history;

-- A partition that is cleared to be replayed from its log: until its row is gone nothing is applied to it, whoever holds the lease.
ALTER TABLE consumer_offset ADD COLUMN clearing boolean NOT NULL DEFAULT false;

ALTER TABLE scrub_request DROP CONSTRAINT scrub_request_kind_check,
  ADD CHECK (kind IN ('scrub', 'repair', 'rebuild')),
  ADD COLUMN progress jsonb;
COMMENT ON COLUMN scrub_request.progress IS 'of a rebuild: the partition that is cleared now, and the rows that are gone of it';

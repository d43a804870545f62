-- Acts of the hub itself (an expiry, an erasure, an import taken back) take a version that the record's source does not know of: what the source calls a version is kept beside.
ALTER TABLE published ADD COLUMN source_version bigint, ADD COLUMN own boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN published.source_version IS 'number in the source''s own count; null where it is version; 0 where all that the source said was taken back';
COMMENT ON COLUMN published.own IS 'an act of the hub, not of the source';

UPDATE published p SET own = true, source_version = 0 FROM import i WHERE i.id = p.import_id AND i.state = 'reverted' AND p.kind = 'void';

-- What a complete list does not name any more, and whether a person has said that it has ended.
ALTER TABLE import ADD COLUMN absent bigint, ADD COLUMN absence_confirmed boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN import.absent IS 'of a complete list: records that it does not name, ended or waiting for a person; null of any other file';

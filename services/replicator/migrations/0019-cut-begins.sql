-- Where the data of a partition begin: what begins later than a window cannot be compared with it.
ALTER TABLE cut ADD COLUMN begins date;
COMMENT ON COLUMN cut.begins IS 'the first day that the partition counts anything on, whatever the announcement needs';

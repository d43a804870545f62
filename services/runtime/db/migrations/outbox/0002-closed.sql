-- Nothing is written behind a closed head: this database was restored to an earlier state than its own logs, and what it would decide is not to be trusted.
ALTER TABLE outbox_head ADD COLUMN closed text;
COMMENT ON COLUMN outbox_head.closed IS 'why nobody may write; null as a rule';

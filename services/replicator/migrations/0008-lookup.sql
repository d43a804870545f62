-- Everything about one firm, in the order in which lists are paged. Partial: most complaints name no credit code.
CREATE INDEX complaint_by_uscc ON complaint (uscc, region, record_id) WHERE uscc IS NOT NULL;
CREATE INDEX credit_blacklist_by_uscc ON credit_blacklist (uscc, region, record_id) WHERE uscc IS NOT NULL;
CREATE INDEX inspection_failure_by_uscc ON inspection_failure (uscc, region, record_id) WHERE uscc IS NOT NULL;
CREATE INDEX inspection_failure_by_producer ON inspection_failure (producer_uscc, region, record_id) WHERE producer_uscc IS NOT NULL;
CREATE INDEX recall_by_uscc ON recall (uscc, region, record_id) WHERE uscc IS NOT NULL;

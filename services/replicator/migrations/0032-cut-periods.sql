-- Days that no figure tells apart are copied as one.
ALTER TABLE cut ADD COLUMN periods jsonb NOT NULL DEFAULT '[]', ADD COLUMN traders_from date;
COMMENT ON COLUMN cut.periods IS '[{firstDay, lastDay}], each copied under its first day; none = each day alone';
COMMENT ON COLUMN cut.traders_from IS 'from here to last_day the counts of a trader are copied as one, under this day; null = each day alone';

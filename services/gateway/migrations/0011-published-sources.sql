-- After their topic was created anew the sources are published once more, whether or not they say anything new.
ALTER TABLE declared_source ADD COLUMN published boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN declared_source.published IS 'false while the log lacks what is declared';

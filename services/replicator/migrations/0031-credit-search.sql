-- The credit lookup's search by name: width, case, spaces, brackets and punctuation do not matter.
CREATE FUNCTION hub_name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
$$ SELECT upper(regexp_replace(normalize(name, NFKC), '[[:space:][:punct:]、。·・“”‘’《》〈〉【】〔〕「」『』—…]', '', 'g')) $$;

-- Partial: nothing of an ended record is found, and most records name no registration number.
CREATE INDEX credit_blacklist_by_name ON credit_blacklist ((hub_name_key(name) COLLATE "C")) WHERE name IS NOT NULL;
CREATE INDEX credit_blacklist_by_reg_no ON credit_blacklist (reg_no) WHERE reg_no IS NOT NULL;

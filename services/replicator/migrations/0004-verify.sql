-- The first 16 bytes of SHA-256 over record id (UTF-8), a zero byte, version (big-endian) and the wire value: recordHash of the schemas.
CREATE FUNCTION hub_record_hash(record_id text, version bigint, body bytea) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE
RETURN substring(sha256(convert_to(record_id, 'UTF8') || '\x00'::bytea || int8send(version) || body) FROM 1 FOR 16);

-- Every partition of the data streams as its rows say it is, beside what was kept with every transaction; one statement, one snapshot.
CREATE FUNCTION hub_verify()
RETURNS TABLE (topic text, partition int, next_offset bigint, records bigint, digest text, kept_digest text, parked_digest text)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
  WITH hashes AS (
    SELECT 'complaint' AS stream, r.region, r.partition, hub_record_hash(r.record_id, r.version, r.body) AS hash FROM complaint r
    UNION ALL
    SELECT 'credit-blacklist', r.region, r.partition, hub_record_hash(r.record_id, r.version, r.body) FROM credit_blacklist r
    UNION ALL
    SELECT 'inspection-failure', r.region, r.partition, hub_record_hash(r.record_id, r.version, r.body) FROM inspection_failure r
    UNION ALL
    SELECT 'recall', r.region, r.partition, hub_record_hash(r.record_id, r.version, r.body) FROM recall r
    UNION ALL
    SELECT 'tally', r.region, r.partition, hub_record_hash(r.record_id, r.version, r.body) FROM tally r
  ), recount AS (
    SELECT h.stream, h.region, h.partition, count(*) AS records,
           bit_xor(substring(h.hash FROM 1 FOR 8)::bigint) AS hi, bit_xor(substring(h.hash FROM 9 FOR 8)::bigint) AS lo
      FROM hashes h GROUP BY h.stream, h.region, h.partition
  )
  SELECT o.topic, o.partition, o.next_offset, coalesce(c.records, 0),
         encode(int8send(coalesce(c.hi, 0)) || int8send(coalesce(c.lo, 0)), 'hex'),
         encode(int8send(o.digest_hi) || int8send(o.digest_lo), 'hex'),
         encode(int8send(o.parked_hi) || int8send(o.parked_lo), 'hex')
    FROM consumer_offset o
    LEFT JOIN recount c ON c.stream = o.stream AND c.region = o.region AND c.partition = o.partition
   WHERE o.stream IN ('complaint', 'credit-blacklist', 'inspection-failure', 'recall', 'tally')
   ORDER BY o.topic, o.partition;
END;

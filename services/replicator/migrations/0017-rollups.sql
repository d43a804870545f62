ALTER TABLE complaint ADD COLUMN entity_type text, ADD COLUMN online boolean;

-- Counts of the current rows, kept with them in the same transaction (ROLLUPS of the schemas): always what the views below count anew.
CREATE TABLE complaint_day (
  region        text COLLATE "C" NOT NULL,
  partition     int NOT NULL,
  day           date NOT NULL,
  state         text COLLATE "C" NOT NULL,
  outcome       text COLLATE "C" NOT NULL,
  online        text COLLATE "C" NOT NULL,
  n             bigint NOT NULL,
  recovered_fen numeric NOT NULL,
  PRIMARY KEY (region, partition, day, state, outcome, online)
) WITH (fillfactor = 80);
COMMENT ON TABLE complaint_day IS 'an empty text = the record does not say';

CREATE TABLE complaint_class_day (
  region    text COLLATE "C" NOT NULL,
  partition int NOT NULL,
  day       date NOT NULL,
  dimension text COLLATE "C" NOT NULL,
  kind      text COLLATE "C" NOT NULL,
  code      text COLLATE "C" NOT NULL,
  received  bigint NOT NULL,
  counted   bigint NOT NULL,
  accepted  bigint NOT NULL,
  PRIMARY KEY (region, partition, day, dimension, kind, code)
) WITH (fillfactor = 80);

CREATE TABLE trader_day (
  region     text COLLATE "C" NOT NULL,
  partition  int NOT NULL,
  day        date NOT NULL,
  uscc       text COLLATE "C" NOT NULL,
  name       text COLLATE "C" NOT NULL,
  counted    bigint NOT NULL,
  accepted   bigint NOT NULL,
  settled    bigint NOT NULL,
  terminated bigint NOT NULL,
  PRIMARY KEY (region, partition, day, uscc, name)
) WITH (fillfactor = 80);

CREATE TABLE tally_day (
  region     text COLLATE "C" NOT NULL,
  partition  int NOT NULL,
  day        date NOT NULL,
  tally_type text COLLATE "C" NOT NULL,
  n          bigint NOT NULL,
  PRIMARY KEY (region, partition, day, tally_type)
) WITH (fillfactor = 80);

-- The same from the rows.
CREATE VIEW complaint_counting AS
SELECT region, partition, registered_on AS day, kind, coalesce(state, '') AS state, coalesce(mediation_outcome, '') AS outcome,
       CASE online WHEN true THEN 'yes' WHEN false THEN 'no' ELSE '' END AS online, coalesce(recovered_fen, 0)::numeric AS recovered_fen,
       coalesce(object_kind, '') AS object_kind, coalesce(object_class, '') AS object_class, coalesce(issue, '') AS issue, coalesce(channel, '') AS channel,
       uscc, coalesce(trader_name, '') AS name,
       state <> ALL ('{received,transferred,""}') AS counted, state <> ALL ('{received,transferred,refused,""}') AS accepted,
       uscc IS NOT NULL AND kind <> 'withdrawal' AND uscc NOT LIKE '92%' AND entity_type IS DISTINCT FROM 'sole-trader' AND entity_type IS DISTINCT FROM 'individual'
         AND coalesce(publication, '') <> ALL ('{withdrawn,expired,not-publishable}') AS named
  FROM complaint WHERE kind <> 'void' AND registered_on IS NOT NULL;

CREATE VIEW complaint_day_recount AS
SELECT region, partition, day, state, outcome, online, count(*) AS n, sum(recovered_fen) AS recovered_fen
  FROM complaint_counting GROUP BY region, partition, day, state, outcome, online;

CREATE VIEW complaint_class_day_recount AS
SELECT region, partition, day, d.dimension, d.kind, d.code, count(*) AS received, count(*) FILTER (WHERE counted) AS counted, count(*) FILTER (WHERE accepted) AS accepted
  FROM complaint_counting
 CROSS JOIN LATERAL (VALUES ('object', object_kind, object_class), ('issue', '', issue), ('channel', '', channel)) AS d (dimension, kind, code)
 GROUP BY region, partition, day, d.dimension, d.kind, d.code;

CREATE VIEW trader_day_recount AS
SELECT region, partition, day, uscc, name, count(*) AS counted, count(*) FILTER (WHERE accepted) AS accepted,
       count(*) FILTER (WHERE outcome = 'settled') AS settled, count(*) FILTER (WHERE outcome = 'terminated') AS terminated
  FROM complaint_counting WHERE counted AND named GROUP BY region, partition, day, uscc, name;

CREATE VIEW tally_day_recount AS
SELECT region, partition, day, coalesce(tally_type, '') AS tally_type, sum(count)::bigint AS n
  FROM tally WHERE kind <> 'void' AND day IS NOT NULL AND count IS NOT NULL GROUP BY region, partition, day, coalesce(tally_type, '') HAVING sum(count) <> 0;

-- Built from the rows that are here, while nobody can write any. Who applied so far knows nothing of them: the epoch moves on.
UPDATE applier SET epoch = epoch + 1, owner = NULL, lease_until = '-infinity';
LOCK TABLE complaint, tally IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO complaint_day SELECT * FROM complaint_day_recount;
INSERT INTO complaint_class_day SELECT * FROM complaint_class_day_recount;
INSERT INTO trader_day SELECT * FROM trader_day_recount;
INSERT INTO tally_day SELECT * FROM tally_day_recount;

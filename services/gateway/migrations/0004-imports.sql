-- Files that were handed over, and what became of their rows. Never a value of a file.
CREATE TABLE import (
  id          uuid    PRIMARY KEY,
  source      text    COLLATE "C" NOT NULL,
  caller      text    COLLATE "C" NOT NULL,
  authorities text[]  NOT NULL,
  gateway     text    COLLATE "C" NOT NULL,
  file        text    NOT NULL,
  sha256      bytea   NOT NULL,
  bytes       bigint  NOT NULL,
  encoding    text,
  delimiter   text,
  dry_run     boolean NOT NULL,
  shape       text,
  confirmed   boolean NOT NULL,
  recognised  json,
  mapping     text,
  state       text    NOT NULL CHECK (state IN ('received', 'running', 'waiting-confirmation', 'done', 'failed', 'reverting', 'reverted')),
  position    bigint  NOT NULL DEFAULT 0,
  figures     json,
  repeats     uuid,
  problem     text,
  received    timestamptz NOT NULL DEFAULT clock_timestamp(),
  started     timestamptz,
  ended       timestamptz
);
CREATE INDEX import_source ON import (source, id);
CREATE INDEX import_open ON import (id) WHERE state IN ('received', 'running', 'waiting-confirmation', 'reverting');
COMMENT ON COLUMN import.id IS 'UUID v7';
COMMENT ON COLUMN import.authorities IS 'that its caller might publish for when it was handed over';
COMMENT ON COLUMN import.gateway IS 'whose folder has the file';
COMMENT ON COLUMN import.confirmed IS 'the shape was named by a person, not guessed alone';
COMMENT ON COLUMN import.mapping IS 'fingerprint of contracts, shapes and tables that it was read by';
COMMENT ON COLUMN import.position IS 'rows that are settled: an interrupted import goes on behind them';
COMMENT ON COLUMN import.figures IS 'rows by verdict, by flag and by class';
COMMENT ON COLUMN import.repeats IS 'the import before of the same file, whose rows are all in';

-- Rows that were refused, wait, or are doubtful, at most some thousands of an import. Kept for 90 days.
CREATE TABLE import_verdict (
  import   uuid   NOT NULL REFERENCES import ON DELETE CASCADE,
  sheet    text   NOT NULL,
  row      bigint NOT NULL,
  rows     bigint NOT NULL,
  outcome  text   NOT NULL,
  flags    text,
  problems text,
  PRIMARY KEY (import, sheet, row)
);
COMMENT ON COLUMN import_verdict.sheet IS 'empty where the file has none';
COMMENT ON COLUMN import_verdict.rows IS 'more than one where a file was refused from here on';
COMMENT ON COLUMN import_verdict.problems IS 'one `rule, column, expected` a line, tabs between';

-- What the connectors remember of a source between files (`Memory` of its ledger), written in the transaction of the events it led to.
CREATE TABLE import_memory (
  source text COLLATE "C" NOT NULL,
  part   text COLLATE "C" NOT NULL,
  key    text COLLATE "C" NOT NULL,
  value  text NOT NULL,
  cell   text COLLATE "C",
  PRIMARY KEY (source, part, key)
);
CREATE INDEX import_memory_cell ON import_memory (source, cell) WHERE cell IS NOT NULL;
COMMENT ON COLUMN import_memory.value IS 'JSON, its fields in the order they were written';
COMMENT ON COLUMN import_memory.cell IS 'of a report: what it counts in; null once it was deleted at its source';

-- Cells whose count has changed and is not published yet.
CREATE TABLE import_cell (
  source text COLLATE "C" NOT NULL,
  cell   text COLLATE "C" NOT NULL,
  value  text NOT NULL,
  PRIMARY KEY (source, cell)
);

-- By which the hashes in import_memory were made: with another secret every report would count again.
CREATE TABLE import_secret (one boolean PRIMARY KEY DEFAULT true CHECK (one), fingerprint bytea NOT NULL);

ALTER TABLE published ADD COLUMN import_id uuid;
CREATE INDEX published_import ON published (import_id) WHERE import_id IS NOT NULL;
COMMENT ON COLUMN published.import_id IS 'the import that published it, so that it can be taken back';

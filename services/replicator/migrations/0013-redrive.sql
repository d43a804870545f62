-- Parked events that a later release could read: what they did, at their own place. They are parked no more.
CREATE TABLE redriven (
  topic       text COLLATE "C" NOT NULL,
  partition   int NOT NULL,
  log_offset  bigint NOT NULL,
  generation  text NOT NULL,
  key         text COLLATE "C" NOT NULL,
  reason      text NOT NULL,
  hash_hi     bigint NOT NULL,
  hash_lo     bigint NOT NULL,
  parked_at   timestamptz NOT NULL,
  redriven_at timestamptz NOT NULL DEFAULT now(),
  class       text NOT NULL,
  who         text NOT NULL,
  why         text NOT NULL,
  published   boolean NOT NULL,
  PRIMARY KEY (topic, partition, log_offset)
);
CREATE INDEX redriven_unpublished ON redriven (topic, partition, log_offset) WHERE NOT published;
COMMENT ON COLUMN redriven.class IS 'the class of consumer_offset that it is counted in now';
COMMENT ON COLUMN redriven.published IS 'the region that it comes from has been told';

-- What an operator asked to be read again; the process that applies does it.
CREATE TABLE redrive_request (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  topic        text COLLATE "C",
  partition    int,
  log_offset   bigint,
  reason       text,
  who          text NOT NULL,
  why          text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  finished_at  timestamptz,
  outcome      jsonb
);
CREATE INDEX redrive_request_open ON redrive_request (requested_at) WHERE finished_at IS NULL;
COMMENT ON TABLE redrive_request IS 'topic, partition, log_offset and reason say which of the parked events; null = any';
COMMENT ON COLUMN redrive_request.outcome IS '{redriven: {class: events}, parked: still bad, gone: not on the log any more, events: the first of them}';

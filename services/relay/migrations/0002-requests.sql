-- What an operator asked the relay of this region for; the process that holds the lease does it, and goes on where another one ended.
CREATE TABLE relay_request (
  id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind         text NOT NULL CHECK (kind IN ('republish', 'recover')),
  topic        text COLLATE "C",
  who          text NOT NULL,
  why          text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  progress     jsonb NOT NULL DEFAULT '{}',
  finished_at  timestamptz,
  outcome      jsonb
);
CREATE INDEX relay_request_open ON relay_request (requested_at) WHERE finished_at IS NULL;
COMMENT ON COLUMN relay_request.topic IS 'to publish again; null = every own topic that was created anew';
COMMENT ON COLUMN relay_request.progress IS 'how far it is, by topic/partition; written with what it says';

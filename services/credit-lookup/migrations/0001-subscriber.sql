-- Who follows the changes of the credit lookup, and up to where each has said that it uses no more what ended. One row for each copy that is kept.
CREATE TABLE credit_subscriber (
  caller          text COLLATE "C" NOT NULL,
  name            text COLLATE "C" NOT NULL,
  since           timestamptz NOT NULL DEFAULT now(),
  seen_at         timestamptz NOT NULL DEFAULT now(),
  acknowledged    text NOT NULL,
  acknowledged_at timestamptz,
  PRIMARY KEY (caller, name)
);

COMMENT ON COLUMN credit_subscriber.seen_at IS 'when it was last connected, to within a minute';
COMMENT ON COLUMN credit_subscriber.acknowledged IS 'cursor; what it stopped before its first connection is no matter';

-- Refuses a transaction whose statements did not do what was decided on: the COMMIT goes to the server together with them, before anybody has read their answers.
CREATE FUNCTION hub_expect(actual bigint, expected bigint, refusal text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
  IF actual <> expected THEN
    RAISE EXCEPTION '% rows instead of %', actual, expected USING ERRCODE = refusal;
  END IF;
  RETURN actual;
END $$;

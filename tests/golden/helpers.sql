-- Loaded before each golden file, into its own database.
CREATE SCHEMA t;
GRANT USAGE ON SCHEMA t TO PUBLIC;

-- t.error(sql): runs one statement in a subtransaction and returns the fields of the error it ends with,
-- so that a test can pin some of them, or use them in a query. SQLSTATE '00000' and "no error" when there is none.
CREATE FUNCTION t.error(sql text)
RETURNS TABLE (sqlstate text, message text, detail text, hint text, schema_name text, table_name text, constraint_name text)
LANGUAGE plpgsql AS $$
DECLARE
  state text; msg text; det text; hnt text; sch text; tab text; con text;
BEGIN
  EXECUTE sql;
  RETURN QUERY SELECT '00000', 'no error', ''::text, ''::text, ''::text, ''::text, ''::text;
EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
  GET STACKED DIAGNOSTICS
    state = RETURNED_SQLSTATE, msg = MESSAGE_TEXT, det = PG_EXCEPTION_DETAIL, hnt = PG_EXCEPTION_HINT,
    sch = SCHEMA_NAME, tab = TABLE_NAME, con = CONSTRAINT_NAME;
  RETURN QUERY SELECT state, msg, det, hnt, sch, tab, con;
END $$;

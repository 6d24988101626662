"""What is installed is what users get: no test hooks."""


def test_the_users_build_has_no_test_hooks(cluster):
    dbname = cluster.fresh_db(extension=False)
    found = cluster.psql("LOAD 'pg_verdict'; SELECT name FROM pg_settings WHERE name LIKE 'verdict.test%'", dbname)
    assert found == ""

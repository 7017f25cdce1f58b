"""The embedded PostgreSQL really is one, over TCP, and keeps databases apart."""

import psycopg


def test_each_test_has_an_empty_database_of_its_own(postgres_dsn: str) -> None:
    with psycopg.connect(postgres_dsn) as database:
        assert database.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone() == (0,)
        database.execute("create table t (v numeric); insert into t values (0.1)")
        assert database.execute("select v::text, current_setting('server_encoding') from t").fetchone() == (
            "0.1",
            "UTF8",
        )

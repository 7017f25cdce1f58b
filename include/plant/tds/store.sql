-- What makes a PostgreSQL database look like a SQL Server one from behind the TDS door.

create domain rowversion as bytea check (octet_length(value) = 8);
create domain bit_flag as smallint check (value in (0, 1));
create domain tiny as smallint check (value between 0 and 255);
-- SQL Server keeps a `datetime` in steps of 1/300 s; it is rounded to them when it leaves through the door
create domain datetime as timestamp(3);
create domain datetime2 as timestamp(6);
-- text columns that are no Unicode: they leave in the code page of Chinese_PRC_CI_AS (936, GBK)
create domain gbk as varchar;
-- the same, but the bytes leave as they lie here, so that broken ones can be tried
create domain gbk_bytes as bytea;

create schema sys;
create table sys.databases (
    name text primary key, database_id integer not null, service_broker_guid uuid not null,
    create_date datetime not null, is_read_only bit_flag not null default 0
);
create table sys.updateability (told text not null);
insert into sys.updateability values ('READ_WRITE');

-- the door says by what name a client came in
create function db_name() returns text language sql stable as
    'select coalesce(nullif(current_setting(''plant.database'', true), ''''), current_database())';
create function db_id() returns integer language sql stable as 'select 5';
create function databasepropertyex(database text, property text) returns text language sql stable as
    'select told from sys.updateability where lower(property) = ''updateability''';

-- Rowversions. One sequence hands them out when a row is written, not when its transaction commits: like SQL Server.
--
-- MIN_ACTIVE_ROWVERSION() must know the lowest one handed to a transaction that is still open, and other transactions'
-- uncommitted rows are invisible. So a transaction takes an advisory lock named by the first rowversion it is handed.
-- Everybody sees locks at once in pg_locks; PostgreSQL takes them away when the transaction ends, however it ends (commit,
-- rollback, a killed session, a savepoint taken back), and only after what it committed can be seen. So when the minimum
-- rises past a rowversion, its row is visible to whoever asks next.
--
-- Handing out and locking must look like one step, or a reader between the two would believe the rowversion to be over.
-- A second advisory lock (of the form with two keys, which does not mix with the others) lets in one at a time.
create sequence rowversions start 2001;

create function next_rowversion() returns bytea language plpgsql as $$
declare
    handed bigint;
begin
    perform pg_advisory_lock(1819, 1);
    begin
        handed := nextval('rowversions');
        if coalesce(current_setting('plant.first_rowversion', true), '') = '' then
            perform pg_advisory_xact_lock(handed);
            perform set_config('plant.first_rowversion', handed::text, true);
        end if;
    exception when others or query_canceled then
        perform pg_advisory_unlock(1819, 1);
        raise;
    end;
    perform pg_advisory_unlock(1819, 1);
    return int8send(handed);
end $$;

create function last_rowversion() returns bigint language sql volatile as
    'select case when is_called then last_value else last_value - 1 end from rowversions';

-- @@DBTS: the last one handed out, whether its transaction is over or not
create function dbts() returns bytea language sql volatile as 'select int8send(last_rowversion())';

create function min_active_rowversion() returns bytea language plpgsql volatile as $$
declare
    last bigint;
    oldest bigint;
begin
    perform pg_advisory_lock(1819, 1);
    last := last_rowversion();
    select min((classid::bigint << 32) | objid::bigint) into oldest from pg_locks
    where locktype = 'advisory' and objsubid = 1
        and database = (select oid from pg_database where datname = current_database());
    perform pg_advisory_unlock(1819, 1);
    return int8send(coalesce(oldest, last + 1));
end $$;

create function stamp_ufts() returns trigger language plpgsql as $$
begin
    new.ufts := next_rowversion();
    return new;
end $$;

create function stamp_pubufts() returns trigger language plpgsql as $$
begin
    new.pubufts := next_rowversion();
    return new;
end $$;

-- A content may wait for its hour before it is translated: a replay is spread over time, a broken table is mended.
alter table record_versions add column ready_at timestamptz;
drop index record_versions_pending;
create index record_versions_pending on record_versions (role, id) where state = 'pending' and ready_at is null;
create index record_versions_put_off on record_versions (ready_at) where state = 'pending' and ready_at is not null;

-- What a person must mend before a task can do its work: one row per place, gone as soon as the work succeeds.
create table troubles (
    place text primary key,
    role text,
    sentence text not null,
    signature text not null,
    since timestamptz not null,
    told_at timestamptz not null,
    times integer not null default 1
);

-- Retention: messages that were read long ago, found without reading the others.
create index inbox_read on inbox (read_at) where read_at is not null;

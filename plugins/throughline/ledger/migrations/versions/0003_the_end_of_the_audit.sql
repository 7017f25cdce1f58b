-- The audit's last line, noted a second time: lines cut off the end are missed at once, and their numbers never come again.
create table audit_end (
    only_one boolean primary key default true check (only_one),
    seq bigint not null,
    hash text not null
);
insert into audit_end (seq, hash) values (0, repeat('0', 64));
update audit_end set (seq, hash) = (select seq, hash from audit order by seq desc limit 1)
    where exists (select from audit);

-- With its owner's rights: the hub's own user may not write here.
create function audit_notes_its_end() returns trigger language plpgsql security definer set search_path from current as $$
begin
    update audit_end set seq = last.seq, hash = last.hash
    from (select added.seq, added.hash from added order by added.seq desc limit 1) as last;
    return null;
end $$;
create trigger audit_notes_its_end after insert on audit referencing new table as added
    for each statement execute function audit_notes_its_end();

-- The one table the hub needs made while it runs.
create function make_payload_month(first timestamptz, following timestamptz) returns void
    language plpgsql security definer set search_path from current as $$
begin
    execute format('create table %I partition of payloads for values from (%L) to (%L)',
        'payloads_' || to_char(first at time zone 'UTC', 'YYYY_MM'), first, following);
end $$;

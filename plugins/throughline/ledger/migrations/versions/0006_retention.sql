-- Messages that still have a body to lose; the others are never looked at again.
drop index inbox_read;
create index inbox_to_empty on inbox (read_at) where read_at is not null and octet_length(body) > 0;

-- Whether somebody may still ask for a content: it is not understood yet, or its document is on its way.
create function content_is_needed(version bigint) returns boolean language sql stable as $$
    select exists (
        select from record_versions v where v.id = version and (
            v.state in ('pending', 'waiting', 'failed')
            or exists (
                select from process_documents d join processes p on p.id = d.process_id
                where d.canonical_id = v.canonical_id and p.state in ('running', 'parked')
            )
        )
    )
$$;

-- Drops one month of contents. What is needed moves to the default partition. With its owner's rights: the hub's own user
-- may drop no table.
create function drop_payload_month(month text) returns void
    language plpgsql security definer set search_path from current as $$
begin
    if month !~ '^payloads_\d{4}_\d{2}$' then
        raise exception '% is no month of contents', month;
    end if;
    execute format('alter table payloads detach partition %I', month);
    execute format('insert into payloads_default select * from %I where content_is_needed(version_id)', month);
    execute format('drop table %I', month);
end $$;

-- The self-made order system that profile.yaml reads, and what its owner adds so that nothing is lost.

create table customers (
    customer_no text primary key,
    name text not null,
    active boolean not null default true
);

create table orders (
    id bigint generated always as identity primary key,
    order_no text not null unique,
    status text not null default 'open',
    customer_no text not null,
    currency text not null default 'CNY',
    requested_on date,
    voided boolean not null default false,
    updated_at timestamptz not null default now(),
    -- which transaction wrote the row last: filled by the default on insert, by the trigger on update
    changed_tx xid8 not null default pg_current_xact_id()
);
create index orders_changed_tx on orders (changed_tx);

create table order_lines (
    id bigint generated always as identity primary key,
    order_id bigint not null references orders on delete cascade,
    line_no integer not null,
    item_no text not null,
    quantity numeric not null,
    unit text not null,
    price numeric not null,
    changed_tx xid8 not null default pg_current_xact_id()
);
create index order_lines_changed_tx on order_lines (changed_tx);
create index order_lines_order on order_lines (order_id);

create function note_transaction() returns trigger language plpgsql as $$
begin
    new.changed_tx := pg_current_xact_id();
    return new;
end $$;
create trigger orders_note_transaction before update on orders for each row execute function note_transaction();
create trigger order_lines_note_transaction before update on order_lines
    for each row execute function note_transaction();

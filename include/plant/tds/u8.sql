-- Tables of a Yonyou U8 account set (database UFDATA_<account>_<year>) as far as the hub reads them. Column names from
-- a live U8 13.0; older account sets keep text in the server's code page (GBK) instead of Unicode: Customer here does.

create table "Customer" (
    "cCusCode" varchar(20) primary key,
    "cCusName" gbk not null,
    "cCusAbbName" gbk,
    "cCCCode" gbk,
    "cCusPhone" gbk,
    "cCusPerson" gbk,
    "iCusCreLine" float8,
    "dModifyDate" datetime,
    "dEndDate" datetime,
    pubufts rowversion
);
create table "ComputationUnit" (
    "cComunitCode" varchar(35) primary key,
    "cComUnitName" varchar(20) not null,
    pubufts rowversion
);
create table "Inventory" (
    "cInvCode" varchar(60) primary key,
    "cInvName" varchar(255) not null,
    "cInvStd" varchar(255),
    "cComUnitCode" varchar(35) not null references "ComputationUnit",
    "dModifyDate" datetime,
    pubufts rowversion
);
create table "SO_SOMain" (
    "ID" integer primary key,
    "cSOCode" varchar(30) not null unique,
    "dDate" datetime not null,
    "cCusCode" varchar(20) not null,
    cexch_name varchar(8) not null default '人民币',
    "iExchRate" float8 not null default 1,
    "iTaxRate" float8 not null default 13,
    "cMaker" varchar(20),
    "cVerifier" varchar(20),
    "cCloser" varchar(20),
    "iStatus" tiny not null default 0,
    iverifystate integer not null default 0,
    dcreatesystime datetime not null default localtimestamp,
    dmodifysystime datetime,
    dverifysystime datetime,
    ufts rowversion
);
create index on "SO_SOMain" (ufts);
create table "SO_SODetails" (
    "AutoID" integer primary key,
    "ID" integer not null references "SO_SOMain",
    "iSOsID" integer not null,
    "iRowNo" integer not null,
    "cInvCode" varchar(60) not null,
    "iQuantity" numeric(26, 9) not null,
    "iTaxUnitPrice" numeric(26, 9),
    "iSum" numeric(19, 4),
    "dPreDate" datetime,
    "iFHQuantity" numeric(26, 9),
    "cSCloser" varchar(20)
);
create index on "SO_SODetails" ("ID");

create trigger stamp before insert or update on "Customer" for each row execute function stamp_pubufts();
create trigger stamp before insert or update on "ComputationUnit" for each row execute function stamp_pubufts();
create trigger stamp before insert or update on "Inventory" for each row execute function stamp_pubufts();
create trigger stamp before insert or update on "SO_SOMain" for each row execute function stamp_ufts();

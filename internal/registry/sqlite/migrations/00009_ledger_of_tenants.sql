-- +goose Up

-- Each tenant's changes have an order of their own: nobody waits for another's, or forgets for it. It begins
-- behind the order of all, which processes of the version before go on with.
CREATE TABLE ledger_orders (
    tenant TEXT    NOT NULL PRIMARY KEY,
    n      INTEGER NOT NULL -- of the latest change
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_writes_by_tenant ON ledger_writes (tenant, n);
DROP INDEX ledger_writes_by_n;

-- A write counts while its delivery is on its way, and once it has arrived.
ALTER TABLE ledger_writes ADD COLUMN counts_until  INTEGER; -- microseconds since 1970; NULL: until it expires
ALTER TABLE ledger_writes ADD COLUMN counted_until INTEGER; -- likewise, before the latest attempt; NULL: there was none

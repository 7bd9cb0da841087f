-- +goose Up

-- Each tenant's writes are counted for themselves: nobody forgets for another.
CREATE INDEX ledger_writes_by_tenant ON ledger_writes (tenant, n);
DROP INDEX ledger_writes_by_n;

-- A write counts while its delivery is on its way, and once it has arrived.
ALTER TABLE ledger_writes ADD COLUMN counts_until  bigint; -- microseconds since 1970; NULL: until it expires
ALTER TABLE ledger_writes ADD COLUMN counted_until bigint; -- likewise, before the latest attempt; NULL: there was none

package sqlstore

import (
	"context"
	"database/sql"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// records are the rows of a table whose key is tenant and id: endpoints, or sources.
type records[T any] struct {
	store *Store
	table table
	noun  string // "endpoint"
	limit int    // how many a tenant may have
	read  func(*registry.Sealer, row) (T, error)
	write func(*registry.Sealer, T) ([]any, error)
	id    func(T) string

	one, page prepared
}

const byID = "tenant = $1 AND id = $2"

func (rs *records[T]) selectOne() string { return rs.table.selects(byID) }

func (rs *records[T]) selectPage() string {
	return rs.table.selects("tenant = $1 AND id > $2 ORDER BY id LIMIT $3")
}

func (rs *records[T]) about(ctx context.Context, id string, err error) error {
	return rs.store.about(ctx, rs.noun, id, err)
}

// ofTenant names what a call was about that is about all of a tenant's.
func (rs *records[T]) ofTenant(ctx context.Context, tenant string, err error) error {
	return rs.store.explain(ctx, rs.noun+"s of "+tenant, err)
}

func (rs *records[T]) scan(r row) (T, error) { return rs.read(rs.store.sealer, r) }

func (rs *records[T]) get(ctx context.Context, tenant, id string) (T, error) {
	one, err := rs.scan(rs.one.row(ctx, tenant, id))
	if err != nil {
		var none T
		return none, rs.about(ctx, id, err)
	}
	return one, nil
}

// list gives at most limit of a tenant's in the order of their ids, those behind after.
func (rs *records[T]) list(ctx context.Context, tenant, after string, limit int) ([]T, error) {
	return rs.listBy(ctx, rs.page, tenant, after, limit)
}

// listBy gives those of a tenant that another query finds.
func (rs *records[T]) listBy(ctx context.Context, query prepared, tenant string, args ...any) ([]T, error) {
	rows, err := query.rows(ctx, append([]any{tenant}, args...)...)
	if err != nil {
		return nil, rs.ofTenant(ctx, tenant, err)
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		one, err := rs.scan(rows)
		if err != nil {
			return nil, rs.about(ctx, rs.id(one), err)
		}
		all = append(all, one)
	}
	return all, rs.ofTenant(ctx, tenant, rows.Err())
}

func (rs *records[T]) selectCount() string {
	return "SELECT count(*) FROM " + rs.table.name + " WHERE tenant = $1"
}

func (rs *records[T]) count(ctx context.Context, tenant string) (n int, err error) {
	err = rs.store.readers.QueryRowContext(ctx, rs.selectCount(), tenant).Scan(&n)
	return n, rs.ofTenant(ctx, tenant, err)
}

// create adds one, and then does what belongs to it in the same transaction.
func (rs *records[T]) create(ctx context.Context, tenant string, one T, then func(*sql.Tx) error) error {
	values, err := rs.write(rs.store.sealer, one)
	if err == nil {
		err = rs.store.write(ctx, func(tx *sql.Tx) error {
			if err := rs.lock(ctx, tx, tenant); err != nil {
				return err
			}
			return rs.insert(ctx, tx, tenant, values, then)
		})
	}
	return rs.about(ctx, rs.id(one), err)
}

// createOnce is create with an Idempotency-Key: it gives what was made with that, now or before.
func (rs *records[T]) createOnce(
	ctx context.Context, tenant string, one T, c webhook.Creation, then func(*sql.Tx) error,
) (made webhook.Creation, err error) {
	values, err := rs.write(rs.store.sealer, one)
	if err == nil {
		err = rs.store.write(ctx, func(tx *sql.Tx) error {
			if err := rs.lock(ctx, tx, tenant); err != nil {
				return err
			}
			made, err = rs.store.once(ctx, tx, tenant, c, func() error { return rs.insert(ctx, tx, tenant, values, then) })
			return err
		})
	}
	return made, rs.about(ctx, rs.id(one), err)
}

// lock keeps two creations of a tenant apart: both could become the last that it may have, or the
// first of one key.
func (rs *records[T]) lock(ctx context.Context, tx *sql.Tx, tenant string) error {
	return rs.store.dialect.Lock(ctx, tx, rs.table.name, tenant)
}

func (rs *records[T]) insert(ctx context.Context, tx *sql.Tx, tenant string, values []any, then func(*sql.Tx) error) error {
	var n int
	if err := tx.QueryRowContext(ctx, rs.selectCount(), tenant).Scan(&n); err != nil {
		return err
	}
	if n >= rs.limit {
		return webhook.Errorf(webhook.Conflict, "the tenant has %d %ss, no more are allowed", n, rs.noun)
	}
	if _, err := tx.ExecContext(ctx, rs.table.inserts(), values...); err != nil {
		return err
	}
	return then(tx)
}

// update locks one, lets change work on it, writes what change leaves and gives that. An error of
// change writes nothing.
func (rs *records[T]) update(ctx context.Context, tx *sql.Tx, tenant, id string, change func(*T) error) (now T, err error) {
	now, err = rs.scan(tx.QueryRowContext(ctx, rs.selectOne()+rs.store.dialect.ForUpdate(), tenant, id))
	if err != nil {
		return now, err
	}
	if err := change(&now); err != nil {
		return now, err
	}
	values, err := rs.write(rs.store.sealer, now)
	if err != nil {
		return now, err
	}
	return rs.scan(tx.QueryRowContext(ctx, rs.table.updates(), values...))
}

// delete removes one, which must be there, and then does what belongs to that. What no key opens
// can be deleted all the same.
func (rs *records[T]) delete(ctx context.Context, tenant, id string, then func(*sql.Tx, T) error) error {
	return rs.about(ctx, id, rs.store.write(ctx, func(tx *sql.Tx) error {
		was, err := rs.scan(tx.QueryRowContext(ctx, rs.selectOne()+rs.store.dialect.ForUpdate(), tenant, id))
		if err != nil && rs.id(was) == "" { // it was not read
			return err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+rs.table.name+" WHERE "+byID, tenant, id); err != nil {
			return err
		}
		return then(tx, was)
	}))
}

package sqlstore

import (
	"context"
	"fmt"

	"hookloop/internal/registry"
	"hookloop/internal/webhook"
)

// resealPage is how many rows are read at a time.
const resealPage = 200

// Reseal seals with the primary key all that any other key has sealed; then the other keys may go.
// It may run beside everything else and be run again: a row that changes meanwhile is looked at
// once more. A value that no key opens is an error that names its row, and stays as it is. progress
// is called after each page.
func (s *Store) Reseal(ctx context.Context, progress func(registry.Resealed)) (done registry.Resealed, err error) {
	anew := map[string]int{} // by tenant
	for _, t := range []sealedTable{
		{
			store: s, name: "endpoint", anew: anew, seal: s.resealEndpoint,
			args: func(to, from sealedRow) []any {
				return []any{to.value, to.text, from.tenant, from.id, from.value, from.text}
			},
			page:   `SELECT tenant, id, secrets, headers FROM endpoints WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT $3`,
			one:    `SELECT tenant, id, secrets, headers FROM endpoints WHERE tenant = $1 AND id = $2`,
			update: `UPDATE endpoints SET secrets = $1, headers = $2 WHERE tenant = $3 AND id = $4 AND secrets = $5 AND headers = $6`,
		},
		{
			store: s, name: "source", anew: anew, seal: s.resealSource,
			args:   func(to, from sealedRow) []any { return []any{to.value, from.tenant, from.id, from.value} },
			page:   `SELECT tenant, id, config, '' FROM sources WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT $3`,
			one:    `SELECT tenant, id, config, '' FROM sources WHERE tenant = $1 AND id = $2`,
			update: `UPDATE sources SET config = $1 WHERE tenant = $2 AND id = $3 AND config = $4`,
		},
		{
			store: s, name: "key of subjects", anew: anew, seal: s.resealSource,
			args:   func(to, from sealedRow) []any { return []any{to.value, from.tenant, from.id, from.value} },
			page:   `SELECT tenant, id, sealed, '' FROM subject_keys WHERE (tenant, id) > ($1, $2) ORDER BY tenant, id LIMIT $3`,
			one:    `SELECT tenant, id, sealed, '' FROM subject_keys WHERE tenant = $1 AND id = $2`,
			update: `UPDATE subject_keys SET sealed = $1 WHERE tenant = $2 AND id = $3 AND sealed = $4`,
		},
	} {
		if err := t.reseal(ctx, &done, progress); err != nil {
			return done, s.dialect.Explain(ctx, err)
		}
	}
	for tenant, n := range anew {
		l := webhook.AuditLine{Kind: webhook.AuditKeyChanged, Detail: fmt.Sprintf("secrets of %d endpoints and sources sealed with another key", n)}
		if err := s.Record(ctx, tenant, l); err != nil {
			return done, err
		}
	}
	return done, nil
}

// sealedTable is one with something sealed in it: a value, and perhaps a text.
type sealedTable struct {
	store             *Store
	name              string
	anew              map[string]int // sealed anew, by tenant
	page, one, update string
	seal              func(sealedRow) (sealedRow, error)
	args              func(to, from sealedRow) []any // of update
}

type sealedRow struct {
	tenant, id, text string
	value            []byte
}

func readSealed(r row) (s sealedRow, err error) {
	err = r.Scan(&s.tenant, &s.id, &s.value, &s.text)
	return s, err
}

// rows closes what it has read: a store may have one connection that writes, and reads what others
// have written.
func (t sealedTable) rows(ctx context.Context, query string, args ...any) ([]sealedRow, error) {
	rows, err := t.store.writer.QueryContext(ctx, query, args...)
	return list(rows, err, readSealed)
}

func (t sealedTable) reseal(ctx context.Context, done *registry.Resealed, progress func(registry.Resealed)) error {
	var last sealedRow
	for {
		rows, err := t.rows(ctx, t.page, last.tenant, last.id, resealPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if err := t.resealRow(ctx, r, done); err != nil {
				return fmt.Errorf("%s %s: %w", t.name, r.id, err)
			}
		}
		last = rows[len(rows)-1]
		progress(*done)
	}
}

func (t sealedTable) resealRow(ctx context.Context, r sealedRow, done *registry.Resealed) error {
	for {
		next, err := t.seal(r)
		if err != nil {
			return err
		}
		if next.text == r.text && string(next.value) == string(r.value) {
			done.Already++
			return nil
		}
		res, err := t.store.writer.ExecContext(ctx, t.update, t.args(next, r)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			done.Anew++
			t.anew[r.tenant]++
			return err
		}
		now, err := t.rows(ctx, t.one, r.tenant, r.id) // it has changed meanwhile
		if err != nil || len(now) == 0 {
			return err
		}
		r = now[0]
	}
}

func (s *Store) resealEndpoint(r sealedRow) (_ sealedRow, err error) {
	if r.value, err = s.sealer.Reseal(r.tenant, r.id, r.value); err != nil {
		return r, err
	}
	r.text, err = s.sealer.ResealHeaders(r.tenant, r.id, r.text)
	return r, err
}

func (s *Store) resealSource(r sealedRow) (_ sealedRow, err error) {
	r.value, err = s.sealer.Reseal(r.tenant, r.id, r.value)
	return r, err
}

package registry

import (
	"context"
	"database/sql"
	"encoding/base64"
	"fmt"
)

// resealPage is how many rows are read at a time.
const resealPage = 200

// Resealed counts the rows of endpoints and sources: those sealed anew, and those that the primary key had sealed
// already.
type Resealed struct {
	Anew    int `json:"anew"`
	Already int `json:"already"`
}

// Reseal seals with the primary key all that any other key has sealed, or that older versions left open; then
// the other keys may go. It may run beside everything else and be run again: a row that somebody changes
// meanwhile is looked at once more. What no key opens is an error that names its row, and stays as it is.
// bind writes a query's parameters, each a question mark here, as the database wants them; progress hears
// of each page.
func (s *Sealer) Reseal(ctx context.Context, db *sql.DB, bind func(query string) string, progress func(Resealed)) (done Resealed, err error) {
	for _, t := range []sealedTable{
		{
			name: "endpoint", seal: s.resealEndpoint,
			args: func(to, from sealedRow) []any {
				return []any{to.value, to.text, from.tenant, from.id, from.value, from.text}
			},
			page:   bind(`SELECT tenant, id, secrets, headers FROM endpoints WHERE (tenant, id) > (?, ?) ORDER BY tenant, id LIMIT ?`),
			one:    bind(`SELECT tenant, id, secrets, headers FROM endpoints WHERE tenant = ? AND id = ?`),
			update: bind(`UPDATE endpoints SET secrets = ?, headers = ? WHERE tenant = ? AND id = ? AND secrets = ? AND headers = ?`),
		},
		{
			name: "source", seal: s.resealSource,
			args:   func(to, from sealedRow) []any { return []any{to.value, from.tenant, from.id, from.value} },
			page:   bind(`SELECT tenant, id, config, '' FROM sources WHERE (tenant, id) > (?, ?) ORDER BY tenant, id LIMIT ?`),
			one:    bind(`SELECT tenant, id, config, '' FROM sources WHERE tenant = ? AND id = ?`),
			update: bind(`UPDATE sources SET config = ? WHERE tenant = ? AND id = ? AND config = ?`),
		},
	} {
		if err := t.reseal(ctx, db, &done, progress); err != nil {
			return done, err
		}
	}
	return done, nil
}

// sealedTable is one with something sealed in it: a value, and perhaps a text.
type sealedTable struct {
	name              string
	page, one, update string
	seal              func(sealedRow) (sealedRow, error)
	args              func(to, from sealedRow) []any // of update
}

type sealedRow struct {
	tenant, id, text string
	value            []byte
}

func (t sealedTable) reseal(ctx context.Context, db *sql.DB, done *Resealed, progress func(Resealed)) error {
	var last sealedRow
	for {
		rows, err := t.read(ctx, db, t.page, last.tenant, last.id, resealPage)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			if err := t.resealRow(ctx, db, row, done); err != nil {
				return fmt.Errorf("%s %s: %w", t.name, row.id, err)
			}
		}
		last = rows[len(rows)-1]
		progress(*done)
	}
}

// read closes what it has read: a store may have one connection.
func (t sealedTable) read(ctx context.Context, db *sql.DB, query string, args ...any) (all []sealedRow, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r sealedRow
		if err := rows.Scan(&r.tenant, &r.id, &r.value, &r.text); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

func (t sealedTable) resealRow(ctx context.Context, db *sql.DB, row sealedRow, done *Resealed) error {
	for {
		next, err := t.seal(row)
		if err != nil {
			return err
		}
		if next.text == row.text && string(next.value) == string(row.value) {
			done.Already++
			return nil
		}
		res, err := db.ExecContext(ctx, t.update, t.args(next, row)...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n > 0 {
			done.Anew++
			return err
		}
		now, err := t.read(ctx, db, t.one, row.tenant, row.id) // somebody has changed it
		if err != nil || len(now) == 0 {
			return err
		}
		row = now[0]
	}
}

func (s *Sealer) resealEndpoint(r sealedRow) (sealedRow, error) {
	var err error
	if r.value, err = s.anew(r.value, place(r.tenant, r.id)); err != nil {
		return r, err
	}
	if sealed, err := base64.StdEncoding.DecodeString(r.text); err == nil && s.isPrimary(sealed) {
		return r, nil
	}
	headers, err := s.OpenHeaders(r.tenant, r.id, r.text)
	if err != nil {
		return r, err
	}
	r.text, err = s.SealHeaders(r.tenant, r.id, headers)
	return r, err
}

func (s *Sealer) resealSource(r sealedRow) (_ sealedRow, err error) {
	r.value, err = s.anew(r.value, place(r.tenant, r.id))
	return r, err
}

// anew leaves alone what the primary key has sealed.
func (s *Sealer) anew(sealed, associated []byte) ([]byte, error) {
	plain, err := s.Open(sealed, associated)
	if err != nil || s.isPrimary(sealed) {
		return sealed, err
	}
	return s.Seal(plain, associated)
}

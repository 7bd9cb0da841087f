package sqlstore

import (
	"context"
	"database/sql"

	"hookloop/internal/attemptlog"
	"hookloop/internal/webhook"
)

// forgetLatest finds the latest attempts of an endpoint anew when one of its rows was replaced: it
// may have been that one.
func (s *Store) forgetLatest(ctx context.Context, tx *sql.Tx, replaced []attemptlog.Row) error {
	done := map[[2]string]bool{}
	for _, r := range replaced {
		of := [2]string{r.Tenant, r.EndpointID}
		if done[of] {
			continue
		}
		done[of] = true
		if _, err := tx.ExecContext(ctx, deleteLatest, r.Tenant, r.EndpointID); err != nil {
			return err
		}
		var found []attemptlog.Row
		for _, took := range []bool{true, false} {
			one := attemptlog.Row{Tenant: r.Tenant, EndpointID: r.EndpointID, Number: 1, Outcome: webhook.Fails}
			if took {
				one.Outcome = webhook.Took
			}
			err := tx.QueryRowContext(ctx, selectLastOf, r.Tenant, r.EndpointID, took).Scan(micros{&one.At}, &one.StatusCode, &one.Failure, &one.Error)
			if err == nil {
				found = append(found, one)
			} else if err != sql.ErrNoRows { //nolint:errorlint // of a Scan, bare
				return err
			}
		}
		if err := s.addLatest(ctx, tx, found); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) addLatest(ctx context.Context, tx *sql.Tx, rows []attemptlog.Row) error {
	all := map[[2]string]*attemptlog.Latest{}
	for _, r := range rows {
		of := [2]string{r.Tenant, r.EndpointID}
		if !r.Attempted() {
			continue
		}
		if all[of] == nil {
			all[of] = &attemptlog.Latest{Tenant: r.Tenant, EndpointID: r.EndpointID}
		}
		all[of].Add(r)
	}
	if len(all) == 0 {
		return nil
	}
	list := make([][]any, 0, len(all))
	for _, l := range all {
		list = append(list, []any{l.Tenant, l.EndpointID, microsOf(l.TookAt), microsOf(l.FailedAt), l.StatusCode, l.Failure, l.Error})
	}
	_, err := tx.ExecContext(ctx, s.statements.upsertLatest, jsonList(list))
	return err
}

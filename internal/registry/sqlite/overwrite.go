package sqlite

import (
	"context"
	"fmt"
)

// secureDelete overwrites what is deleted from a page, as far as that costs no write of its own.
const secureDelete = "fast"

// Overwrite begins or ends to write zeros over all that is deleted, whole pages too, and empties
// the write-ahead log, in which deleted data would stand until it is written over. A reader that
// holds the log open leaves a part of it, until the next time.
func (r *Registry) Overwrite(ctx context.Context, on bool) error {
	mode := secureDelete
	if on {
		mode = "on"
	}
	for _, text := range []string{"PRAGMA secure_delete=" + mode, "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := r.writer.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("registry: %s: %w", text, dialect{}.Explain(ctx, err))
		}
	}
	return nil
}

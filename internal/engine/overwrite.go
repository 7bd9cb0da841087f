package engine

import (
	"context"
	"fmt"
)

// pragmatic is a connection that runs a PRAGMA at once.
type pragmatic interface {
	Pragma(ctx context.Context, text string) error
}

// Overwrite begins or ends to write zeros over all that is deleted, whole pages too, and empties
// the write-ahead logs, in which deleted data would stand until they are written over. At other
// times that is done only where it costs no write of its own.
func (e *Engine) Overwrite(ctx context.Context, on bool) error {
	mode := pragmas["secure_delete"]
	if on {
		mode = "on"
	}
	for i, p := range e.pools {
		if err := p.overwrite(ctx, mode); err != nil {
			return fmt.Errorf("engine: %s: %w", e.dbs[i].path, err)
		}
	}
	return nil
}

func (p *pool) overwrite(ctx context.Context, mode string) error {
	c, err := p.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // it goes back to the pool
	return c.Raw(func(raw any) error {
		to, ok := raw.(pragmatic)
		if !ok {
			return fmt.Errorf("%T runs no PRAGMA", raw)
		}
		for _, text := range []string{"PRAGMA secure_delete=" + mode, "PRAGMA wal_checkpoint(TRUNCATE)"} {
			if err := to.Pragma(ctx, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	})
}

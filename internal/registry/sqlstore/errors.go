package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"hookloop/internal/webhook"
)

// About names what an error is about, "endpoint ep_1". A refusal meant for the caller stays as it
// is.
func About(ctx context.Context, d Dialect, name string, err error) error {
	if err == nil {
		return nil
	}
	fault := d.Fault(err)
	switch {
	case fault == NotText && isText(name):
		return webhook.Errorf(webhook.Invalid, "%s holds what is no text", name)
	case errors.Is(err, sql.ErrNoRows), fault == NotText: // no id in the database is such a text
		return webhook.Errorf(webhook.NotFound, "%s does not exist", name)
	case fault == Taken:
		return webhook.Errorf(webhook.Conflict, "%s exists already", name)
	case webhook.CodeOf(err) != "":
		return err
	}
	return fmt.Errorf("%s: %w", name, d.Explain(ctx, err))
}

func isText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func (s *Store) about(ctx context.Context, noun, id string, err error) error {
	if err == nil {
		return nil
	}
	return About(ctx, s.dialect, noun+" "+id, err)
}

// explain names what a call was about whose errors are the database's alone.
func (s *Store) explain(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, s.dialect.Explain(ctx, err))
}

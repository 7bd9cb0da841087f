package ledger

import (
	"context"
	"encoding/json"
	"errors"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

const (
	// maxKey bounds an object's key, in bytes: it stands in an index.
	maxKey = 512
	// maxWritten bounds it as JSON writes it, each byte as \u00xx.
	maxWritten = 6*maxKey + 2
)

// mark finds object and value in a body. Its error is an unmarked, or says that nothing was found out: the
// caller has gone, or no expression can be run now.
func (l *Ledger) mark(ctx context.Context, tenant string, paths webhook.EchoPaths, raw []byte) (m webhook.Mark, err error) {
	if len(raw) > expression.MaxBody {
		return m, tooLarge
	}
	found, err := l.expressions.Values(ctx, tenant, raw,
		expression.Ask{Text: paths.Key, Max: maxWritten},
		expression.Ask{Text: paths.Value, Form: expression.Hash}) // null is a value: a person cleared it
	if len(found) > 0 {
		if string(found[0]) == "null" {
			return m, noKey
		}
		key, wrong := text(found[0])
		if wrong != nil {
			return m, wrong
		}
		m.Key = key
	}
	if err != nil {
		return m, reason(err)
	}
	m.Hash = string(found[1])
	return m, nil
}

// reason is what the body or the expressions are to blame for, or err itself: then nothing was found out.
func reason(err error) error {
	if errors.Is(err, expression.ErrJSON) {
		return noJSON
	}
	fault, ok := errors.AsType[*expression.Fault](err)
	switch {
	case !ok:
		return err
	case fault.Ask == 1:
		return valueFails
	case errors.Is(err, expression.ErrLarge):
		return keyLength
	}
	return keyFails
}

// text is a key as it is stored: 7 and "7" are the same object, for JSON of one application may quote
// what that of another does not.
func text(key []byte) (string, error) {
	s := string(key)
	if key[0] == '"' && json.Unmarshal(key, &s) != nil {
		return "", keyFails
	}
	if s == "" || len(s) > maxKey {
		return "", keyLength
	}
	return s, nil
}

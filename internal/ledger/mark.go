package ledger

import (
	"context"

	"hookloop/internal/expression"
	"hookloop/internal/webhook"
)

// maxKey bounds an object's key, in bytes: it stands in an index.
const maxKey = 512

// maxMarked bounds the bodies that are looked into, in bytes: decoded they hold ten times as much of the memory.
const maxMarked = 2 << 20

// mark finds object and value in a body. Its error is an unmarked, or that the caller has gone.
func (l *Ledger) mark(ctx context.Context, paths webhook.EchoPaths, raw []byte) (m webhook.Mark, err error) {
	if len(raw) > maxMarked {
		return m, tooLarge
	}
	body, err := expression.Body(raw)
	if err != nil {
		return m, noJSON
	}
	key, err := l.expressions.Value(ctx, paths.Key, body)
	if err != nil {
		return m, unless(ctx, keyFails)
	}
	if key == nil {
		return m, noKey
	}
	value, err := l.expressions.Value(ctx, paths.Value, body) // null is a value: somebody cleared it
	if err != nil {
		return m, unless(ctx, valueFails)
	}
	if m.Key, err = text(key); err != nil {
		return m, err
	}
	if m.Hash, err = expression.Hash(value); err != nil {
		return m, valueFails
	}
	return m, nil
}

// unless is the reason, or that the caller has gone: then nothing was found out.
func unless(ctx context.Context, reason unmarked) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return reason
}

// text is a key as it is stored: 7 and "7" are the same object, for JSON of one application may quote
// what that of another does not.
func text(key any) (string, error) {
	s, isString := key.(string)
	if !isString {
		raw, err := expression.Marshal(key)
		if err != nil {
			return "", keyFails
		}
		s = string(raw)
	}
	if s == "" || len(s) > maxKey {
		return "", keyLength
	}
	return s, nil
}

package echo

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

// value finds object and value in a body. Its error is an unrecognised, or says that nothing was
// found out: the caller has gone, or no expression can be run now.
func (t *Tracker) value(ctx context.Context, tenant string, paths webhook.EchoPaths, raw []byte) (v Value, err error) {
	if len(raw) > expression.MaxBody {
		return v, tooLarge
	}
	found, err := t.expressions.Values(ctx, tenant, raw,
		expression.Ask{Text: paths.Key, Max: maxWritten},
		// null is a value: a person cleared it
		expression.Ask{Text: paths.Value, Form: expression.Hash})
	if len(found) > 0 {
		if string(found[0]) == "null" {
			return v, noKey
		}
		key, wrong := keyText(found[0])
		if wrong != nil {
			return v, wrong
		}
		v.Key = key
	}
	if err != nil {
		return v, reason(err)
	}
	v.Hash = string(found[1])
	return v, nil
}

// reason is what the body or the expressions are to blame for, or err itself: then nothing was
// found out.
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

// keyText is a key as it is stored. 7 and "7" are the same object, for one application's JSON may
// quote what another's does not.
func keyText(key []byte) (string, error) {
	s := string(key)
	if key[0] == '"' && json.Unmarshal(key, &s) != nil {
		return "", keyFails
	}
	if s == "" || len(s) > maxKey {
		return "", keyLength
	}
	return s, nil
}

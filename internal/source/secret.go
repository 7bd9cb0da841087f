package source

import (
	"encoding/json"
	"strconv"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// Secret is a third party's key. It never prints itself, so a config can be printed and shown; only
// verifiers read its bytes.
type Secret struct{ signature.Hidden }

// UnmarshalJSON reads the key from a JSON string.
func (s *Secret) UnmarshalJSON(b []byte) error {
	var key string
	if err := json.Unmarshal(b, &key); err != nil {
		return err
	}
	s.Hidden = signature.Hide(key)
	return nil
}

func (s Secret) bytes() []byte { return []byte(s.Reveal()) }

// check refuses a secret that anyone can guess.
func (s Secret) check(field string) error {
	switch s.Reveal() {
	case "":
		return webhook.Invalidf(field, "must not be empty: without it a stranger could send in the third party's name")
	case signature.Mask:
		return webhook.Invalidf(field, "is %s, what is shown in place of a secret, and not a secret", signature.Mask)
	}
	return nil
}

// given says whether a secret that may be left out is there.
func (s Secret) given() bool { return s != (Secret{}) }

// checkGiven is check for such a secret.
func (s Secret) checkGiven(field string) error {
	if !s.given() {
		return nil
	}
	return s.check(field)
}

// Secrets are keys of which any one verifies: the new and the old one while the third party
// rotates.
type Secrets []Secret

// maxSecrets bounds the keys tried on every request.
const maxSecrets = 10

func (all Secrets) check(field string) error {
	if len(all) == 0 {
		return webhook.Invalidf(field, "must list at least one secret")
	}
	if len(all) > maxSecrets {
		return webhook.Invalidf(field, "lists %d secrets, at most %d are allowed", len(all), maxSecrets)
	}
	for i, s := range all {
		if err := s.check(field + "[" + strconv.Itoa(i) + "]"); err != nil {
			return err
		}
	}
	return nil
}

package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"hookloop/internal/keyring"
)

// What a Sealer finds wrong. None of them quotes a key or what was sealed.
var (
	ErrOtherKey = errors.New("sealed with another key")
	ErrSeal     = errors.New("sealed for another place, or damaged")
)

// Sealer encrypts what must not lie open in a database. What it seals begins with the id of its
// key, so a keyset may hold old keys beside the primary one: they go on opening, it alone seals.
// It may be used from many goroutines.
type Sealer struct{ ring *keyring.Ring }

// NewSealer reads a keyset as keyring.New makes it, or as Tink's tools do when they rotate it.
func NewSealer(keysetJSON []byte) (*Sealer, error) {
	ring, err := keyring.Read(keysetJSON)
	if err != nil {
		return nil, fmt.Errorf("the sealing key is %w", err)
	}
	return &Sealer{ring}, nil
}

// Seal encrypts plain and ties it to associated, the name of the place it is for: without the same
// associated it does not open.
func (s *Sealer) Seal(plain, associated []byte) ([]byte, error) {
	return s.ring.Encrypt(plain, associated)
}

// Open gives back what Seal was given.
func (s *Sealer) Open(sealed, associated []byte) ([]byte, error) {
	plain, err := s.ring.Decrypt(sealed, associated)
	switch {
	case err == nil:
		return plain, nil
	case s.knows(sealed):
		return nil, ErrSeal
	}
	return nil, ErrOtherKey
}

func (s *Sealer) knows(sealed []byte) bool {
	id, ok := keyID(sealed)
	return ok && slices.Contains(s.ring.Keys, id)
}

func (s *Sealer) isPrimary(sealed []byte) bool {
	id, ok := keyID(sealed)
	return ok && id == s.ring.Primary
}

// keyID reads Tink's prefix: a version byte, then the key's id.
func keyID(sealed []byte) (uint32, bool) {
	if len(sealed) < 5 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}

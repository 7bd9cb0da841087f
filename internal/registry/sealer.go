package registry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// What a Sealer finds wrong. None of them quotes a key or what was sealed.
var (
	ErrKeyset   = errors.New("the sealing key is not a Tink keyset for authenticated encryption")
	ErrOtherKey = errors.New("sealed with another key")
	ErrSeal     = errors.New("sealed for another place, or damaged")
)

// Sealer encrypts what must not lie open in a database. What it seals begins with the id of its
// key, so a keyset may hold old keys beside the primary one: they go on opening, it alone seals.
// It may be used from many goroutines.
type Sealer struct {
	aead    tink.AEAD
	keys    map[uint32]bool // ids of the keys that open
	primary uint32          // id of the key that seals
}

// NewKey draws a keyset with one AES256-GCM key, as Tink's JSON in clear: the caller keeps it out
// of the database, readable by its owner alone. To lose it is to lose every secret.
func NewKey() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, fmt.Errorf("sealing key: %w", err)
	}
	return b.Bytes(), nil
}

// NewSealer reads a keyset as NewKey makes it, or as Tink's tools do when they rotate it.
func NewSealer(keysetJSON []byte) (*Sealer, error) {
	// Tink's own errors stay here: they may quote what they could not read.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(keysetJSON)))
	if err != nil {
		return nil, ErrKeyset
	}
	a, err := aead.New(handle)
	if err != nil {
		return nil, ErrKeyset
	}
	s := &Sealer{aead: a, keys: map[uint32]bool{}}
	for i := range handle.Len() {
		if e, err := handle.Entry(i); err == nil && e.KeyStatus() == keyset.Enabled {
			s.keys[e.KeyID()] = true
			if e.IsPrimary() {
				s.primary = e.KeyID()
			}
		}
	}
	return s, nil
}

// Seal encrypts plain and ties it to associated, the name of the place it is for: without the same
// associated it does not open.
func (s *Sealer) Seal(plain, associated []byte) ([]byte, error) {
	return s.aead.Encrypt(plain, associated)
}

// Open gives back what Seal was given.
func (s *Sealer) Open(sealed, associated []byte) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, associated)
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
	return ok && s.keys[id]
}

func (s *Sealer) isPrimary(sealed []byte) bool {
	id, ok := keyID(sealed)
	return ok && id == s.primary
}

// keyID reads Tink's prefix: a version byte, then the key's id.
func keyID(sealed []byte) (uint32, bool) {
	if len(sealed) < 5 {
		return 0, false
	}
	return binary.BigEndian.Uint32(sealed[1:5]), true
}

// Package keyring draws and reads keysets for authenticated encryption: Tink's JSON in clear, which
// the caller keeps readable by its owner alone. What a keyset is for, and what is authenticated
// with all that it seals, is left to its callers, codec and registry. No error quotes a key.
package keyring

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// ErrKeyset says that a text is none.
var ErrKeyset = errors.New("not a Tink keyset for authenticated encryption")

// Ring is a keyset in use, by many goroutines if need be: its primary key seals, all of its keys
// open.
type Ring struct {
	tink.AEAD

	Primary uint32
	Keys    []uint32 // ids of those that open, the primary one among them
}

// New draws a keyset with one AES256-GCM key. To lose it is to lose all that it sealed.
func New() ([]byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return nil, fmt.Errorf("draw a key: %w", err)
	}
	return b.Bytes(), nil
}

// Read reads a keyset as New makes it, or as Tink's tools do when they rotate it. Keys that are
// switched off do not count.
func Read(keysetJSON []byte) (*Ring, error) {
	// Tink's own errors stay here: they may quote what they could not read.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(keysetJSON)))
	if err != nil {
		return nil, ErrKeyset
	}
	r := &Ring{}
	if r.AEAD, err = aead.New(handle); err != nil {
		return nil, ErrKeyset
	}
	for i := range handle.Len() {
		e, err := handle.Entry(i)
		if err != nil || e.KeyStatus() != keyset.Enabled {
			continue
		}
		r.Keys = append(r.Keys, e.KeyID())
		if e.IsPrimary() {
			r.Primary = e.KeyID()
		}
	}
	return r, nil
}

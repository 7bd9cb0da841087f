package published

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"

	"github.com/MicahParks/jwkset"
)

// leastRSA is the shortest key RFC 7518 allows, in bits.
const leastRSA = 2048

// Key is a public key that signs. Neither ID nor Algorithm need be given.
type Key struct {
	ID        string
	Algorithm string
	Public    crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// ErrNoKeys says that a document holds no key that signs. It quotes nothing of it.
var ErrNoKeys = errors.New("there is no key in the document")

// ErrNoSet says that a document is no JSON Web Key Set.
var ErrNoSet = errors.New("the document is not a JSON Web Key Set")

// ReadKeys reads a JSON Web Key Set. What is no public key, cannot be read or is for something else
// than signatures is passed over: a set may get others one day. There is at least one key, or an
// error.
func ReadKeys(document []byte) ([]Key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(document, &set) != nil {
		return nil, ErrNoSet
	}
	var keys []Key
	for _, raw := range set.Keys {
		k, err := jwkset.NewJWKFromRawJSON(raw, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
		if err != nil {
			continue
		}
		m := k.Marshal()
		if public := signing(k.Key()); public != nil && (m.USE == "" || m.USE == jwkset.UseSig) {
			keys = append(keys, Key{ID: m.KID, Algorithm: m.ALG.String(), Public: public})
		}
	}
	if len(keys) == 0 {
		return nil, ErrNoKeys
	}
	return keys, nil
}

// signing gives the public key where there is one that tokens are signed with.
func signing(key any) crypto.PublicKey {
	// it should not be in there, but what it signs is good
	if private, ok := key.(crypto.Signer); ok {
		key = private.Public()
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() >= leastRSA {
			return key
		}
	case *ecdsa.PublicKey, ed25519.PublicKey:
		return key
	}
	return nil
}

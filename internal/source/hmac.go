package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"slices"
)

// mac is the HMAC of some parts, one after the other.
func mac(h func() hash.Hash, key []byte, parts ...[]byte) []byte {
	m := hmac.New(h, key)
	for _, p := range parts {
		_, _ = m.Write(p) // a hash never fails
	}
	return m.Sum(nil)
}

// verify refuses a request unless the given signature is the HMAC of the parts with one of the
// secrets.
func (all Secrets) verify(h func() hash.Hash, given []byte, parts ...[]byte) error {
	if !all.signedWith(h, [][]byte{given}, parts...) {
		return unverified("the signature does not match")
	}
	return nil
}

// verifyBase64 is verify for the third parties whose header holds the Base64 of the body's
// HMAC-SHA256.
func (all Secrets) verifyBase64(header string, r Request) error {
	given, err := base64Signature(header, r)
	if err != nil {
		return err
	}
	return all.verify(sha256.New, given, r.Body)
}

// signedWith says whether one of the given signatures is the HMAC of the parts with one of the
// secrets. It compares in constant time and computes one HMAC for each secret, however long the
// list of signatures is.
func (all Secrets) signedWith(h func() hash.Hash, given [][]byte, parts ...[]byte) bool {
	return slices.ContainsFunc(all, func(s Secret) bool {
		expected := mac(h, s.bytes(), parts...)
		return slices.ContainsFunc(given, func(g []byte) bool { return hmac.Equal(g, expected) })
	})
}

// base64Signature reads a header that is the Base64 of a signature, and nothing else.
func base64Signature(header string, r Request) ([]byte, error) {
	given, err := base64.StdEncoding.DecodeString(r.Header.Get(header))
	if err != nil || len(given) == 0 {
		return nil, unverified("the signature header is missing or not Base64")
	}
	return given, nil
}

// equal compares in a time that depends on the lengths alone.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// digest names content by its SHA-256: the parts, with a line feed between them.
func digest(parts ...string) string {
	h := sha256.New()
	for i, p := range parts {
		if i > 0 {
			_, _ = h.Write([]byte{'\n'})
		}
		_, _ = h.Write([]byte(p))
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// contain says whether given is one of the secrets itself.
func (all Secrets) contain(given string) bool {
	return slices.ContainsFunc(all, func(s Secret) bool { return equal(given, s.Reveal()) })
}

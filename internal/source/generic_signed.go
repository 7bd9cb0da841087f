package source

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strings"

	"hookloop/internal/signature"
)

// The placeholders of a template. Every other byte of it is signed as it is.
const (
	partBody      = "{body}"
	partTimestamp = "{timestamp}"
	partID        = "{id}"
	partMethod    = "{method}"
)

var algorithms = map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New}

var encodings = map[string]func(string) ([]byte, error){
	"hex":       hex.DecodeString,
	"base64":    base64.StdEncoding.DecodeString,
	"base64url": decodeBase64URL,
}

// decodeBase64URL reads Base64 for URLs with padding or without: senders differ.
func decodeBase64URL(s string) ([]byte, error) {
	return base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
}

func (s *generic) hash() func() hash.Hash { return algorithms[s.Algorithm] }

func (s *generic) decode(signature string) ([]byte, error) {
	return encodings[s.Encoding](signature)
}

// keys are the secrets decoded, an empty one for what cannot be.
func (s *generic) keys(secrets Secrets) Secrets {
	if s.SecretEncoding == "" {
		return secrets
	}
	all := make(Secrets, len(secrets))
	for i, secret := range secrets {
		b, _ := encodings[s.SecretEncoding](secret.Reveal())
		key := string(b)
		all[i] = Secret{signature.Hide(key)}
	}
	return all
}

func (s *generic) template() string {
	switch {
	case s.Signed != "":
		return s.Signed
	case s.TimestampHeader != "":
		return partTimestamp + "." + partBody
	}
	return partBody
}

func (s *generic) signs(part string) bool { return strings.Contains(s.template(), part) }

// signed fills in the template. The body is never looked into for placeholders.
func (s *generic) signed(r Request) [][]byte {
	var parts [][]byte
	for rest := s.template(); rest != ""; {
		part := nextPart(rest)
		rest = rest[len(part):]
		switch part {
		case partBody:
			parts = append(parts, r.Body)
		case partTimestamp:
			parts = append(parts, []byte(r.Header.Get(s.TimestampHeader)))
		case partID:
			parts = append(parts, []byte(r.Header.Get(s.IDHeader)))
		case partMethod:
			parts = append(parts, []byte(r.Method))
		default:
			parts = append(parts, []byte(part))
		}
	}
	return parts
}

// nextPart is what a template begins with: a placeholder, or what stands before the next brace.
func nextPart(template string) string {
	if template[0] == '{' {
		if end := strings.IndexByte(template, '}'); end > 0 {
			return template[:end+1]
		}
		return template
	}
	if brace := strings.IndexByte(template, '{'); brace > 0 {
		return template[:brace]
	}
	return template
}

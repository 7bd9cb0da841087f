package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"strings"
)

// generic is any third party without a file of its own here that proves itself by an HMAC, a token
// or a password. What it signs and where its ids are is all configuration.
type generic struct {
	Kind    string  `json:"kind,omitempty"` // hmac (also when empty), token or basic
	Secrets Secrets `json:"secrets"`

	Header string `json:"header,omitempty"` // of the signature or the token
	Prefix string `json:"prefix,omitempty"` // before it in the header

	Algorithm string `json:"algorithm,omitempty"` // sha1, sha256 or sha512
	// Encoding of the signature: hex, base64 or base64url.
	Encoding string `json:"encoding,omitempty"`
	// SecretEncoding is likewise; empty: the secret is the key as it is written.
	SecretEncoding string `json:"secret_encoding,omitempty"`
	// Signed is what is signed; empty: {body}, or {timestamp}.{body} where there is a time.
	Signed string `json:"signed,omitempty"`
	// TimestampHeader holds seconds since 1970; empty: a request never grows old.
	TimestampHeader string    `json:"timestamp_header,omitempty"`
	Tolerance       tolerance `json:"tolerance,omitempty"`

	Username string `json:"username,omitempty"` // of kind basic

	IDPath     string `json:"id_path,omitempty"`     // into the body: "data.id"
	IDHeader   string `json:"id_header,omitempty"`   // in its place
	TypePath   string `json:"type_path,omitempty"`   // into the body
	TypeHeader string `json:"type_header,omitempty"` // in its place

	ContextHeaders []string `json:"context_headers,omitempty"` // passed on as the event's context

	repeats
}

const (
	genericHMAC  = "hmac"
	genericToken = "token"
	genericBasic = "basic"
)

func (s *generic) kind() string {
	return cmp.Or(s.Kind, genericHMAC)
}

func (s *generic) Verify(_ context.Context, r Request) error {
	switch s.kind() {
	case genericToken:
		return s.verifyToken(r.Header)
	case genericBasic:
		return s.verifyBasic(r.Header)
	default:
		return s.verifyHMAC(r)
	}
}

func (s *generic) verifyToken(h http.Header) error {
	given, ok := strings.CutPrefix(h.Get(s.Header), s.Prefix)
	if !ok || !s.Secrets.contain(given) {
		return unverified("the token header is missing or wrong")
	}
	return nil
}

func (s *generic) verifyBasic(h http.Header) error {
	username, password, ok := (&http.Request{Header: h}).BasicAuth()
	wrongName, wrongPassword := !equal(username, s.Username), !s.Secrets.contain(password)
	if !ok || wrongName || wrongPassword {
		return unverified("the user name or password is missing or wrong")
	}
	return nil
}

func (s *generic) verifyHMAC(r Request) error {
	given, err := s.given(r)
	if err != nil {
		return err
	}
	return s.keys(s.Secrets).verify(s.hash(), given, s.signed(r)...)
}

// head is all there is to verify, unless the body is signed.
func (s *generic) head(r Request) error {
	if s.kind() != genericHMAC {
		return s.Verify(context.Background(), r)
	}
	_, err := s.given(r)
	return err
}

// given is the signature, if its time is not too far away.
func (s *generic) given(r Request) ([]byte, error) {
	encoded, ok := strings.CutPrefix(r.Header.Get(s.Header), s.Prefix)
	given, err := s.decode(encoded)
	switch {
	case !ok || err != nil || len(given) == 0:
		return nil, unverified("the signature header is missing or malformed")
	case s.TimestampHeader == "":
		return given, nil
	}
	return given, s.Tolerance.fresh(r.Header.Get(s.TimestampHeader), r.Now)
}

// Read takes the request for one event: JSON as it is, a form of either kind as an object of its
// fields. An id or type that is not where it should be is one that was not given.
func (s *generic) Read(r Request) (Received, error) {
	data, err := genericData(r)
	if err != nil {
		return Received{}, err
	}
	id, content := s.id(r, data), digest(string(data))
	i := Item{Type: s.typeOf(r, data), Key: id, Data: data, Context: s.context(r)}
	i.Identity = identity(id, i.Type, content)
	if id == "" {
		i.Key, i.SameFor = content, s.sameFor(usualWindow)
	}
	return only(i)
}

// genericData is what a request says: its body or, of one that has none because of its method, its
// query.
func genericData(r Request) (json.RawMessage, error) {
	switch {
	case len(bytes.TrimSpace(r.Body)) == 0 && (r.Method != http.MethodPost || r.Query != "" || isForm(r)):
		return formData([]byte(r.Query))
	case isForm(r):
		return formData(r.Body)
	case isMultipart(r):
		return readMultipart(r.Header.Get("Content-Type"), r.Body)
	case !json.Valid(r.Body):
		return nil, unreadable("the body is neither JSON nor a form")
	}
	return r.Body, nil
}

func formData(body []byte) (json.RawMessage, error) {
	f, err := readForm(body)
	if err != nil {
		return nil, err
	}
	return f.json(), nil
}

func (s *generic) typeOf(r Request, data json.RawMessage) string {
	if s.TypeHeader != "" {
		return r.Header.Get(s.TypeHeader)
	}
	return lookup(data, s.TypePath)
}

func (s *generic) id(r Request, data json.RawMessage) string {
	if s.IDHeader != "" {
		return headerID(r.Header, s.IDHeader)
	}
	return lookup(data, s.IDPath)
}

// lookup follows a dotted path through objects to a word; anything else there is none, and at the
// end of no path as well. A member whose name is the whole path comes first: forms have dots in
// names.
func lookup(raw json.RawMessage, path string) string {
	if path == "" {
		return ""
	}
	if whole := word(readObject(raw)[path]); whole != "" {
		return whole
	}
	for name := range strings.SplitSeq(path, ".") {
		raw = readObject(raw)[name]
	}
	return word(raw)
}

package source

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"hookloop/internal/webhook"
)

var headerName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// check also refuses settings that a kind has no use for: their owner would believe that they
// protect something.
func (s *generic) check() error {
	if err := cmp.Or(s.Secrets.check("config.secrets"), s.checkFinding()); err != nil {
		return err
	}
	switch s.kind() {
	case genericHMAC:
		return s.checkHMAC()
	case genericToken:
		return s.checkUnsigned(checkHeader("config.header", s.Header, false))
	case genericBasic:
		return s.checkUnsigned(s.checkBasic())
	}
	return webhook.Invalidf("config.kind", "must be hmac, token or basic")
}

func (s *generic) checkFinding() error {
	switch {
	case s.IDPath != "" && s.IDHeader != "":
		return webhook.Invalidf("config.id_header", "cannot stand beside id_path")
	case s.TypePath != "" && s.TypeHeader != "":
		return webhook.Invalidf("config.type_header", "cannot stand beside type_path")
	}
	return cmp.Or(
		checkHeader("config.id_header", s.IDHeader, true),
		checkHeader("config.type_header", s.TypeHeader, true),
		checkPath("config.id_path", s.IDPath),
		checkPath("config.type_path", s.TypePath),
		s.checkContext(),
		s.checkRepeats(),
	)
}

func checkHeader(field, name string, optional bool) error {
	if !headerName.MatchString(name) && (name != "" || !optional) {
		return webhook.Invalidf(field, `must be the name of a header, like "X-Signature"`)
	}
	return nil
}

func checkPath(field, path string) error {
	names := strings.Split(path, ".")
	if path != "" && (len(names) > 16 || slices.Contains(names, "")) {
		return webhook.Invalidf(field, `must be a path like "data.id" of at most 16 names`)
	}
	return nil
}

func (s *generic) checkUnsigned(err error) error {
	switch {
	case err != nil:
		return err
	case s.Algorithm+s.Encoding+s.SecretEncoding+s.Signed+s.TimestampHeader+string(s.Tolerance) != "":
		return webhook.Invalidf("config.kind", "is %s, which signs nothing: algorithm, encoding, secret_encoding, signed, timestamp_header and tolerance are for kind hmac", s.Kind)
	case s.Username != "" && s.kind() != genericBasic:
		return webhook.Invalidf("config.username", "is for kind basic")
	}
	return nil
}

func (s *generic) checkBasic() error {
	switch {
	case s.Header != "" || s.Prefix != "":
		return webhook.Invalidf("config.header", "is not for kind basic, which has a header of its own")
	case strings.Contains(s.Username, ":"):
		return webhook.Invalidf("config.username", "must not contain a colon")
	}
	return nil
}

func (s *generic) checkHMAC() error {
	if err := checkHeader("config.header", s.Header, false); err != nil {
		return err
	}
	switch {
	case s.Username != "":
		return webhook.Invalidf("config.username", "is for kind basic")
	case s.hash() == nil:
		return webhook.Invalidf("config.algorithm", "must be sha1, sha256 or sha512")
	case encodings[s.Encoding] == nil:
		return webhook.Invalidf("config.encoding", "must be %s", oneOf(encodings))
	case s.SecretEncoding != "" && encodings[s.SecretEncoding] == nil:
		return webhook.Invalidf("config.secret_encoding", "must be %s or empty", oneOf(encodings))
	}
	for i, key := range s.keys(s.Secrets) {
		if key.Reveal() == "" {
			return webhook.Invalidf(fmt.Sprintf("config.secrets[%d]", i), "is not %s, as secret_encoding says", s.SecretEncoding)
		}
	}
	return s.checkTemplate()
}

// checkTemplate refuses a template that leaves out the body, or a time that is looked at.
func (s *generic) checkTemplate() error {
	for rest := s.template(); rest != ""; {
		part := nextPart(rest)
		rest = rest[len(part):]
		if known := part == partBody || part == partTimestamp || part == partID || part == partMethod; strings.ContainsAny(part, "{}") && !known {
			return webhook.Invalidf("config.signed", "may have {body}, {timestamp}, {id} and {method}, and no other braces")
		}
	}
	switch {
	case len(s.Signed) > 200: // each {body} in it is a body to hash
		return webhook.Invalidf("config.signed", "must have at most 200 bytes")
	case !s.signs(partBody):
		return webhook.Invalidf("config.signed", "must contain {body}: without it a stranger could send another body")
	case s.signs(partTimestamp) != (s.TimestampHeader != ""):
		return webhook.Invalidf("config.timestamp_header", "and {timestamp} in signed need each other: a time that is not signed proves nothing")
	case s.signs(partID) && s.IDHeader == "":
		return webhook.Invalidf("config.id_header", "must say which header {id} in signed is")
	case s.Tolerance != "" && s.TimestampHeader == "":
		return webhook.Invalidf("config.tolerance", "needs a timestamp_header")
	}
	return cmp.Or(
		checkHeader("config.timestamp_header", s.TimestampHeader, true),
		s.Tolerance.check("config.tolerance"),
	)
}

func oneOf[V any](table map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(table)), ", ")
}

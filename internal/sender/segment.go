package sender

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// segment is an element that an expression gave, as one segment of a path. Any visitor who fills in
// a form may have written it, and between us and an application stand proxies that decode what we
// encode before they look for segments. So it refuses what any of them could take for more than one
// segment or for a way up, however often it is encoded: the attempt fails.
func segment(element any) (string, error) {
	switch v := element.(type) {
	case json.Number:
		return v.String(), nil
	case string:
		if v == "" || v == "." || v == ".." {
			break
		}
		if !staysSegment(v) {
			return "", &shapeError{"path", "a segment holds a slash, a backslash, a control character or nothing but dots, and would lead elsewhere"}
		}
		return v, nil
	}
	return "", &shapeError{"path", "a segment is neither a number nor text of at least one character"}
}

// maxEncoded is how many times over a text may be encoded before it is no name any more.
const maxEncoded = 8

// staysSegment says whether a text is one segment to every reader: as it is, and after each
// decoding of what looks encoded in it.
func staysSegment(text string) bool {
	for range maxEncoded {
		if !isName(text) {
			return false
		}
		decoded := decodeOnce(text)
		if decoded == text {
			return true
		}
		text = decoded
	}
	return false
}

// isName looks at a text as servers do that fold what looks alike, a full-width slash into a slash,
// and that leave out what follows a semicolon, as Tomcat does. Bytes that are not UTF-8 may be a
// slash in an encoding that is longer than it has to be.
func isName(text string) bool {
	if !utf8.ValidString(text) {
		return false
	}
	folded := norm.NFKC.String(text)
	if strings.ContainsAny(folded, `/\`) || strings.ContainsFunc(folded, unicode.IsControl) {
		return false
	}
	name, _, _ := strings.Cut(folded, ";")
	return strings.Trim(name, ". ") != ""
}

// decodeOnce replaces every %2F and %u002F by what it stands for, and leaves what is not encoded
// well.
func decodeOnce(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for len(text) > 0 {
		switch {
		case len(text) >= 3 && text[0] == '%' && isHex(text[1:3]):
			n, _ := strconv.ParseUint(text[1:3], 16, 8) // it is hex
			b.WriteByte(byte(n))
			text = text[3:]
		case len(text) >= 6 && (text[:2] == "%u" || text[:2] == "%U") && isHex(text[2:6]):
			n, _ := strconv.ParseUint(text[2:6], 16, 16) // likewise
			b.WriteRune(rune(n))
			text = text[6:]
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}

func isHex(s string) bool {
	return strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

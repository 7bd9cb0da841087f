package sender

import (
	"encoding/base64"
	"encoding/hex"
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// notKept stands for a body that repeats a secret in a form that cannot be taken out of it.
const notKept = "(not kept: the answer repeats a header of the endpoint in another form)"

// unwrapping is how often one encoding within another is undone: JSON within HTML within a query,
// say.
const unwrapping = 3

// decoders undo what programs do to a text on its way into an answer.
var decoders = []func(string) string{html.UnescapeString, percentDecoded, unescaped, unwrapped}

// repeats says whether a text holds one of the words in another form than its own: escaped as in
// JSON, JavaScript, HTML or a URL, wrapped, in base64 or in hexadecimal digits.
func repeats(text string, words []string) bool {
	seen := map[string]bool{text: true}
	for round, now := 0, []string{text}; round <= unwrapping && len(now) > 0; round++ {
		var next []string
		for _, t := range now {
			if holdsAny(t, words) || round < unwrapping && packed(t, words) {
				return true
			}
			for _, decode := range decoders {
				if d := decode(t); !seen[d] {
					seen[d] = true
					next = append(next, d)
				}
			}
		}
		now = next
	}
	return false
}

func holdsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

func percentDecoded(s string) string {
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		b, _ := hex.DecodeString(e[1:])
		return string(b)
	})
}

var backslash = regexp.MustCompile(`\\(u[0-9A-Fa-f]{4}|u\{[0-9A-Fa-f]{1,6}\}|x[0-9A-Fa-f]{2}|[0-3][0-7]{2}|[^ux0-3])`)

// unescaped undoes the escapes of JSON and of programming languages, none of which stands for a
// pair of surrogates: headers hold no such characters.
func unescaped(s string) string {
	return backslash.ReplaceAllStringFunc(s, func(e string) string {
		digits, base := strings.Trim(e[2:], "{}"), 16
		switch e[1] {
		case 'u', 'x':
		case '0', '1', '2', '3':
			digits, base = e[1:], 8
		default:
			return e[1:]
		}
		n, err := strconv.ParseInt(digits, base, 32)
		if err != nil {
			return e
		}
		return string(rune(n))
	})
}

// softBreak is how quoted-printable ends a line that goes on.
var softBreak = strings.NewReplacer("=\r\n", "", "=\n", "")

// unwrapped leaves out what a mail program, say, breaks lines with.
func unwrapped(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, softBreak.Replace(s))
}

var run = regexp.MustCompile(`[A-Za-z0-9+/_-]{8,}`)

// packed says whether a run of letters and digits holds a word, read as base64 from each of four
// places, or as hexadecimal digits from either.
func packed(text string, words []string) bool {
	for _, r := range run.FindAllString(text, -1) {
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(r)
		for from := range 4 {
			part := plain[from:]
			if b, err := base64.RawStdEncoding.DecodeString(part[:len(part)-len(part)%4]); err == nil && holdsAny(string(b), words) {
				return true
			}
			if b, err := base64.RawStdEncoding.DecodeString(part); err == nil && holdsAny(string(b), words) { // its last letters, too
				return true
			}
			if b, _ := hex.DecodeString(part); from < 2 && holdsAny(string(b), words) { // what is before the first other letter
				return true
			}
		}
	}
	return false
}

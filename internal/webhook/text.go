package webhook

import (
	"encoding/json"
	"unicode/utf8"
)

// Cut shortens s to at most n bytes and whole characters.
func Cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Quote writes s as a JSON string.
func Quote(s string) []byte {
	q, _ := json.Marshal(s) // a string always marshals
	return q
}

package source

import (
	"bytes"
	"encoding/json"
	"mime"
	"net/url"
	"strings"
)

// form is an application/x-www-form-urlencoded body in the order it came; url.ParseQuery forgets it.
type form []formField

type formField struct{ name, value string }

// isForm does not go by the content type alone, which nobody signs: JSON in which somebody wrote
// "&payload=" would become a form by changing it.
func isForm(r Request) bool {
	t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")) // empty when it cannot be read
	return t == "application/x-www-form-urlencoded" && !json.Valid(r.Body)
}

// readForm keeps the first of two fields of one name, the one url.Values.Get gives too.
func readForm(body []byte) (form, error) {
	var f form
	seen := map[string]bool{}
	for pair := range strings.SplitSeq(string(body), "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, wrongName := url.QueryUnescape(name)
		value, wrongValue := url.QueryUnescape(value)
		if wrongName != nil || wrongValue != nil {
			return nil, unreadable("the form in the body is not valid")
		}
		if pair != "" && !seen[name] {
			seen[name] = true
			f = append(f, formField{name: name, value: value})
		}
	}
	return f, nil
}

// get gives the value of a field; empty when there is none.
func (f form) get(name string) string {
	for _, field := range f {
		if field.name == name {
			return field.value
		}
	}
	return ""
}

// json is the form as an object of strings, its fields in their order.
func (f form) json() json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // as a person would write it
	write := func(s string) {
		_ = enc.Encode(s) // a string always encodes
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		write(field.name)
		b.WriteByte(':')
		write(field.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

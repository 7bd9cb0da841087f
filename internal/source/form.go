package source

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// form is an application/x-www-form-urlencoded body in the order it came; url.ParseQuery forgets
// it.
type form []formField

// formField is a field and all its values.
type formField struct {
	name   string
	values []string
}

// maxFormFields bounds what is kept of a form: a body of nothing but "&a&b" could hold millions.
const maxFormFields = 10_000

// isForm does not go by the content type alone, which no signature covers: JSON in which a person
// wrote "&payload=" would become a form by changing it.
func isForm(r Request) bool {
	return mediaType(r.Header.Get("Content-Type")) == "application/x-www-form-urlencoded" && !json.Valid(r.Body)
}

// readForm puts the values of fields of one name together, where the first stands.
func readForm(body []byte) (form, error) {
	var f form
	at, values := map[string]int{}, 0
	for pair := range strings.SplitSeq(string(body), "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, wrongName := formText(name)
		value, wrongValue := formText(value)
		if wrongName != nil || wrongValue != nil {
			return nil, unreadable("the form is not valid")
		}
		if values++; values > maxFormFields {
			return nil, unreadable("the form has too many fields")
		}
		if i, seen := at[name]; seen {
			f[i].values = append(f[i].values, value)
			continue
		}
		at[name] = len(f)
		f = append(f, formField{name: name, values: []string{value}})
	}
	return f, nil
}

// formText decodes a name or value. What is no UTF-8 is what browsers send where nothing else is
// said.
func formText(escaped string) (string, error) {
	s, err := url.QueryUnescape(escaped)
	return inUTF8(s), err
}

// get gives the first value of a field, as url.Values.Get does; empty when there is none.
func (f form) get(name string) string {
	i := slices.IndexFunc(f, func(field formField) bool { return field.name == name })
	if i < 0 {
		return ""
	}
	return f[i].values[0]
}

// json is the form as an object, its fields in their order: a string, or a list of strings where a
// field came several times.
func (f form) json() json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, field := range f {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(&b, field.name)
		b.WriteByte(':')
		if len(field.values) == 1 {
			writeJSON(&b, field.values[0])
		} else {
			writeJSON(&b, field.values)
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}

// writeJSON writes strings as a person would, without HTML's escapes.
func writeJSON(b *bytes.Buffer, v any) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // strings always encode
	b.Truncate(b.Len() - 1)
}

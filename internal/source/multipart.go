package source

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"hookloop/internal/webhook"
)

// isMultipart goes by the body as isForm does.
func isMultipart(r Request) bool {
	return mediaType(r.Header.Get("Content-Type")) == "multipart/form-data" && !json.Valid(r.Body)
}

// multipartForm is a multipart/form-data body as a JSON object in the making: its fields in their
// order, those of one name where the first stands.
type multipartForm struct {
	names  []string
	values map[string][][]byte
	parts  int
	size   int
}

// formFile is a file in a form.
type formFile struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type,omitempty"`
	Base64      string `json:"base64"`
}

// readMultipart gives a form as readForm does; a file is an object that holds its bytes in Base64.
func readMultipart(contentType string, body []byte) (json.RawMessage, error) {
	_, params, err := mime.ParseMediaType(contentType)
	if err != nil || params["boundary"] == "" {
		return nil, unreadable("the form has no boundary")
	}
	f := multipartForm{values: map[string][][]byte{}}
	for reader := multipart.NewReader(bytes.NewReader(body), params["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF { //nolint:errorlint // one that is wrapped is a body that broke off
			return f.json(), nil
		}
		if err != nil {
			return nil, unreadable("the form is not valid")
		}
		if err := f.add(part); err != nil {
			return nil, err
		}
	}
}

func (f *multipartForm) add(part *multipart.Part) error {
	if f.parts++; f.parts > maxFormFields {
		return unreadable("the form has too many fields")
	}
	content, err := io.ReadAll(part) // no more than the body has
	if err != nil {
		return unreadable("the form is not valid")
	}
	name := inUTF8(part.FormName())
	value, err := f.value(part, content)
	if err != nil {
		return err
	}
	if f.size += len(name) + len(value); f.size > webhook.MaxData {
		return unreadable("the form is larger as JSON than an event may be")
	}
	if _, seen := f.values[name]; !seen {
		f.names = append(f.names, name)
	}
	f.values[name] = append(f.values[name], value)
	return nil
}

func (f *multipartForm) value(part *multipart.Part, content []byte) (json.RawMessage, error) {
	if f.size+len(content) > webhook.MaxData {
		return nil, unreadable("the form is larger as JSON than an event may be")
	}
	var b bytes.Buffer
	if part.FileName() == "" {
		writeJSON(&b, inUTF8(string(content)))
		return b.Bytes(), nil
	}
	writeJSON(&b, formFile{
		Filename: inUTF8(part.FileName()), ContentType: inUTF8(part.Header.Get("Content-Type")), Base64: base64.StdEncoding.EncodeToString(content),
	})
	return b.Bytes(), nil
}

// inUTF8 reads what is no UTF-8 as formText does.
func inUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	text, _ := charmap.Windows1252.NewDecoder().String(s) // it has a character for every byte
	return text
}

func (f *multipartForm) json() json.RawMessage {
	var b bytes.Buffer
	b.Grow(f.size + 8*f.parts)
	b.WriteByte('{')
	for i, name := range f.names {
		if i > 0 {
			b.WriteByte(',')
		}
		writeJSON(&b, name)
		b.WriteByte(':')
		if all := f.values[name]; len(all) == 1 {
			b.Write(all[0])
		} else {
			b.WriteByte('[')
			b.Write(bytes.Join(all, []byte(",")))
			b.WriteByte(']')
		}
	}
	b.WriteByte('}')
	return b.Bytes()
}

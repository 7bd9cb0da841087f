package source

import (
	"bytes"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// utf8Mark is the byte order mark that .NET and SharePoint write before JSON. RFC 8259 lets a
// reader pass over it.
var utf8Mark = []byte("\xef\xbb\xbf")

// Readable is a verified request with its body in UTF-8 and without a byte order mark, as Read
// wants it. What is UTF-8 already stays as it is, byte for byte, under any name of a charset.
func Readable(r Request) (Request, error) {
	body, marked := bytes.CutPrefix(r.Body, utf8Mark)
	if marked {
		r.Body = body
		return r, nil
	}
	from := charsetOf(r)
	if from == nil {
		return r, nil
	}
	text, err := from.NewDecoder().Bytes(r.Body)
	if err != nil {
		return r, unreadable("the body is not in the charset it is said to be in")
	}
	r.Body = text
	return r, nil
}

// charsets are those that are met beside UTF-8, by their names without "-" and "_".
var charsets = map[string]encoding.Encoding{
	"utf16":       unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf16le":     unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf16be":     unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"iso88591":    charmap.Windows1252, // what is sent under this name, as in HTML
	"latin1":      charmap.Windows1252,
	"usascii":     charmap.Windows1252,
	"windows1252": charmap.Windows1252,
	"cp1252":      charmap.Windows1252,
	"iso885915":   charmap.ISO8859_15,
	"latin9":      charmap.ISO8859_15,
}

// charsetOf is what a body has to be decoded from; nil: nothing. The mark counts more than the
// name, and a name only where the body cannot be UTF-8.
func charsetOf(r Request) encoding.Encoding {
	if bytes.HasPrefix(r.Body, []byte{0xff, 0xfe}) || bytes.HasPrefix(r.Body, []byte{0xfe, 0xff}) {
		return charsets["utf16"]
	}
	name := charsetName(r.Header.Get("Content-Type"))
	if strings.HasPrefix(name, "utf16") || !utf8.Valid(r.Body) {
		return charsets[name]
	}
	return nil
}

func charsetName(contentType string) string {
	_, params, _ := mime.ParseMediaType(contentType) // none where it cannot be read
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(params["charset"]))
}

// mediaType is a content type without its parameters, which not every sender writes as they should
// be.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

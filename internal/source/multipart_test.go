package source_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

func multipartBody(boundary string, parts ...string) string {
	return "--" + boundary + "\r\n" + strings.Join(parts, "\r\n--"+boundary+"\r\n") + "\r\n--" + boundary + "--\r\n"
}

func formPart(name, value string) string {
	return `Content-Disposition: form-data; name="` + name + `"` + "\r\n\r\n" + value
}

// readForm reads a form that a token let in.
func readForm(t *testing.T, contentType, body string) (source.Received, error) {
	t.Helper()
	p := newProvider(t, "hmac", `{"kind":"token","secrets":["`+secret+`"],"header":"X-Token","id_path":"id","type_path":"event"}`)
	return p.Read(post(body, "Content-Type", contentType))
}

func TestMultipartForms(t *testing.T) {
	t.Parallel()
	parts := []string{
		formPart("z", "first"), formPart("event", "mail.received"), formPart("id", "7"), formPart("z", "second"), formPart("text", "é <&> \"\r\n--"), formPart("old", "caf\xe9"),
		`Content-Disposition: form-data; name="file"; filename="a.bin"` + "\r\nContent-Type: application/octet-stream\r\n\r\n\x00\xff",
		`Content-Disposition: form-data; name="none"; filename=""` + "\r\n\r\n",
	}
	got, err := readForm(t, "multipart/form-data; boundary=one", multipartBody("one", parts...))
	require.NoError(t, err)
	require.Len(t, got.Items, 1)
	i := got.Items[0]
	require.Equal(t, `{"z":["first","second"],"event":"mail.received","id":"7","text":"é <&> \"\r\n--","old":"café",`+
		`"file":{"filename":"a.bin","content_type":"application/octet-stream","base64":"`+base64.StdEncoding.EncodeToString([]byte{0, 0xff})+`"},"none":""}`, string(i.Data))
	require.Equal(t, "mail.received 7", i.Type+" "+i.Key)

	again, err := readForm(t, `Multipart/Form-Data; boundary="another one"`, multipartBody("another one", parts...))
	require.NoError(t, err)
	require.Equal(t, i.ID(), again.Items[0].ID(), "a boundary is drawn anew each time it is sent")
}

func TestFormsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	whole := multipartBody("b", formPart("a", "1"), formPart("b", "2"))
	var many []string
	for n := range 10_001 {
		many = append(many, formPart(fmt.Sprint(n), ""))
	}
	huge := `Content-Disposition: form-data; name="f"; filename="f"` + "\r\n\r\n" + strings.Repeat("x", 20<<20)
	for name, c := range map[string][2]string{
		"no boundary":       {"multipart/form-data", whole},
		"another boundary":  {"multipart/form-data; boundary=c", whole},
		"no content type":   {"multipart/form-data; boundary", whole},
		"broken off":        {"multipart/form-data; boundary=b", whole[:len(whole)-6]},
		"within a part":     {"multipart/form-data; boundary=b", whole[:20]},
		"nothing":           {"multipart/form-data; boundary=b", ""},
		"too many":          {"multipart/form-data; boundary=b", multipartBody("b", many...)},
		"too large as JSON": {"multipart/form-data; boundary=b", multipartBody("b", huge)},
	} {
		_, err := readForm(t, c[0], c[1])
		requireStatus(t, http.StatusBadRequest, err)
		require.Error(t, err, name)
	}
	got, err := readForm(t, "multipart/form-data; boundary=b", `{"id":7}`)
	require.NoError(t, err, "what is JSON is JSON under any content type, which no signature covers")
	require.Equal(t, `{"id":7}`, string(got.Items[0].Data))
}

func FuzzMultipart(f *testing.F) {
	f.Add("b", multipartBody("b", formPart("a", "1"), formPart("a", "2")))
	f.Fuzz(func(t *testing.T, boundary, body string) {
		got, err := readForm(t, "multipart/form-data; boundary="+boundary, body)
		if err == nil {
			require.NoError(t, webhook.CheckData(got.Items[0].Data))
		}
	})
}

package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"hookloop/internal/webhook"
)

// request gives an operation its request, embedded in its input. Bodies are read by the handlers
// and parsed by us, not by huma: encoding/json would accept duplicate and misspelt keys and lose
// the difference between null and absent.
type request struct{ gin *gin.Context }

// Resolve is called by huma with every request.
func (r *request) Resolve(c huma.Context) []error {
	r.gin = humagin.Unwrap(c)
	return nil
}

// body reads the JSON body whole. It is empty only if the operation may go without.
func (r *request) body(optional bool) ([]byte, error) {
	req := r.gin.Request
	if req.ContentLength == 0 && optional {
		return nil, nil
	}
	if err := checkJSON(req.Method, req.Header); err != nil {
		return nil, err
	}
	if req.ContentLength > webhook.MaxBody {
		return nil, tooLarge()
	}
	var b bytes.Buffer
	b.Grow(int(max(req.ContentLength, 0)) + bytes.MinRead)
	_, err := b.ReadFrom(http.MaxBytesReader(r.gin.Writer, req.Body, webhook.MaxBody))
	return bytes.TrimPrefix(b.Bytes(), byteOrderMark), bodyErr(err)
}

// byteOrderMark begins what some programs send as UTF-8; RFC 8259 lets readers pass over it.
var byteOrderMark = []byte("\xef\xbb\xbf")

// mergePatch is what RFC 7396 calls a body of PATCH.
const mergePatch = "application/merge-patch+json"

func checkJSON(method string, h http.Header) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "application/json" && (method != http.MethodPatch || kind != mergePatch) {
		return webhook.Errorf(UnsupportedMediaType, "the body must be sent as Content-Type: application/json")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return webhook.Errorf(UnsupportedMediaType, "the body must be UTF-8")
	}
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return webhook.Errorf(UnsupportedMediaType, "the body must be sent without a Content-Encoding")
	}
	return nil
}

func tooLarge() error {
	return webhook.Errorf(PayloadTooLarge, "the body is larger than %d bytes", webhook.MaxBody)
}

func bodyErr(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return webhook.Errorf(RequestTimeout, "the body did not arrive in time")
	}
	return webhook.Errorf(webhook.BadJSON, "the body broke off")
}

// field is one member of a JSON object, its value untouched.
type field struct {
	name  string
	value json.RawMessage
}

// isNull says whether the value is null, which clears a field.
func (f field) isNull() bool { return string(f.value) == "null" }

// fields reads one JSON object, in order, and refuses a name that appears twice.
func fields(body []byte) ([]field, error) {
	if !utf8.Valid(body) {
		return nil, webhook.Errorf(webhook.BadJSON, "body is not valid UTF-8")
	}
	if !json.Valid(body) {
		return nil, webhook.Errorf(webhook.BadJSON, "body is not valid JSON")
	}
	members, err := webhook.Members(body)
	if err != nil {
		return nil, err
	}
	all := make([]field, len(members))
	seen := map[string]bool{}
	for i, m := range members {
		if seen[m.Name] {
			return nil, webhook.Invalidf(m.Name, "appears twice")
		}
		seen[m.Name] = true
		all[i] = field{name: m.Name, value: m.Value}
	}
	return all, nil
}

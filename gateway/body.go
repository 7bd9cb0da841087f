package gateway

import (
	"bytes"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/gateway/schema"
	"hookloop/internal/webhook"
)

// request gives an operation its request, embedded in its input.
type request struct{ gin *gin.Context }

// Resolve is called by huma with every request.
func (r *request) Resolve(c huma.Context) []error {
	r.gin = humagin.Unwrap(c)
	return nil
}

// read reads the JSON body whole. It is empty only if the operation may go without.
func (r *request) read(optional bool) ([]byte, error) {
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
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge()
	}
	return bytes.TrimPrefix(b.Bytes(), byteOrderMark), problem.Reading(err)
}

// bodied is the input of an operation with a body. Huma reads none of them: encoding/json would
// accept names that appear twice or in another case, and huma's problems have no codes.
type bodied interface {
	// take reads the body and holds it to its bounds, before the handler is called.
	take(r huma.Registry) error
	// document describes it, and says whether a request may go without.
	document(r huma.Registry) (ref *huma.Schema, optional bool)
}

// body is one that api describes as a T. Null stands for what is absent.
type body[T any] struct {
	request

	value T
	raw   []byte         // as it came; empty: there was none
	tree  map[string]any // what is in it
}

func (b *body[T]) document(r huma.Registry) (*huma.Schema, bool) {
	return schema.Of[T](r), schema.IsOptional[T](r)
}

func (b *body[T]) take(r huma.Registry) (err error) {
	optional := schema.IsOptional[T](r)
	if b.raw, err = b.read(optional); err != nil || len(b.raw) == 0 && optional {
		return err
	}
	b.value, b.tree, err = schema.Read[T](r, b.raw)
	return err
}

// Inputs of operations that are a path and a body.
type (
	inTenant[T any] struct {
		body[T]
		TenantPath
	}
	inEvent[T any] struct {
		body[T]
		EventPath
	}
	inEndpoint[T any] struct {
		body[T]
		EndpointPath
	}
	inApproval[T any] struct {
		body[T]
		ApprovalPath
	}
)

// change is a body that changes a T: a merge patch (RFC 7396), held to the bounds of T once it is
// merged.
type change[T any] struct {
	request

	raw     []byte
	tree    map[string]any
	schemas huma.Registry
}

func (c *change[T]) document(r huma.Registry) (*huma.Schema, bool) {
	return schema.Change(r, schema.Of[T](r)), false
}

func (c *change[T]) take(r huma.Registry) (err error) {
	c.schemas = r
	if c.raw, err = c.read(false); err == nil {
		c.tree, err = schema.Tree(c.raw)
	}
	return err
}

// of gives what now is with the change.
func (c *change[T]) of(now T) (T, error) { return schema.Patched(c.schemas, now, c.tree) }

// rawBody is one that api describes as a T and that the handler reads by itself.
type rawBody[T any] struct{ request }

func (b *rawBody[T]) document(r huma.Registry) (*huma.Schema, bool) { return schema.Of[T](r), false }

func (b *rawBody[T]) take(huma.Registry) error { return nil }

// byteOrderMark begins what some programs send as UTF-8; RFC 8259 lets readers pass over it.
var byteOrderMark = []byte("\xef\xbb\xbf")

// mergePatch is what RFC 7396 calls a body of PATCH.
const mergePatch = "application/merge-patch+json"

func checkJSON(method string, h http.Header) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || kind != "application/json" && (method != http.MethodPatch || kind != mergePatch) {
		return webhook.Errorf(api.UnsupportedMediaType, "the body must be sent as Content-Type: application/json")
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return webhook.Errorf(api.UnsupportedMediaType, "the body must be UTF-8")
	}
	if coding := h.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return webhook.Errorf(api.UnsupportedMediaType, "the body must be sent without a Content-Encoding")
	}
	return nil
}

func tooLarge() error {
	return webhook.Errorf(api.PayloadTooLarge, "the body is larger than %d bytes", webhook.MaxBody)
}

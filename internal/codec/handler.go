package codec

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"

	"hookloop/internal/webhook"
)

// maxBody bounds a request. Temporal takes payloads of 2 MiB, which base64 makes 2.7 MiB of.
const maxBody = 4 << 20

// HandlerConfig is what a Handler is made of.
type HandlerConfig struct {
	Codec *Codec

	// Authorize says why a request may not be answered. It sees the head of the request only, and
	// comes before anything else is read. A payload does not tell whose it is: a caller that may
	// decode one may decode those of every tenant. Required, for forgetting it would make the keys
	// useless.
	Authorize func(*http.Request) error
	// Refuse answers what Authorize refused, with its error; nil: a 401 that gives no reason. The
	// UI repeats what is answered with 5xx.
	Refuse func(http.ResponseWriter, *http.Request, error)

	// Opened notes that a request had so many payloads decrypted, before it is answered: what
	// cannot be noted is not shown. Nil: that is noted nowhere.
	Opened func(r *http.Request, payloads int) error

	// Origins are those of Temporal UIs whose pages may ask ("https://temporal.example.com");
	// empty: no page of another origin may. The Temporal CLI needs none.
	Origins []string
}

// Handler is Temporal's codec server for its UI and CLI: POST {base}/decode and {base}/encode,
// below any base, as only the last part of the path counts. What the UI asks for:
//
//   - decode, for all that it shows;
//   - encode, for every input of a signal, update or start that a person types. It sends none without,
//     so an operator could not give a reason with an approval;
//   - download, for payloads outside of Temporal. We have none: 404.
//
// It is not the SDK's own handler, which answers with the errors of its JSON parser, and those
// quote the request, reads bodies of any length, and knows neither origins nor authorisation.
type Handler struct {
	codec     *Codec
	authorize func(*http.Request) error
	refuse    func(http.ResponseWriter, *http.Request, error)
	opened    func(*http.Request, int) error
	cors      cors
}

// NewHandler builds a Handler and names what is missing.
func NewHandler(c HandlerConfig) (*Handler, error) {
	switch {
	case c.Codec == nil:
		return nil, errors.New("codec server: Codec is missing")
	case c.Authorize == nil:
		return nil, errors.New("codec server: Authorize is missing")
	}
	if c.Refuse == nil {
		c.Refuse = unauthorized
	}
	allowed, err := newCORS(c.Origins)
	if err != nil {
		return nil, fmt.Errorf("codec server: %w", err)
	}
	return &Handler{codec: c.Codec, authorize: c.Authorize, refuse: c.Refuse, opened: c.Opened, cors: allowed}, nil
}

// ServeHTTP answers one request. It authorises the caller before it reads the body.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	convert := h.conversion(r)
	if convert == nil {
		fail(w, http.StatusNotFound, "there is nothing at this path")
		return
	}
	h.cors.allow(w, r)
	switch r.Method {
	case http.MethodPost:
	case http.MethodOptions:
		h.cors.preflight(w, r)
		return
	default:
		w.Header().Set("Allow", "POST, OPTIONS")
		fail(w, http.StatusMethodNotAllowed, "POST payloads here")
		return
	}
	if err := h.authorize(r); err != nil {
		h.refuse(w, r, err)
		return
	}
	h.convert(w, r, convert)
}

// conversion is what the path asks for; nil: nothing we do.
func (h *Handler) conversion(r *http.Request) func([]*commonpb.Payload) ([]*commonpb.Payload, error) {
	switch path.Base(r.URL.Path) {
	case "decode":
		return h.codec.Decode
	case "encode":
		return h.codec.Encode
	default:
		return nil
	}
}

func (h *Handler) convert(w http.ResponseWriter, r *http.Request, do func([]*commonpb.Payload) ([]*commonpb.Payload, error)) {
	// Other types need no preflight, so any page could send them.
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
		fail(w, http.StatusUnsupportedMediaType, "the content type must be application/json")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have %d bytes at most", maxBody))
		return
	}
	if err != nil {
		fail(w, http.StatusBadRequest, "the body did not arrive")
		return
	}
	var in commonpb.Payloads
	if protojson.Unmarshal(body, &in) != nil { // its words would quote the body
		fail(w, http.StatusBadRequest, `the body must be {"payloads": […]}, as protobuf's JSON`)
		return
	}
	payloads, err := do(in.GetPayloads())
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error())
		return
	}
	if n := decrypted(in.GetPayloads(), payloads); n > 0 && h.opened != nil {
		if err := h.opened(r, n); err != nil {
			fail(w, http.StatusTooManyRequests, "it cannot be noted who reads this, and so it is not shown; try again")
			return
		}
	}
	answer(w, payloads)
}

// decrypted is how many payloads were encrypted and are not any more.
func decrypted(before, after []*commonpb.Payload) (n int) {
	for i, p := range before {
		if isEncrypted(p) && !isEncrypted(after[i]) {
			n++
		}
	}
	return n
}

func isEncrypted(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[converter.MetadataEncoding]) == webhook.EncodingEncrypted
}

func answer(w http.ResponseWriter, payloads []*commonpb.Payload) {
	body, err := protojson.Marshal(&commonpb.Payloads{Payloads: payloads})
	if err != nil {
		fail(w, http.StatusBadRequest, "the payloads cannot be written as JSON")
		return
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store") // decoded data must not outlive the page
	_, _ = w.Write(body)
}

func unauthorized(w http.ResponseWriter, _ *http.Request, _ error) {
	w.Header().Set("WWW-Authenticate", "Bearer")
	fail(w, http.StatusUnauthorized, "unauthorized")
}

// fail answers in plain words: the UI shows the status only, people with curl read them. What is
// wrong with a request stays wrong, and the UI would repeat a 5xx, so this is always a 4xx.
func fail(w http.ResponseWriter, status int, why string) {
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, why, status)
}

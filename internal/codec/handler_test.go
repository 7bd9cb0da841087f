package codec_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"

	"hookloop/internal/codec"
)

const page = "https://temporal.example.com"

var errScope = errors.New("the token lacks the scope audit:read")

func bearer(r *http.Request) error {
	if r.Header.Get("Authorization") != "Bearer good" {
		return errScope
	}
	return nil
}

func newHandler(t testing.TB, c *codec.Codec, with func(*codec.HandlerConfig)) *codec.Handler {
	t.Helper()
	config := codec.HandlerConfig{Codec: c, Authorize: bearer, Origins: []string{page, "http://localhost:8233"}}
	if with != nil {
		with(&config)
	}
	h, err := codec.NewHandler(config)
	require.NoError(t, err)
	return h
}

// asked is a request as the Temporal UI makes it: a page of another origin, with a token.
func asked(method, path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, path, body)
	r.Header.Set("Origin", page)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Namespace", "default")
	r.Header.Set("Authorization", "Bearer good")
	return r
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func body(t testing.TB, payloads ...*commonpb.Payload) *strings.Reader {
	t.Helper()
	b, err := protojson.Marshal(&commonpb.Payloads{Payloads: payloads})
	require.NoError(t, err)
	return strings.NewReader(string(b))
}

func answered(t testing.TB, w *httptest.ResponseRecorder) []*commonpb.Payload {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code, w.Body)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	var got commonpb.Payloads
	require.NoError(t, protojson.Unmarshal(w.Body.Bytes(), &got))
	return got.GetPayloads()
}

func TestHandler(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	h := newHandler(t, c, nil)
	p, inClear := payload(oddJSON), payload("{}")
	for _, base := range []string{"", "/codec", "/a/b/encode"} {
		w := serve(h, asked(http.MethodPost, base+"/decode?preserveStorageRefs=true", body(t, one(t, c.Encode, p), inClear)))
		got := answered(t, w)
		require.Len(t, got, 2)
		requireEqual(t, p, got[0])
		requireEqual(t, inClear, got[1])
		require.Equal(t, page, w.Header().Get("Access-Control-Allow-Origin"))
		require.Empty(t, w.Header().Get("Access-Control-Allow-Credentials"))

		got = answered(t, serve(h, asked(http.MethodPost, base+"/encode", body(t, p))))
		require.Len(t, got, 1)
		requireEqual(t, p, one(t, c.Decode, got[0]))
	}
	require.Empty(t, answered(t, serve(h, asked(http.MethodPost, "/decode", strings.NewReader("{}")))))
}

// TestHandlerSpeaksToTheSDK: its remote converter is what other tools are built from.
func TestHandlerSpeaksToTheSDK(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	srv := httptest.NewServer(newHandler(t, c, nil))
	t.Cleanup(srv.Close)
	remote := converter.NewRemoteDataConverter(converter.GetDefaultDataConverter(), converter.RemoteDataConverterOptions{
		Endpoint: srv.URL + "/codec",
		ModifyRequest: func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer good")
			return nil
		},
	})
	sealed, err := c.Converter().ToPayloads(facts{Tenant: "acme"}, raw(oddJSON))
	require.NoError(t, err)
	var in facts
	var data converter.RawValue
	require.NoError(t, remote.FromPayloads(sealed, &in, &data))
	require.Equal(t, "acme", in.Tenant)
	requireEqual(t, payload(oddJSON), data.Payload())

	sealed, err = remote.ToPayloads(facts{Tenant: "acme"}, raw(oddJSON))
	require.NoError(t, err)
	require.NoError(t, c.Converter().FromPayloads(sealed, &in, &data))
	requireEqual(t, payload(oddJSON), data.Payload())
}

func TestHandlerRefuses(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	h := newHandler(t, c, nil)
	long := strings.NewReader(`{"payloads":[{"data":"` + strings.Repeat("A", 4<<20) + `"}]}`)
	for name, test := range map[string]struct {
		method, path string
		body         io.Reader
		header       []string
		status       int
	}{
		"download":           {path: "/download", status: 404},
		"another path":       {path: "/decode/", status: 200}, // the last part counts
		"no path":            {path: "/", status: 404},
		"a longer name":      {path: "/xdecode", status: 404},
		"GET":                {method: "GET", path: "/decode", status: 405},
		"no token":           {path: "/decode", header: []string{"Authorization", ""}, status: 401},
		"no token, encode":   {path: "/encode", header: []string{"Authorization", ""}, status: 401},
		"no token, no type":  {path: "/decode", header: []string{"Authorization", "", "Content-Type", ""}, status: 401},
		"a form":             {path: "/decode", header: []string{"Content-Type", "text/plain"}, status: 415},
		"with a charset":     {path: "/decode", header: []string{"Content-Type", "application/json; charset=utf-8"}, status: 200},
		"no JSON":            {path: "/decode", body: strings.NewReader(secret), status: 400},
		"not ours":           {path: "/decode", body: strings.NewReader(`{"payloads":[{"` + secret + `":1}]}`), status: 400},
		"no base64":          {path: "/decode", body: strings.NewReader(`{"payloads":[{"data":"` + secret + `!"}]}`), status: 400},
		"a list":             {path: "/decode", body: strings.NewReader(`[]`), status: 400},
		"nothing":            {path: "/decode", body: http.NoBody, status: 400},
		"broken off":         {path: "/decode", body: io.MultiReader(strings.NewReader("{"), brokenOff{}), status: 400},
		"too long":           {path: "/decode", body: long, status: 413},
		"a foreign key":      {path: "/decode", body: body(t, one(t, newCodec(t).Encode, payload(secret))), status: 400},
		"the whole, not one": {path: "/decode", body: body(t, payload(secret), one(t, newCodec(t).Encode, payload(secret))), status: 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.method == "" {
				test.method = http.MethodPost
			}
			if test.body == nil {
				test.body = strings.NewReader("{}")
			}
			r := asked(test.method, test.path, test.body)
			for i := 0; i < len(test.header); i += 2 {
				r.Header.Set(test.header[i], test.header[i+1])
			}
			w := serve(h, r)
			require.Equal(t, test.status, w.Code, w.Body)
			require.NotContains(t, w.Body.String(), secret)
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		})
	}
}

// brokenOff is a body that stops in the middle, with an error that says too much.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, errors.New(secret) }

func TestAForeignKeyIsNamedToTheOperator(t *testing.T) {
	t.Parallel()
	sealed := one(t, newCodec(t).Encode, payload(secret))
	w := serve(newHandler(t, newCodec(t), nil), asked(http.MethodPost, "/decode", body(t, sealed)))
	require.Contains(t, w.Body.String(), "add key "+keyID(sealed))
}

// TestStrangersAreNotRead: a caller is authorised before a byte of the body is read.
func TestStrangersAreNotRead(t *testing.T) {
	t.Parallel()
	var refused error
	h := newHandler(t, newCodec(t), func(c *codec.HandlerConfig) {
		c.Refuse = func(w http.ResponseWriter, _ *http.Request, err error) {
			refused = err
			w.WriteHeader(http.StatusForbidden)
		}
	})
	unread := strings.NewReader(`{"payloads":[]}`)
	r := asked(http.MethodPost, "/decode", unread)
	r.Header.Del("Authorization")
	w := serve(h, r)
	require.Equal(t, http.StatusForbidden, w.Code)
	require.ErrorIs(t, refused, errScope)
	require.Equal(t, 15, unread.Len())
	require.Equal(t, page, w.Header().Get("Access-Control-Allow-Origin"), "the page may see why")
}

func TestPreflight(t *testing.T) {
	t.Parallel()
	ask := func(h http.Handler, origin string) http.Header {
		r := httptest.NewRequest(http.MethodOptions, "/codec/decode?preserveStorageRefs=true", http.NoBody)
		r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		r.Header.Set("Access-Control-Request-Headers", "authorization,authorization-extras,content-type,x-namespace")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := serve(h, r)
		require.Equal(t, "Origin", w.Header().Get("Vary"))
		require.Equal(t, w.Header().Get("Access-Control-Allow-Origin") != "", w.Code == http.StatusNoContent)
		return w.Header()
	}
	h := newHandler(t, newCodec(t), nil)
	for _, origin := range []string{page, "http://localhost:8233"} {
		got := ask(h, origin)
		require.Equal(t, origin, got.Get("Access-Control-Allow-Origin"))
		require.Equal(t, "POST", got.Get("Access-Control-Allow-Methods"))
		for _, name := range []string{"Content-Type", "X-Namespace", "Authorization", "Authorization-Extras"} {
			require.Contains(t, strings.Split(got.Get("Access-Control-Allow-Headers"), ", "), name)
		}
		require.Equal(t, "600", got.Get("Access-Control-Max-Age"))
		require.Empty(t, got.Get("Access-Control-Allow-Credentials"))
	}
	for _, origin := range []string{
		"", "null", "*", "https://temporal.example.com.evil.example", "http://temporal.example.com",
		"https://temporal.example.com:8443", "https://evil.example",
	} {
		require.Empty(t, ask(h, origin).Get("Access-Control-Allow-Origin"), origin)
		require.Empty(t, ask(h, origin).Get("Access-Control-Allow-Headers"), origin)
	}
	require.Empty(t, ask(h, page).Get("Access-Control-Allow-Credentials"), "tokens are sent, cookies are not")
	none := newHandler(t, newCodec(t), func(c *codec.HandlerConfig) { c.Origins = nil })
	require.Empty(t, ask(none, page).Get("Access-Control-Allow-Origin"))
}

// TestAnotherOrigin: the CLI sends none, and a proxy may put gateway and UI under one. Neither is
// refused; a page elsewhere gets an answer that its browser keeps from it.
func TestAnotherOrigin(t *testing.T) {
	t.Parallel()
	c := newCodec(t)
	for _, origin := range []string{"", "https://hookloop.example.com"} {
		r := asked(http.MethodPost, "/decode", body(t, one(t, c.Encode, payload("{}"))))
		r.Header.Set("Origin", origin)
		w := serve(newHandler(t, c, nil), r)
		require.Len(t, answered(t, w), 1)
		require.Empty(t, w.Header().Get("Access-Control-Allow-Origin"))
		require.Equal(t, "Origin", w.Header().Get("Vary"))
	}
}

func TestNewHandlerNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := codec.HandlerConfig{Codec: newCodec(t), Authorize: bearer}
	config := good
	config.Codec = nil
	_, err := codec.NewHandler(config)
	require.ErrorContains(t, err, "Codec is missing")
	config = good
	config.Authorize = nil
	_, err = codec.NewHandler(config)
	require.ErrorContains(t, err, "Authorize is missing")
	for _, origin := range []string{
		"", "*", "https://*.example.com", "temporal.example.com", "https://", "https://temporal.example.com/",
		"https://temporal.example.com/ui", "https://Temporal.example.com", "https://temporal.example.com:443",
		"http://temporal.example.com:80", "https://me@temporal.example.com", "ftp://temporal.example.com", "https://:8233",
		"https://temporal.example.com?x", ":",
	} {
		config = good
		config.Origins = []string{page, origin}
		_, err = codec.NewHandler(config)
		require.ErrorContains(t, err, fmt.Sprintf("origin %q", origin))
	}
}

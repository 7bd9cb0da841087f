package source_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

func TestGenericAlgorithmsAndEncodings(t *testing.T) {
	t.Parallel()
	const body = `{"a":1}`
	for algorithm, h := range map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New} {
		mac := macOf(h, secret, body)
		for encoding, text := range map[string]string{
			"hex": hex.EncodeToString(mac), "base64": base64.StdEncoding.EncodeToString(mac), "base64url": base64.RawURLEncoding.EncodeToString(mac),
		} {
			p := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"`+algorithm+`","encoding":"`+encoding+`","prefix":"is="}`)
			require.NoError(t, p.Verify(t.Context(), post(body, "x-sig", "is="+text)), "%s %s", algorithm, encoding)
			for _, wrong := range []string{"", "is=", text, "is=" + text[:len(text)-4], "is=!" + text, "IS=" + text} {
				requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post(body, "x-sig", wrong)))
			}
		}
	}
	padded := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"base64url"}`)
	require.NoError(t, padded.Verify(t.Context(), post(body, "X-Sig", base64.URLEncoding.EncodeToString(macOf(sha256.New, secret, body)))))
}

func TestGenericTemplates(t *testing.T) {
	t.Parallel()
	for more, signed := range map[string]string{
		``:                                `{"b":"{id}"}`,
		`,"signed":"{body}"`:              `{"b":"{id}"}`,
		`,"signed":"v1:{method}:{body};"`: `v1:POST:{"b":"{id}"};`,
		`,"signed":"{body}{body}"`:        `{"b":"{id}"}{"b":"{id}"}`,
		`,"timestamp_header":"X-Time"`:    `1769860800.{"b":"{id}"}`,
		`,"signed":"{id}.{body}","id_header":"X-Id"`:                                         `7.{"b":"{id}"}`,
		`,"timestamp_header":"X-Time","signed":"{timestamp}:{id}:{body}","id_header":"X-Id"`: `1769860800:7:{"b":"{id}"}`,
	} {
		p := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"hex"`+more+`}`)
		r := post(`{"b":"{id}"}`, "X-Time", "1769860800", "X-Id", "7", "X-Sig", hexMAC(secret, signed))
		require.NoError(t, p.Verify(t.Context(), r), more)
		r.Body = []byte(`{"b":"7"}`)
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
	}
}

func TestGenericTimes(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"hex","timestamp_header":"X-Time","tolerance":"10s"}`)
	for stamp, valid := range map[string]bool{
		"1769860790": true, "1769860810": true, "1769860789": false, "1769860811": false, "": false, "2026-01-31T12:00:00Z": false,
	} {
		err := p.Verify(t.Context(), post("{}", "X-Time", stamp, "X-Sig", hexMAC(secret, stamp, ".{}")))
		require.Equal(t, valid, err == nil, "%s: %v", stamp, err)
	}
}

func TestGenericSecretEncodings(t *testing.T) {
	t.Parallel()
	for encoding, text := range map[string]string{"hex": "00ff10", "base64": "AP8Q"} {
		p := newProvider(t, "hmac", `{"secrets":["`+text+`"],"secret_encoding":"`+encoding+`","header":"X-Sig","algorithm":"sha256","encoding":"hex"}`)
		require.NoError(t, p.Verify(t.Context(), post("{}", "X-Sig", hexMAC("\x00\xff\x10", "{}"))))
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "X-Sig", hexMAC(text, "{}"))))
	}
}

func TestGenericTokens(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "hmac", `{"kind":"token","header":"X-Gitlab-Token","secrets":["new","old"]}`)
	require.NoError(t, p.Verify(t.Context(), post("{}", "X-Gitlab-Token", "new")))
	require.NoError(t, p.Verify(t.Context(), post("{}", "X-Gitlab-Token", "old")))
	for _, wrong := range []string{"", "newer", "ne", "New", "new,old"} {
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "X-Gitlab-Token", wrong)))
	}
	bearer := newProvider(t, "hmac", `{"kind":"token","header":"Authorization","prefix":"Bearer ","secrets":["t"]}`)
	require.NoError(t, bearer.Verify(t.Context(), post("{}", "Authorization", "Bearer t")))
	requireStatus(t, http.StatusUnauthorized, bearer.Verify(t.Context(), post("{}", "Authorization", "t")))
}

func TestGenericBasic(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "hmac", `{"kind":"basic","username":"u","secrets":["p:a:ss","old"]}`)
	basic := func(credentials string) source.Request {
		return post("{}", "Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(credentials)))
	}
	require.NoError(t, p.Verify(t.Context(), basic("u:p:a:ss")))
	require.NoError(t, p.Verify(t.Context(), basic("u:old")))
	for _, wrong := range []string{"", "u", "u:", "u:p", "v:old", ":old", "u:old "} {
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), basic(wrong)))
	}
	for _, wrong := range []string{"", "Basic", "Basic !", "Bearer u:old"} {
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), post("{}", "Authorization", wrong)))
	}
}

func TestGenericFindsIDAndType(t *testing.T) {
	t.Parallel()
	const body = `{"id":"top","data":{"id":12345678901234567890,"n":-1.50,"type":"made","no":null,"list":["x"],"a.b":"y"},"":{"":"z"}}`
	for more, want := range map[string][2]string{
		``:                               {"", hashOf(body)},
		`,"id_path":"id"`:                {"", "top"},
		`,"id_path":"data.id"`:           {"", "12345678901234567890"},
		`,"id_path":"data.n"`:            {"", "-1.50"},
		`,"type_path":"data.type"`:       {"made", hashOf(body)},
		`,"id_path":"data.no"`:           {"", hashOf(body)},
		`,"id_path":"data.list"`:         {"", hashOf(body)},
		`,"id_path":"data.list.0"`:       {"", hashOf(body)},
		`,"id_path":"data"`:              {"", hashOf(body)},
		`,"id_path":"id.id"`:             {"", hashOf(body)},
		`,"id_path":"nowhere.at.all"`:    {"", hashOf(body)},
		`,"type_header":"X-Event-Key"`:   {"repo:push", hashOf(body)},
		`,"type_header":"X-Not-There"`:   {"", hashOf(body)},
		`,"id_path":"id","type_path":""`: {"", "top"},
	} {
		p := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"hex"`+more+`}`)
		i := requireOnly(t, p, post(body, "X-Event-Key", "repo:push"))
		require.Equal(t, want, [2]string{i.Type, i.Key}, more)
		require.Equal(t, strings.HasPrefix(i.Key, "sha256:"), i.SameFor > 0, "known by its content alone")
		require.Equal(t, body, string(i.Data))
	}
}

// TestGenericTellsEventsApart: by id, type and content, each of them, wherever the id stands.
func TestGenericTellsEventsApart(t *testing.T) {
	t.Parallel()
	for _, more := range []string{`"signed":"{id}.{body}"`, `"signed":"{body}"`} {
		p := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"hex","id_header":"X-Id","type_header":"X-Type",`+more+`}`)
		first := requireOnly(t, p, post("{}", "X-Id", "7", "X-Type", "a"))
		require.Equal(t, first.ID(), requireOnly(t, p, post("{}", "X-Id", "7", "X-Type", "a")).ID())
		require.Zero(t, first.SameFor)
		for _, other := range []source.Request{
			post("{}", "X-Id", "8", "X-Type", "a"), post("{}", "X-Id", "7", "X-Type", "b"), post("[]", "X-Id", "7", "X-Type", "a"), post("{}", "X-Type", "a"),
		} {
			require.NotEqual(t, first.ID(), requireOnly(t, p, other).ID())
		}
	}
}

// TestGenericRepeats: without an id a source says how long the same content is a repeat.
func TestGenericRepeats(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]time.Duration{
		``:                    10 * time.Minute,
		`,"repeats":"window"`: 10 * time.Minute,
		`,"repeats":"window","repeats_window":"36h"`:   36 * time.Hour,
		`,"repeats_window":"1s"`:                       time.Second,
		`,"repeats":"content"`:                         0,
		`,"repeats":"none"`:                            source.Never,
		`,"repeats":"none","id_header":"X-Id"`:         0,
		`,"repeats":"window","id_path":"id"`:           0,
		`,"repeats":"content","id_path":"no.such.one"`: 0,
	} {
		p := newProvider(t, "hmac", `{"secrets":["k"],"kind":"token","header":"X-Token"`+more+`}`)
		require.Equal(t, want, requireOnly(t, p, post(`{"id":1}`, "X-Id", "7")).SameFor, more)
	}
	requireBadConfigs(t, "hmac", map[string]string{
		`{"secrets":["k"],"kind":"token","header":"X","repeats":"never"}`:                         "config.repeats",
		`{"secrets":["k"],"kind":"token","header":"X","repeats_window":"10"}`:                     "config.repeats_window",
		`{"secrets":["k"],"kind":"token","header":"X","repeats_window":"2161h"}`:                  "config.repeats_window",
		`{"secrets":["k"],"kind":"token","header":"X","repeats_window":"-1s"}`:                    "config.repeats_window",
		`{"secrets":["k"],"kind":"token","header":"X","repeats":"none","repeats_window":"1m"}`:    "config.repeats_window",
		`{"secrets":["k"],"kind":"token","header":"X","repeats":"content","repeats_window":"1m"}`: "config.repeats_window",
	})
}

// TestGenericForms: a form is an object of its fields, and so is the query of what has no body.
func TestGenericForms(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "hmac", `{"secrets":["k"],"kind":"token","header":"X-Token","id_path":"a.b","type_path":"event"}`)
	form := func(body, contentType string) source.Request { return post(body, "Content-Type", contentType) }
	query := func(method, query, body string) source.Request {
		r := post(body)
		r.Method, r.Query = method, query
		return r
	}
	const kind = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		r    source.Request
		want string
	}{
		{form("email=zoe%40example.com&name=Zo%C3%AB&points=5", kind), `{"email":"zoe@example.com","name":"Zoë","points":"5"}`},
		{form("tag[]=a&x=1&tag[]=b", kind+"; charset=utf8; charset=x"), `{"tag[]":["a","b"],"x":"1"}`},
		{form("name=Zo%EB", kind+";charset=iso-8859-1"), `{"name":"Zoë"}`},
		{form("", kind), `{}`},
		{query("GET", "email=a&email=b", ""), `{"email":["a","b"]}`},
		{query("DELETE", "", ""), `{}`},
		{query("POST", "id=7", ""), `{"id":"7"}`},
		{query("PUT", "id=7", `{"x":1}`), `{"x":1}`},
		{form(`{"x":"&=1"}`, kind), `{"x":"&=1"}`},
		{form(`{"x":1}`, "application/vnd.api+json;charset=utf8"), `{"x":1}`},
	} {
		require.Equal(t, c.want, string(requireOnly(t, p, c.r).Data))
	}
	i := requireOnly(t, p, form("a.b=9&event=made", kind))
	require.Equal(t, []string{"9", "made"}, []string{i.Key, i.Type})
	for _, bad := range []source.Request{form("a=%7", kind), form("a=1", "text/plain"), form("", "application/json"), form(strings.Repeat("a&", 10_001), kind)} {
		_, err := p.Read(bad)
		requireStatus(t, http.StatusBadRequest, err)
	}
}

func TestGenericContext(t *testing.T) {
	t.Parallel()
	p := newProvider(t, "hmac", `{"secrets":["k"],"kind":"token","header":"X-Token","context_headers":["X-WC-Webhook-Source","X-None"]}`)
	i := requireOnly(t, p, post("{}", "X-WC-Webhook-Source", "https://shop.test/", "X-Token", "k"))
	require.JSONEq(t, `{"x-wc-webhook-source":"https://shop.test/"}`, string(i.Context))
	requireBadConfigs(t, "hmac", map[string]string{
		`{"secrets":["k"],"kind":"token","header":"X","context_headers":["a b"]}`:                                                               "config.context_headers[0]",
		`{"secrets":["k"],"kind":"token","header":"X","context_headers":["Y","x"]}`:                                                             "config.context_headers[1]",
		`{"secrets":["k"],"kind":"basic","username":"u","context_headers":["authorization"]}`:                                                   "config.context_headers[0]",
		`{"secrets":["k"],"kind":"token","header":"X","context_headers":["a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a","a"]}`: "config.context_headers",
	})
}

func TestGenericConfigs(t *testing.T) {
	t.Parallel()
	const hmac = `{"secrets":["k"],"header":"X-Sig","algorithm":"sha256","encoding":"hex"`
	requireBadConfigs(t, "hmac", map[string]string{
		`{"header":"X-Sig","algorithm":"sha256","encoding":"hex"}`:       "config.secrets",
		`{"secrets":["k"],"algorithm":"sha256","encoding":"hex"}`:        "config.header",
		`{"secrets":["k"],"header":"X-Sig","encoding":"hex"}`:            "config.algorithm",
		`{"secrets":["k"],"header":"X-Sig","algorithm":"sha256"}`:        "config.encoding",
		hmac + `,"algorithm":"md5"}`:                                     "config.algorithm",
		hmac + `,"algorithm":7}`:                                         "config.algorithm",
		hmac + `,"encoding":"raw"}`:                                      "config.encoding",
		hmac + `,"header":"X Sig"}`:                                      "config.header",
		hmac + `,"kind":"none"}`:                                         "config.kind",
		hmac + `,"kind":"token"}`:                                        "config.kind",
		hmac + `,"kind":"basic"}`:                                        "config.header",
		hmac + `,"username":"u"}`:                                        "config.username",
		hmac + `,"signed":"{timestamp}"}`:                                "config.signed",
		hmac + `,"signed":"{body}{path}"}`:                               "config.signed",
		hmac + `,"signed":"{body}{"}`:                                    "config.signed",
		hmac + `,"signed":"` + strings.Repeat("{body}", 34) + `"}`:       "config.signed",
		hmac + `,"signed":"}{body}"}`:                                    "config.signed",
		hmac + `,"signed":"{body}.{timestamp}"}`:                         "config.timestamp_header",
		hmac + `,"signed":"{body}","timestamp_header":"X-Time"}`:         "config.timestamp_header",
		hmac + `,"timestamp_header":"X:Time"}`:                           "config.timestamp_header",
		hmac + `,"signed":"{id}{body}"}`:                                 "config.id_header",
		hmac + `,"tolerance":"5m"}`:                                      "config.tolerance",
		hmac + `,"tolerance":"x","timestamp_header":"X-Time"}`:           "config.tolerance",
		hmac + `,"secret_encoding":"hex"}`:                               "config.secrets[0]",
		hmac + `,"secret_encoding":"utf8"}`:                              "config.secret_encoding",
		hmac + `,"id_path":"a..b"}`:                                      "config.id_path",
		hmac + `,"type_path":"."}`:                                       "config.type_path",
		hmac + `,"id_path":"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a"}`:         "config.id_path",
		hmac + `,"id_path":"a","id_header":"X-Id"}`:                      "config.id_header",
		hmac + `,"type_path":"a","type_header":"X-Type"}`:                "config.type_header",
		hmac + `,"id_header":"X\nId"}`:                                   "config.id_header",
		hmac + `,"type_header":"é"}`:                                     "config.type_header",
		`{"secrets":["k"],"kind":"token"}`:                               "config.header",
		`{"secrets":["k"],"kind":"token","header":"X","username":"u"}`:   "config.username",
		`{"secrets":["k"],"kind":"token","header":"X","tolerance":"5m"}`: "config.kind",
		`{"secrets":["k"],"kind":"basic","username":"a:b"}`:              "config.username",
		`{"secrets":["k"],"kind":"basic","prefix":"x"}`:                  "config.header",
	})
}

func FuzzGenericConfig(f *testing.F) {
	f.Add("{timestamp}.{body}", "data.id", "X-Time", "", "{}")
	f.Add("{", "..", "", "", `{"a":{"b":1}}`)
	f.Add("{body}}{{id}", "", "", "X-Id", `[1]`)
	f.Add("{id}{method}{body}", "", "", "X-Id", `{"a":{"b":1}}`)
	f.Fuzz(func(t *testing.T, signed, path, stamp, id, body string) {
		config, err := json.Marshal(map[string]any{
			"secrets": []string{secret}, "header": "X-Sig", "algorithm": "sha256", "encoding": "hex",
			"signed": signed, "id_path": path, "timestamp_header": stamp, "id_header": id,
		})
		require.NoError(t, err)
		p, err := configure("hmac", string(config))
		if err != nil {
			return
		}
		r := post(body, "X-Sig", hexMAC("another", body))
		requireStatus(t, http.StatusUnauthorized, p.Verify(t.Context(), r))
		if received, err := p.Read(r); err == nil {
			require.NotEmpty(t, received.Items[0].ID())
		}
	})
}

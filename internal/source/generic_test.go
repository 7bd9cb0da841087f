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
		require.Empty(t, i.Identity)
		require.Equal(t, body, string(i.Data))
	}
}

// An id in a header that is not signed can be changed by whoever caught the request.
func TestGenericIdentityOfUnsignedIDs(t *testing.T) {
	t.Parallel()
	unsigned := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"hex","id_header":"X-Id"}`)
	i := requireOnly(t, unsigned, post("{}", "X-Id", "7"))
	require.Equal(t, []string{"7", hashOf("{}")}, []string{i.Key, i.ID()})
	signed := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"header":"X-Sig","algorithm":"sha256","encoding":"hex","id_header":"X-Id","signed":"{id}.{body}"}`)
	require.Equal(t, "7", requireOnly(t, signed, post("{}", "X-Id", "7")).ID())
	token := newProvider(t, "hmac", `{"secrets":["`+secret+`"],"kind":"token","header":"X-Token","id_header":"X-Id"}`)
	require.Equal(t, "7", requireOnly(t, token, post("{}", "X-Id", "7")).ID(), "who caught this can send anything")
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

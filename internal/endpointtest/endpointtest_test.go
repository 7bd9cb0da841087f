package endpointtest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

func TestParseScript(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		script, err string
		want        []int // the first answers
	}{
		{script: "", want: []int{200, 200}},
		{script: "503", want: []int{503, 503, 503}},
		{script: "503 503 200", want: []int{503, 503, 200, 200, 200}},
		{script: "503:3", want: []int{503, 503, 503, 200, 200}},
		{script: "500:2,404", want: []int{500, 500, 404, 404}},
		{script: " 410 , 204:1 ", want: []int{410, 204, 200}},
		{script: "abc", err: `"abc" is not a status from 200 to 599, "hang" or "drop"`},
		{script: "99", err: `"99" is not a status`},
		{script: "101", err: `"101" is not a status`},
		{script: "+20", err: `"+20" is not a status`},
		{script: "600", err: `"600" is not a status`},
		{script: ":3", err: `"" is not a status`},
		{script: "503:", err: `"" is not a number of times from 1 to 1000000`},
		{script: "503:0", err: `"0" is not a number of times`},
		{script: "503:-1 200", err: `"-1" is not a number of times`},
		{script: "200 503:x", err: `"x" is not a number of times`},
	} {
		t.Run(tc.script, func(t *testing.T) {
			t.Parallel()
			_, err := endpointtest.ParseScript(tc.script)
			if tc.err != "" {
				require.ErrorContains(t, err, tc.err)
				return
			}
			require.NoError(t, err)
			srv := endpointtest.Start(t, endpointtest.Config{Script: tc.script})
			for _, want := range tc.want {
				require.Equal(t, want, post(t, srv.URL, nil, "{}"))
			}
		})
	}
}

func TestScriptedBreaks(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "drop hang:1"})

	_, err := http.Post(srv.URL, "application/json", strings.NewReader("{}")) //nolint:bodyclose,noctx // there is no answer
	require.ErrorIs(t, err, io.EOF)

	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, srv.URL, strings.NewReader("{}"))
		_, err = http.DefaultClient.Do(req) //nolint:bodyclose // there is no answer
	})
	srv.MustWait(t, 2)
	cancel()
	wg.Wait()
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, http.StatusOK, post(t, srv.URL, nil, "{}"))

	got := srv.Receipts()
	require.Equal(t, []int{0, 0, 200}, []int{got[0].Status, got[1].Status, got[2].Status})
}

func TestReceipt(t *testing.T) {
	t.Parallel()
	secret := signature.NewSecret()
	var told []string
	srv := endpointtest.Start(t, endpointtest.Config{
		Script: "202", Header: http.Header{"Retry-After": {"7"}}, Body: "thanks",
		OnReceipt: func(r endpointtest.Receipt) { told = append(told, r.ID) },
	})
	sign := func(body string) http.Header {
		now := time.Now()
		h := http.Header{}
		h.Set(signature.HeaderID, "evt_1")
		h.Set(signature.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
		h.Set(signature.HeaderSignature, signature.Sign([]signature.Secret{secret}, "evt_1", now, []byte(body)))
		return h
	}
	require.Equal(t, 202, post(t, srv.URL, sign("{}"), "{}"))
	srv.Trust(secret)
	require.Equal(t, 202, post(t, srv.URL, sign("{}"), "{}"))
	require.Equal(t, 202, post(t, srv.URL, sign("{}"), "{ }"))

	got := srv.MustWait(t, 3)
	require.ErrorIs(t, got[0].Verified, endpointtest.ErrUnverified)
	require.NoError(t, got[1].Verified)
	require.ErrorIs(t, got[2].Verified, signature.ErrNoMatch)
	require.Equal(t, "{ }", string(got[2].Body))
	require.Equal(t, "evt_1", got[1].Header.Get(signature.HeaderID))
	require.Equal(t, []string{"evt_1", "evt_1", "evt_1"}, told)
}

func TestMend(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503"})
	require.Equal(t, 503, post(t, srv.URL, nil, "{}"))
	srv.Mend()
	require.Equal(t, 200, post(t, srv.URL, nil, "{}"))
}

func TestForgetKeepsCounting(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503:1", Forget: true})
	require.Equal(t, 503, post(t, srv.URL, nil, "{}"))
	require.Equal(t, 200, post(t, srv.URL, nil, "{}"))
	require.Empty(t, srv.Receipts())
}

func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{})
	post(t, srv.URL, nil, "{}")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got, err := srv.Wait(ctx, 2)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, got, 1)
}

func TestOtherRequestsAreNoDeliveries(t *testing.T) {
	t.Parallel()
	srv := endpointtest.Start(t, endpointtest.Config{Script: "503"})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusMethodNotAllowed, do(t, req))
	require.Equal(t, http.StatusBadRequest, post(t, srv.URL, nil, strings.Repeat("x", webhook.MaxData+1<<20+1)))
	require.Empty(t, srv.Receipts())
}

func post(t *testing.T, url string, h http.Header, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader([]byte(body)))
	require.NoError(t, err)
	if h != nil {
		req.Header = h
	}
	return do(t, req)
}

func do(t *testing.T, req *http.Request) int {
	t.Helper()
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return resp.StatusCode
}

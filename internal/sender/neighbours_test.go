package sender_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

const kib = 1 << 10

// want is what an attempt at a bad neighbour must say.
type want struct {
	status  int
	failure webhook.Failure
	error   string // its beginning
	body    string
}

// patience is what an attempt may take that does not run out of time by intent: far more than one
// takes on a busy machine. Nothing waits for it when all is well.
const patience = webhook.MaxTimeout

// short is the time of an attempt that is to run out of it. What comes before (a connection, a
// handshake, half an answer) must happen within it on a slow machine too.
const short = 5 * time.Second

// meet makes one attempt.
func meet(t *testing.T, s *sender.Sender, url string, w want) {
	t.Helper()
	meetFor(t, patience, s, url, w)
}

// meetFor makes one attempt of at most that long.
func meetFor(t *testing.T, timeout time.Duration, s *sender.Sender, url string, w want) {
	t.Helper()
	d := delivery(url)
	d.Endpoint.Timeout = timeout
	began := time.Now()
	a, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	require.Equal(t, w.status, a.StatusCode, a.Error)
	require.Equal(t, w.failure, a.Failure, a.Error)
	require.True(t, strings.HasPrefix(a.Error, w.error), a.Error)
	require.Equal(t, w.error == "", a.Error == "", a.Error)
	require.Equal(t, w.body, a.ResponseBody)
	require.LessOrEqual(t, a.DurationMS, time.Since(began).Milliseconds())
}

// endless answers with start and then repeats more until the client hangs up, which it reports.
func endless(t *testing.T, start, more string) (addr string, hungUp <-chan struct{}) {
	t.Helper()
	gone := make(chan struct{}, 1)
	block := []byte(strings.Repeat(more, 16*kib/len(more)))
	return raw(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 4*kib))
		_, err := io.WriteString(c, start)
		for err == nil {
			_, err = c.Write(block)
		}
		gone <- struct{}{}
	}), gone
}

func TestEndlessAnswers(t *testing.T) {
	t.Parallel()
	const ok, tooLong = "HTTP/1.1 200 OK\r\n", "the answer's headers exceed 64 KiB"
	whole := strings.Repeat("x", webhook.MaxResponseBody)
	for name, tc := range map[string]struct {
		start, more string
		want
	}{
		"body to the end":   {ok + "\r\n", "x", want{200, "", "", whole}},
		"body of HTTP/1.0":  {"HTTP/1.0 200 OK\r\n\r\n", "x", want{200, "", "", whole}},
		"long body":         {ok + "Content-Length: 9000000000000000000\r\n\r\n", "x", want{200, "", "", whole}},
		"one chunk":         {ok + "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", "x", want{200, "", "", whole}},
		"chunks":            {ok + "Transfer-Encoding: chunked\r\n\r\n", "2\r\nxx\r\n", want{200, "", "", whole}},
		"body of a failure": {"HTTP/1.1 503 No\r\n\r\n", "x", want{503, "", "", whole}},
		"chunk size":        {ok + "Transfer-Encoding: chunked\r\n\r\n", "0", want{200, "", "answered 200, but its body broke off after 0 bytes", ""}},
		"chunk extension":   {ok + "Transfer-Encoding: chunked\r\n\r\n1;", "x", want{200, "", "answered 200, but its body broke off after 0 bytes", ""}},
		"trailers":          {ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", "a: b\r\n", want{200, "", "answered 200, but its body broke off after 1 bytes", "x"}},
		"status line":       {"HTTP/1.1 200 ", "x", want{0, webhook.FailureOther, tooLong, ""}},
		"one header":        {ok + "a: ", "x", want{0, webhook.FailureOther, tooLong, ""}},
		"headers":           {ok, "a: b\r\n", want{0, webhook.FailureOther, tooLong, ""}},
		"header lines":      {ok + "a: b\r\n", " folded\r\n", want{0, webhook.FailureOther, tooLong, ""}},
		"100 Continue":      {"", "HTTP/1.1 100 Continue\r\n\r\n", want{0, webhook.FailureOther, tooLong, ""}},
		"102 Processing":    {"", "HTTP/1.1 102 Processing\r\n\r\n", want{0, webhook.FailureOther, tooLong, ""}},
		"103 Early Hints":   {"", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", want{0, webhook.FailureOther, tooLong, ""}},
		"newlines":          {"", "\r\n", want{0, webhook.FailureOther, "no valid HTTP answer", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr, hungUp := endless(t, tc.start, tc.more)
			meet(t, newSender(t, sender.Config{}), "http://"+addr, tc.want)
			<-hungUp
		})
	}
}

func TestOddAnswers(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	noAnswer := want{0, webhook.FailureOther, "no valid HTTP answer", ""}
	brokeOff := func(n int, body string) want {
		return want{200, "", fmt.Sprintf("answered 200, but its body broke off after %d bytes", n), body}
	}
	for name, tc := range map[string]struct {
		answer string
		want
	}{
		"HTTP/1.0":            {"HTTP/1.0 200 OK\r\n\r\nold", want{200, "", "", "old"}},
		"HTTP/1.0, length":    {"HTTP/1.0 202 OK\r\nContent-Length: 3\r\n\r\noldest", want{202, "", "", "old"}},
		"no reason":           {"HTTP/1.1 204\r\n\r\n", want{204, "", "", ""}},
		"no final newline":    {"HTTP/1.1 200 OK\n\nlax", want{200, "", "", "lax"}},
		"some 1xx":            {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20) + ok + "\r\nok", want{200, "", "", "ok"}},
		"HTTP/0.9":            {"<html>hello</html>", noAnswer},
		"status line garbage": {"\x00\xff\x00\xff garbage\r\n\r\n", noAnswer},
		"status is a word":    {"HTTP/1.1 OK 200\r\n\r\n", noAnswer},
		"status is long":      {"HTTP/1.1 2000 OK\r\n\r\n", noAnswer},
		"status is negative":  {"HTTP/1.1 -20 OK\r\n\r\n", noAnswer},
		"other protocol":      {"ICY 200 OK\r\n\r\n", noAnswer},
		"HTTP/2 unasked":      {"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 18), noAnswer},
		"TLS alert":           {"\x15\x03\x01\x00\x02\x02\x16", noAnswer},
		"header garbage":      {ok + "no colon\r\n\r\n", noAnswer},
		"two lengths":         {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", noAnswer},
		"negative length":     {ok + "Content-Length: -1\r\n\r\nxx", noAnswer},
		"unknown encoding":    {ok + "Transfer-Encoding: odd\r\n\r\nxx", noAnswer},
		"10,000 headers":      {ok + numbered(10_000) + "\r\n", want{0, webhook.FailureOther, "the answer's headers exceed 64 KiB", ""}},
		"header of 10 MB":     {ok + "a: " + strings.Repeat("x", 10<<20) + "\r\n\r\n", want{0, webhook.FailureOther, "the answer's headers exceed 64 KiB", ""}},
		"5,000 headers":       {ok + numbered(5000) + "\r\nok", want{200, "", "", "ok"}},
		"cut body":            {ok + "Content-Length: 100\r\n\r\nhalf", brokeOff(4, "half")},
		"cut chunk":           {ok + "Transfer-Encoding: chunked\r\n\r\n9\r\nhalf", brokeOff(4, "half")},
		"no last chunk":       {ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", brokeOff(4, "half")},
		"chunk garbage":       {ok + "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n", brokeOff(4, "half")},
		"chunk size overflow": {ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhalf", brokeOff(0, "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			meet(t, newSender(t, sender.Config{}), "http://"+raw(t, answering(tc.answer)), tc.want)
		})
	}
}

// numbered is n different headers, of the shortest kind.
func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%x: 1\r\n", i)
	}
	return b.String()
}

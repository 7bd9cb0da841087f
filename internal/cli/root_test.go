package cli

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
	"hookloop/internal/terminal"
)

func TestMain(m *testing.M) {
	testscript.Main(unconfigured{m}, map[string]func(){"hookloop": func() { os.Exit(terminal.Run(New("test"))) }})
}

// unconfigured runs the tests without HOOKLOOP_*: a person who runs them may have a gateway of
// their own.
type unconfigured struct{ m *testing.M }

func (u unconfigured) Run() int {
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HOOKLOOP_") {
			_ = os.Unsetenv(name)
		}
	}
	return u.m.Run()
}

// TestScripts runs testdata/*.txt with the real command. $ADDR is a free address of the
// loopback, $SECRET a signing secret.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Setenv("ADDR", l.Addr().String())
			env.Setenv("SECRET", signature.NewSecret().Reveal())
			return l.Close()
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "post": post},
	})
}

// exits runs a command and wants the given exit code: exits 2 hookloop event send.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// post plays the sender: post url file wanted-status [secret]. It waits for a listener to come up.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: post url file status [secret]")
	}
	body := []byte(ts.ReadFile(args[1]))
	header := http.Header{}
	if len(args) > 3 {
		secret, err := signature.ParseSecret(args[3])
		ts.Check(err)
		sign(header, secret, "evt_test", body)
	}
	resp, err := postWhenUp(args[0], header, body)
	ts.Check(err)
	_ = resp.Body.Close()
	if got := strconv.Itoa(resp.StatusCode); got != args[2] {
		ts.Fatalf("answered %s, not %s", got, args[2])
	}
}

func sign(h http.Header, secret signature.Secret, id string, body []byte) {
	now := time.Now()
	h.Set(signature.HeaderID, id)
	h.Set(signature.HeaderTimestamp, strconv.FormatInt(now.Unix(), 10))
	h.Set(signature.HeaderSignature, signature.Sign([]signature.Secret{secret}, id, now, body))
}

// patience bounds every wait for something that must happen: far above what it takes on a busy
// machine.
const patience = 90 * time.Second

// postWhenUp posts as soon as there is a listener.
func postWhenUp(url string, header http.Header, body []byte) (*http.Response, error) {
	often := time.NewTicker(10 * time.Millisecond)
	defer often.Stop()
	for end := time.Now().Add(patience); ; <-often.C {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return nil, err
		}
		req.Header = header.Clone()
		resp, err := http.DefaultClient.Do(req)
		if !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(end) {
			return resp, err
		}
	}
}

// result is what a command line did.
type result struct {
	code   int
	stdout string
	stderr string
}

// hookloop runs a command line in this process.
func hookloop(t *testing.T, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code := terminal.Execute(t.Context(), New("test"), args, &stdout, &stderr)
	return result{code: code, stdout: stdout.String(), stderr: stderr.String()}
}

// ok wants exit code 0 and nothing on stderr, and gives what was printed.
func (r result) ok(t *testing.T) string {
	t.Helper()
	require.Equal(t, 0, r.code, r.stderr)
	require.Empty(t, r.stderr)
	return r.stdout
}

// fails wants the exit code and one line on stderr, and gives that.
func (r result) fails(t *testing.T, code int) string {
	t.Helper()
	require.Equal(t, code, r.code, r.stdout)
	line, rest, _ := strings.Cut(r.stderr, "\n")
	require.Empty(t, rest)
	return strings.TrimPrefix(line, "hookloop: ")
}

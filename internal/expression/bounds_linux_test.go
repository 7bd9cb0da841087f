package expression_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/expression"
)

// attacks are expressions that once ended the whole process or held a processor for seconds.
var attacks = []string{
	`[] | .[536870911] = 1`,
	`reduce range(40) as $i (1; [.,.])`,
	`reduce range(40) as $i (1; [.,.]) | tojson`,
	`reduce range(24) as $i (1; [.,.]) | flatten`,
	`"x" * 2147483000`,
	`[range(1e9)]`,
	`reduce range(1e9) as $i ("x"; . + .)`,
	`[range(40000)] as $a | $a - $a`,
	`[range(30000)] as $a | $a | contains($a)`,
	`[range(60000)|0] as $a | [range(30000)|0] as $b | $a | indices($b) | length`,
	`(reduce range(26) as $i (1; [.,.])) as $a | (reduce range(26) as $i (1; [.,.])) as $b | $a == $b`,
	`reduce range(30) as $i (7; . * .) | tostring`,
	`[range(200000)] | group_by(-.) | map(length) | unique_by(.) | combinations`,
	`("a" * 30000) as $s | $s | test("(a*)*b")`,
	`("a" * 100000) as $s | [$s | match("a"; "g")] | length`,
	`def f: [f]; f`,
	`[limit(1e9; repeat(1))]`,
	`last(range(1e12))`,
	`. as [$a] ?// $a | [recurse([., .])]`,
}

// children is what the ended children of this process took: of a processor in all, and of the
// memory the largest.
func children(t *testing.T) (cpu time.Duration, memory int64) {
	t.Helper()
	var u syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss << 10
}

// asks runs an expression in a pool of its own, as JSON and as a hash, and ends the children.
func asks(t *testing.T, text, body string) {
	t.Helper()
	p, err := expression.New(expression.Config{})
	require.NoError(t, err)
	defer p.Close()
	for _, form := range []expression.Form{expression.JSON, expression.Hash} {
		if _, err := p.Values(t.Context(), "acme", []byte(body), expression.Ask{Text: text, Form: form}); err != nil {
			var f *expression.Fault
			require.ErrorAs(t, err, &f, text)
		}
	}
}

// TestBounds is not parallel: it counts what the children of this process take.
func TestBounds(t *testing.T) { //nolint:paralleltest // see above
	asks(t, ".", "1")
	before, usual := children(t)
	start := before / 2 // of one child, with next to nothing to do
	for _, text := range attacks {
		asks(t, text, `{"a":[1,"x"]}`)
		after, most := children(t)
		t.Logf("%6d ms of a processor, %3d MiB  %s", (after - before).Milliseconds(), (most-usual)>>20, text)
		require.Less(t, after-before, 2*(expression.MaxCPU+start)+expression.MaxCPU, text)
		if !raced {
			require.Less(t, most-usual, int64(expression.MaxMemory+expression.MaxMemory/4), text)
		}
		before = after
	}
}

// FuzzExpression: to any expression an answer comes, and the children stay within their bounds.
func FuzzExpression(f *testing.F) {
	for _, text := range attacks {
		f.Add(text, `{"a":[1,"x"]}`)
	}
	f.Add(`.a`, `{"a":`)
	f.Fuzz(func(t *testing.T, text, body string) {
		if len(text) > expression.MaxSource {
			return
		}
		_, before := children(t)
		_, err := pool.Values(t.Context(), "acme", []byte(body), expression.Ask{Text: text}, expression.Ask{Text: text, Form: expression.Hash})
		var fault *expression.Fault
		if err != nil && !errors.Is(err, expression.ErrJSON) {
			require.ErrorAs(t, err, &fault)
		}
		_, after := children(t)
		require.Less(t, after-before, int64(2*expression.MaxMemory))
	})
}

// TestNeighbour: a tenant whose expressions take all their time leaves room for another's.
func TestNeighbour(t *testing.T) {
	t.Parallel()
	p, err := expression.New(expression.Config{Processes: 2})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	defer busy.Wait()
	defer stop()
	ended := make(chan struct{}, 1000)
	for range 8 {
		busy.Go(func() {
			for ctx.Err() == nil {
				_, err := p.Values(ctx, "evil", []byte("1"), expression.Ask{Text: `[range(40000)] as $a | $a - $a`})
				if errors.Is(err, expression.ErrTime) {
					ended <- struct{}{}
				}
			}
		})
	}
	<-ended
	good := 0
	for len(ended) < 3 { // while theirs go on to be ended
		_, err := p.Values(t.Context(), "good", []byte(`{"a":1}`), expression.Ask{Text: ".a"})
		require.NoError(t, err)
		good++
	}
	require.Greater(t, good, 10)
}

// TestNoneOutlivesItsAttempt: the child ends with its caller.
func TestNoneOutlivesItsAttempt(t *testing.T) {
	t.Parallel()
	p, err := expression.New(expression.Config{Processes: 1})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	_, err = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "."})
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	_, err = p.Values(ctx, "acme", []byte("1"), expression.Ask{Text: "def f: f; f"})
	require.ErrorIs(t, err, context.Canceled)
	ctx, stop = context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, stop)
	_, err = p.Values(ctx, "acme", []byte("1"), expression.Ask{Text: "[range(40000)] as $a | $a - $a"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "."})
	require.NoError(t, err)
}

// childrenOf gives a process's children of this package that have not ended: neither what another
// test started nor one that has not begun yet and still looks like its parent.
func childrenOf(t *testing.T, parent int) (pids []string) {
	t.Helper()
	all, err := filepath.Glob("/proc/" + strconv.Itoa(parent) + "/task/*/children")
	require.NoError(t, err)
	for _, list := range all {
		found, _ := os.ReadFile(list) // a thread that has ended has none
		for pid := range strings.FieldsSeq(string(found)) {
			command, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			if strings.HasSuffix(string(command), "\x00"+expression.ChildArgument+"\x00") {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// TestChildHoldsNothing: neither our environment nor our files are in a child, those included that
// this process was started with.
func TestChildHoldsNothing(t *testing.T) {
	t.Parallel()
	inherited, err := syscall.Open("/proc/self/status", syscall.O_RDONLY, 0) // goes on to children, as os.Open's do not
	require.NoError(t, err)
	t.Cleanup(func() { _ = syscall.Close(inherited) })
	p, err := expression.New(expression.Config{Processes: 1})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	_, err = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "."})
	require.NoError(t, err)
	found := 0
	for _, pid := range childrenOf(t, os.Getpid()) {
		env, err := os.ReadFile("/proc/" + pid + "/environ")
		if err != nil || len(env) == 0 { // one of another test, that has ended
			continue
		}
		require.Equal(t, "GOMAXPROCS=1\x00", string(env))
		files, _ := os.ReadDir("/proc/" + pid + "/fd")
		for _, f := range files {
			if to, err := os.Readlink("/proc/" + pid + "/fd/" + f.Name()); err == nil {
				require.Regexp(t, `^(pipe:|/dev/null$|anon_inode:|/sys/fs/cgroup/)`, to)
			}
		}
		found++
	}
	require.Positive(t, found)
}

// TestOneThatEndedIsReplaced: at once, as often as that happens.
func TestOneThatEndedIsReplaced(t *testing.T) {
	t.Parallel()
	p, err := expression.New(expression.Config{Processes: 1})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	for range 3 {
		_, err = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "[] | .[536870911] = 1"})
		require.ErrorIs(t, err, expression.ErrMemory)
		_, err = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "."})
		require.NoError(t, err)
	}
}

var orphan = flag.Bool("orphan", false, "be the parent that TestChildEndsWithItsParent ends")

// TestChildEndsWithItsParent: also in the middle of its work, and where the parent had no time to
// say so.
func TestChildEndsWithItsParent(t *testing.T) {
	t.Parallel()
	if *orphan {
		p, err := expression.New(expression.Config{Processes: 1})
		require.NoError(t, err)
		_, err = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "."})
		require.NoError(t, err)
		for {
			_, _ = os.Stdout.WriteString("child " + childrenOf(t, os.Getpid())[0] + "\n")
			_, _ = p.Values(t.Context(), "acme", []byte("1"), expression.Ask{Text: "def f: f; f"})
		}
	}
	parent := exec.CommandContext(t.Context(), "/proc/self/exe", "-test.run=^TestChildEndsWithItsParent$", "-orphan")
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, ok := strings.CutPrefix(strings.TrimSpace(line), "child ")
	require.True(t, ok, line)
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool {
		status, err := os.ReadFile("/proc/" + pid + "/status")
		return err != nil || strings.Contains(string(status), "State:\tZ")
	}, 2*time.Minute, 10*time.Millisecond)
}

// BenchmarkValues is what an attempt pays for its expressions, once a child runs.
func BenchmarkValues(b *testing.B) {
	for name, body := range map[string]string{
		"1KiB":   `{"data":{"id":7,"text":"` + strings.Repeat("x", 1000) + `"}}`,
		"256KiB": `{"data":{"id":7,"all":[` + strings.Repeat(`{"name":"x","n":1.5},`, 12000) + `1]}}`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := pool.Values(b.Context(), "acme", []byte(body), expression.Ask{Text: `["api", .data.id]`}, expression.Ask{Text: ".data"})
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkStart is what the replacement of a child costs, in this binary.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		p, err := expression.New(expression.Config{})
		require.NoError(b, err)
		_, err = p.Values(b.Context(), "acme", []byte("1"), expression.Ask{Text: "."})
		require.NoError(b, err)
		p.Close()
	}
}

// TestABusyMachineMakesNoExpressionFail: a child that gets no processor is waited for.
func TestABusyMachineMakesNoExpressionFail(t *testing.T) {
	p, err := expression.New(expression.Config{Processes: 1})
	require.NoError(t, err)
	defer p.Close()
	before := processes(t)
	ask := expression.Ask{Text: ".a"}
	_, err = p.Values(t.Context(), "acme", []byte(`{"a":1}`), ask)
	require.NoError(t, err)
	for pid := range processes(t) {
		if before[pid] {
			continue
		}
		require.NoError(t, syscall.Kill(pid, syscall.SIGSTOP))
		time.AfterFunc(expression.MaxWait+time.Second, func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	}
	begun := time.Now()
	values, err := p.Values(t.Context(), "acme", []byte(`{"a":2}`), ask)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("2")}, values)
	require.GreaterOrEqual(t, time.Since(begun), expression.MaxWait, "it was stopped")
}

// processes are those that this one has started.
func processes(t *testing.T) map[int]bool {
	t.Helper()
	files, err := filepath.Glob("/proc/self/task/*/children")
	require.NoError(t, err)
	all := map[int]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f) //nolint:gosec // our own
		require.NoError(t, err)
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			require.NoError(t, err)
			all[pid] = true
		}
	}
	return all
}

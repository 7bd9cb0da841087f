package embedded

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"hookloop/internal/bench"
)

// tableClients are those of the rows about the peak.
var tableClients = []int{1, 8, 32}

// runTable prints the tables of docs/benchmarks.md: first what a closed loop can do, beside bare
// workflows.
func runTable(ctx context.Context, folder string, o options, stdout, stderr io.Writer) error {
	w, err := devWorld(folder, o.program, stderr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s, %d bytes of data in each event\n\n", bench.About(), o.Size)
	fmt.Fprintln(stdout, "As fast as it goes, in one process, beside bare Temporal workflows")
	fmt.Fprintln(stdout)
	head := []string{"clients", "delivered/s", "bare/s", "ratio", "p50", "p95", "p99", "CPU per event", "missing, twice", "load, steal"}
	fmt.Fprintf(stdout, "| %s |\n|%s\n", strings.Join(head, " | "), strings.Repeat("--:|", len(head)))
	for _, clients := range tableClients {
		o.bare, o.Clients, o.Events = true, clients, defaultEvents
		row, err := bench.Beside(func() (bench.Row, error) {
			return tableRow(ctx, filepath.Join(folder, strconv.Itoa(clients)), o, stderr)
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "| %s |\n", strings.Join(row, " | "))
	}
	fmt.Fprintln(stdout)
	return bench.Table(ctx, w, o.Size, stdout)
}

func tableRow(ctx context.Context, folder string, o options, stderr io.Writer) (bench.Row, error) {
	r, err := runRounds(ctx, folder, o, stderr)
	if err != nil {
		return nil, err
	}
	ms := func(v float64) string { return fmt.Sprintf("%.1f ms", v) }
	return bench.Row{
		strconv.Itoa(r.Clients), fmt.Sprintf("%.0f", r.DeliveredPerSecond), fmt.Sprintf("%.0f", *r.BarePerSecond), fmt.Sprintf("%.2f", *r.Ratio),
		ms(r.P50), ms(r.P95), ms(r.P99), ms(r.CPUPerEvent), fmt.Sprintf("%d, %d", r.Missing, r.Duplicates),
	}, nil
}

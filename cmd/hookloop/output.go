package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"
)

// printable makes what others wrote safe to show on a terminal: control characters, bytes that are
// not UTF-8 and characters that turn the direction of writing are escaped as JSON would. Line
// breaks and tabs stay.
func printable(s string) string { return escape(s, "\n\t") }

// oneLine is printable for a place in the middle of a line.
func oneLine(s string) string { return escape(s, "") }

func escape(s, keep string) string {
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[0])
		case strings.ContainsRune(keep, r):
			b.WriteRune(r)
		case unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Zl, unicode.Zp):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
		s = s[size:]
	}
	return b.String()
}

// printAnswer shows the gateway's JSON as it came, only indented: nothing is lost that this
// version of the CLI does not know.
func printAnswer(w io.Writer, answer []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, answer, "", "  "); err != nil {
		return fmt.Errorf("the gateway's answer is not JSON: %w", err)
	}
	_, err := fmt.Fprintln(w, printable(strings.TrimSpace(b.String()))) // the same JSON
	return err
}

// columns aligns cells that are separated by tabs. Its Flush writes.
func columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// row writes one line of cells, each of them safe to show.
func row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		cells[i] = oneLine(cell)
	}
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // a tabwriter fails at Flush
}

// utc writes a time as the API does, to the second.
func utc(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// plural counts things: "1 endpoint", "2 endpoints".
func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

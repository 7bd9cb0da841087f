package terminal

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

// Printable makes what others wrote safe to show on a terminal: control characters, bytes that are
// not UTF-8 and characters that turn the direction of writing are escaped as JSON would. Line
// breaks and tabs stay.
func Printable(s string) string { return escape(s, "\n\t") }

// OneLine is Printable for a place in the middle of a line.
func OneLine(s string) string { return escape(s, "") }

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

// RawJSON shows JSON as it came, only indented: nothing is lost that this version of hookloop does
// not know.
func RawJSON(w io.Writer, answer []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, answer, "", "  "); err != nil {
		return fmt.Errorf("the gateway's answer is not JSON: %w", err)
	}
	_, err := fmt.Fprintln(w, Printable(strings.TrimSpace(b.String()))) // the same JSON
	return err
}

// JSON shows a value of hookloop's own, indented.
func JSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Columns aligns cells that are separated by tabs, and colours them as Coloured does. Its Flush
// writes.
func Columns(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(Coloured(w), 0, 0, 2, ' ', 0) }

// Row writes one line of cells, each of them safe to show.
func Row(w io.Writer, cells ...string) {
	for i, cell := range cells {
		cells[i] = OneLine(cell)
	}
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // a tabwriter fails at Flush
}

// Fact is a Row of a name and a value, where there is one.
func Fact(w io.Writer, name, value string) {
	if value != "" {
		Row(w, name, value)
	}
}

// Say writes words about things. Texts among the things are made safe to show, as OneLine does.
func Say(w io.Writer, words string, things ...any) error {
	for i, thing := range things {
		if text, is := thing.(string); is {
			things[i] = OneLine(text)
		}
	}
	_, err := fmt.Fprintf(w, words, things...)
	return err
}

// Progress gives what says how far something is: it writes a line every two seconds at most.
func Progress(w io.Writer) func(line string) {
	last := time.Now()
	return func(line string) {
		if time.Since(last) > 2*time.Second {
			last = time.Now()
			fmt.Fprintln(w, line)
		}
	}
}

// Count counts things: "1 endpoint", "2 endpoints", "0 deliveries".
func Count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	if stem, is := strings.CutSuffix(thing, "y"); is {
		return fmt.Sprintf("%d %sies", n, stem)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

package terminal

import (
	"bytes"
	"io"
	"regexp"
	"strings"

	"hookloop/internal/config"
	"hookloop/internal/webhook"
)

// Colours of a terminal (ECMA-48).
const (
	plain  = "\x1b[0m"
	bold   = "\x1b[1m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
)

// colours are those of words that say how something stands, where they fill a cell, and of marks
// that begin a line.
var colours = map[string]string{
	"✓": green, "✗": red,
	string(webhook.Delivered): green, string(webhook.EndpointActive): green,
	string(webhook.ApprovalReleased): green, string(webhook.ApprovalRecovered): green,
	string(webhook.EventFailed): red, string(webhook.Exhausted): red, string(webhook.Rejected): red, string(webhook.EndpointDisabled): red, "failing": red,
	string(webhook.Held): yellow, string(webhook.Retrying): yellow, string(webhook.EndpointPaused): yellow,
	string(webhook.ApprovalAwaiting): yellow, string(webhook.ApprovalWatching): yellow,
	string(webhook.ApprovalProbing): yellow, string(webhook.ApprovalReleasing): yellow,
}

// coloured says whether people want colours in what is written to w (no-color.org).
func coloured(w io.Writer) bool {
	return IsTerminal(w) && config.OS("NO_COLOR") == "" && config.OS("TERM") != "dumb"
}

// Coloured writes lines to w: on a terminal whose owner has not set NO_COLOR with the words
// coloured that say how something stands, else as they are. A line is written when it ends.
func Coloured(w io.Writer) io.Writer {
	if !coloured(w) {
		return w
	}
	return &painter{w: w}
}

// painter is a Coloured.
type painter struct {
	w     io.Writer
	begun []byte // of a line
}

// IsTerminal is true.
func (*painter) IsTerminal() bool { return true }

func (p *painter) Write(b []byte) (int, error) {
	p.begun = append(p.begun, b...)
	end := bytes.LastIndexByte(p.begun, '\n') + 1
	if end == 0 {
		return len(b), nil
	}
	var out strings.Builder
	for line := range strings.Lines(string(p.begun[:end])) {
		out.WriteString(paint(line))
	}
	p.begun = append(p.begun[:0], p.begun[end:]...)
	if _, err := io.WriteString(p.w, out.String()); err != nil {
		return 0, err
	}
	return len(b), nil
}

// cell is what stands between two blanks or more.
var cell = regexp.MustCompile(`\S+(?: \S+)*`)

func paint(line string) string {
	text := strings.TrimRight(line, "\n")
	if strings.ToUpper(text) == text && strings.ToLower(text) != text { // the head of a table
		return bold + text + plain + "\n"
	}
	text = cell.ReplaceAllStringFunc(text, func(c string) string {
		mark, rest, _ := strings.Cut(c, " ")
		if colour := colours[mark]; colour != "" && (mark == "✓" || mark == "✗") {
			return colour + mark + plain + strings.TrimSuffix(" "+rest, " ")
		}
		if colour := colours[c]; colour != "" {
			return colour + c + plain
		}
		return c
	})
	return text + "\n"
}

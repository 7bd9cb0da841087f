package console

import (
	"bytes"
	"encoding/json"
	"strings"

	"hookloop/api"
)

// dataPage is what an event says.
type dataPage struct {
	EventID string
	Text    string // in lines, if it is not too long
	Bytes   int    // as it came
	Cut     bool   // Text is only the beginning
}

// maxData bounds what a page shows of an event's data, in bytes.
const maxData = 256 << 10

// data shows what an event says. It is a button's answer and no page with an address of its own:
// the API logs who reads, and a link from elsewhere must make no person read.
func (c *Console) data(v *visit) error {
	v.readForm()
	id := v.r.PathValue("event")
	raw, err := v.api.Events.Data(id).JSON(v.r.Context())
	if err != nil {
		return err
	}
	return c.show(v, "data", "What it says", newDataPage(id, raw))
}

// newDataPage sets the data in lines and changes nothing else of it: numbers stay as they are
// written.
func newDataPage(id string, raw json.RawMessage) dataPage {
	p := dataPage{EventID: id, Bytes: len(raw)}
	if len(raw) > maxData {
		p.Text, p.Cut = strings.ToValidUTF8(string(raw[:maxData]), ""), true
		return p
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, raw, "", "  "); err != nil {
		p.Text = string(raw)
		return p
	}
	p.Text = lines.String()
	return p
}

// MayRead says whether the person's token may see what events say.
func (v view) MayRead() bool { return v.Can(api.EventsData) }

package archive

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"iter"
	"os"

	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/audit"
	"hookloop/internal/webhook"
)

// history is one on its way into a file. It holds one page of events at a time.
type history struct {
	ctx       context.Context // of one copy, and gone with it
	events    iter.Seq2[*historypb.HistoryEvent, error]
	codec     converter.PayloadCodec
	large     *large
	event     webhook.Event // tenant and id, of an event's history
	encrypted bool          // some payload is
	bodiless  bool          // its data is not there any more: it holds the size and the hash of it
}

// writeTo writes Temporal's own JSON of a history, as its UI and CLI export it and its SDK replays
// it.
func (h *history) writeTo(w io.Writer) error {
	sep := `{"events":[` + "\n"
	for e, err := range h.events {
		if err != nil {
			return err
		}
		if err := h.writeEvent(w, sep, e); err != nil {
			return err
		}
		sep = ",\n"
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

func (h *history) writeEvent(w io.Writer, sep string, e *historypb.HistoryEvent) error {
	done, err := h.fill(e)
	if err != nil {
		return err
	}
	defer done()
	shut, err := audit.Open(h.ctx, h.codec, e)
	if err != nil {
		return err
	}
	h.encrypted = h.encrypted || shut
	content, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, sep); err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// Read reads an archived history, and opens with c (nil: nothing) what was kept encrypted.
func Read(ctx context.Context, path string, c converter.PayloadCodec) (*historypb.History, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	content, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	h := &historypb.History{}
	if err := (temporalproto.CustomJSONUnmarshalOptions{DiscardUnknown: true}).Unmarshal(text, h); err != nil { // it may be of a later Temporal
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(h.GetEvents()) == 0 {
		return nil, fmt.Errorf("%s: it holds no history", path)
	}
	for _, e := range h.GetEvents() {
		if _, err := audit.Open(ctx, c, e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return h, nil
}

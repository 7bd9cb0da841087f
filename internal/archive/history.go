package archive

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
)

// encodingEncrypted is how internal/codec, and Temporal's own samples, mark what they encrypted.
const encodingEncrypted = "binary/encrypted"

// history is one on its way into a file. It holds one page of events at a time.
type history struct {
	ctx       context.Context // of one copy, and gone with it
	events    client.HistoryEventIterator
	codec     converter.PayloadCodec
	encrypted bool // some payload is
}

// writeTo writes Temporal's own JSON of a history, as its UI and CLI export it and its SDK replays it.
func (h *history) writeTo(w io.Writer) error {
	for sep := `{"events":[` + "\n"; h.events.HasNext(); sep = ",\n" {
		e, err := h.events.Next()
		if err != nil {
			return err
		}
		shut, err := openEvent(h.ctx, h.codec, e)
		if err != nil {
			return err
		}
		h.encrypted = h.encrypted || shut
		content, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(e)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, sep+string(content)); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "\n]}\n")
	return err
}

// openEvent decrypts what there is to decrypt, and says whether something stayed shut: what lacks its key
// today is better kept than lost, and opens when it is shown with the key.
func openEvent(ctx context.Context, c converter.PayloadCodec, e *historypb.HistoryEvent) (shut bool, err error) {
	err = proxy.VisitPayloads(ctx, e, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true, // never encrypted
		Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for i, p := range all {
				if string(p.GetMetadata()[converter.MetadataEncoding]) != encodingEncrypted {
					continue
				}
				if c == nil {
					shut = true
				} else if opened, err := c.Decode(all[i : i+1]); err != nil {
					shut = true
				} else {
					all[i] = opened[0]
				}
			}
			return all, nil
		},
	})
	if err != nil {
		return shut, fmt.Errorf("payloads of event %d: %w", e.GetEventId(), err)
	}
	err = proxy.VisitFailures(ctx, e, proxy.VisitFailuresOptions{
		Visitor: func(_ *proxy.VisitFailuresContext, f *failurepb.Failure) error {
			converter.DecodeCommonFailureAttributes(converter.GetDefaultDataConverter(), f)
			return nil
		},
	})
	if err != nil {
		return shut, fmt.Errorf("failures of event %d: %w", e.GetEventId(), err)
	}
	return shut, nil
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
	h, err := client.HistoryFromJSON(content, client.HistoryJSONOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(h.GetEvents()) == 0 {
		return nil, fmt.Errorf("%s: it holds no history", path)
	}
	for _, e := range h.GetEvents() {
		if _, err := openEvent(ctx, c, e); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return h, nil
}

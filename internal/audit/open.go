package audit

import (
	"context"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/proxy"
	"go.temporal.io/sdk/converter"

	"hookloop/internal/webhook"
)

// Open decrypts in place what there is to decrypt, and says whether something stayed shut: what
// lacks its key today is better kept than lost, and opens when it is shown with the key. c may be
// nil: it opens nothing.
func Open(ctx context.Context, c converter.PayloadCodec, e *historypb.HistoryEvent) (shut bool, err error) {
	err = proxy.VisitPayloads(ctx, e, proxy.VisitPayloadsOptions{
		SkipSearchAttributes: true, // never encrypted
		Visitor: func(_ *proxy.VisitPayloadsContext, all []*commonpb.Payload) ([]*commonpb.Payload, error) {
			for i, p := range all {
				if string(p.GetMetadata()[converter.MetadataEncoding]) != webhook.EncodingEncrypted {
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

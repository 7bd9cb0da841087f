package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"hookloop/api"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

const (
	heldRest     = 10 * time.Second               // before the measurement without deliveries: the warm-up's last timers
	heldSettle   = webhook.FirstHeldCheck * 3 / 2 // after the last one is held: each has looked for itself once, and waits for hours
	heldPatience = 10 * time.Minute               // for what should have come by itself
)

// heldResult says what deliveries cost while they are held, and how they are let go.
type heldResult struct {
	Held             int     `json:"held_deliveries"`
	CPUPerEvent      float64 `json:"held_cpu_ms_per_event"` // from the POST until it is held, and has looked once
	CPUPercentAlone  float64 `json:"held_cpu_percent_alone"`
	CPUPercent       float64 `json:"held_cpu_percent"`      // of one core, all of the process, at rest
	HeapPerDelivery  float64 `json:"held_heap_kib"`         // more per delivery, live
	RSSPerDelivery   float64 `json:"held_rss_kib"`          // the same, as the system counts it
	Requests         int     `json:"held_requests"`         // that the endpoint got meanwhile; must be 0
	ReleaseAsked     float64 `json:"held_release_asked"`    // per second
	ReleasePerSecond float64 `json:"held_release_measured"` // at the endpoint, from the second delivery to the last; the first is the probe
	CPUPerRelease    float64 `json:"held_cpu_ms_per_release"`
	Released         int     `json:"held_released"`   // as the approval counted
	InOrder          float64 `json:"held_in_order"`   // share that arrived in the order of posting
	PlacesP99        int     `json:"held_places_p99"` // 99 of 100 arrived at most so many places from their own
	Missing          int     `json:"held_missing"`
	Duplicates       int     `json:"held_duplicates"`
}

// heldLoop is a tenant of its own whose one endpoint is paused by hand.
type heldLoop struct {
	loop
	tenant, endpointID string
	log                io.Writer
	result             heldResult
}

// runHeld measures in a fresh Hookloop: what was measured before has left nothing in its memory.
func runHeld(ctx context.Context, folder string, o options, progress io.Writer) (*heldResult, error) {
	o.bare = false
	b, err := startLoop(ctx, filepath.Join(folder, "held"), o, progress)
	if err != nil {
		return nil, err
	}
	defer b.stop()
	h := &heldLoop{loop: *b, log: progress, result: heldResult{Held: o.held, ReleaseAsked: o.heldRate}}
	h.tenant = h.hookloop.Tenant + "-held"
	h.hooks = h.hooks.For(h.tenant)
	if h.endpoint, err = startReceiver(ctx); err != nil {
		return nil, err
	}
	defer h.endpoint.stop()
	if err := h.measure(ctx); err != nil {
		return nil, fmt.Errorf("held: %w", err)
	}
	return &h.result, nil
}

func (h *heldLoop) measure(ctx context.Context) error {
	if err := h.pause(ctx); err != nil {
		return err
	}
	alone, err := h.atRest(ctx, "nothing held", heldRest)
	if err != nil {
		return err
	}
	cpu := cpuTime()
	posted, err := h.hold(ctx)
	if err != nil {
		return err
	}
	full, err := h.atRest(ctx, fmt.Sprintf("%d held", h.result.Held), heldSettle)
	if err != nil {
		return err
	}
	n := float64(h.result.Held)
	h.result.CPUPerEvent = (full.since - cpu).Seconds() * 1000 / n
	h.result.CPUPercentAlone, h.result.CPUPercent = alone.cpuPercent, full.cpuPercent
	h.result.HeapPerDelivery, h.result.RSSPerDelivery = (full.heap-alone.heap)/n, (full.rss-alone.rss)/n
	h.result.Requests = h.endpoint.requests()
	if h.result.Requests > 0 {
		fmt.Fprintf(h.log, "the endpoint got %d requests while it was paused\n", h.result.Requests)
	}
	return h.release(ctx, posted)
}

// pause registers the endpoint and pauses it before the first event.
func (h *heldLoop) pause(ctx context.Context) error {
	made, err := h.hooks.Endpoints.Create(api.NewEndpoint{URL: h.endpoint.url}).Do(ctx)
	if err != nil {
		return err
	}
	h.endpointID = made.ID
	_, err = h.hooks.Endpoints.Pause(h.endpointID, api.Instruction{Reason: "bench"}).Do(ctx)
	return err
}

// hold posts the events and waits until each is a delivery that is held. It answers when each began
// its way.
func (h *heldLoop) hold(ctx context.Context) (map[string]time.Time, error) {
	began, cpu := time.Now(), cpuTime()
	posted, err := h.load(ctx, h.result.Held, h.postEvent)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(h.log, "held: %d events accepted in %s\n", len(posted), time.Since(began).Round(time.Second))
	temporal, err := h.temporal()
	if err != nil {
		return nil, err
	}
	waiting := temporal.Backlog()
	err = h.await(ctx, func() (bool, error) {
		n, err := waiting.Held(ctx, h.tenant, h.endpointID)
		return n == h.result.Held, err
	})
	if err != nil {
		return nil, fmt.Errorf("until all are held: %w", err)
	}
	took := (cpuTime() - cpu).Seconds() * 1000 / float64(h.result.Held)
	fmt.Fprintf(h.log, "held: all waiting after %s, %.1f ms CPU each\n", time.Since(began).Round(time.Second), took)
	return posted, nil
}

// release resumes the endpoint and waits until every delivery has arrived and ended, and the
// approval with them: from then on none can be sent twice.
func (h *heldLoop) release(ctx context.Context, posted map[string]time.Time) error {
	h.endpoint.forget()
	cpu := cpuTime()
	release := api.Release{RatePerSecond: h.result.ReleaseAsked, Reason: "bench"}
	if _, err := h.hooks.Endpoints.Resume(h.endpointID, release).Do(ctx); err != nil {
		return err
	}
	for got, before := 0, -1; got < len(posted) && got > before; { // for as long as some arrive
		before = got
		h.endpoint.wait(ctx, len(posted))
		got = h.endpoint.different()
		fmt.Fprintf(h.log, "released: %d of %d arrived\n", got, len(posted))
	}
	h.result.CPUPerRelease = (cpuTime() - cpu).Seconds() * 1000 / float64(len(posted))
	temporal, err := h.temporal()
	if err != nil {
		return err
	}
	waiting := temporal.Backlog()
	err = h.await(ctx, func() (bool, error) {
		r, err := h.hooks.Approvals.Get(h.endpointID).Do(ctx)
		if h.result.Released = r.Released; err != nil || !r.Status.Ended() {
			return false, err
		}
		left, _, err := waiting.Running(ctx, h.tenant, h.endpointID, time.Now(), true, nil)
		return len(left) == 0, err
	})
	if err != nil {
		return fmt.Errorf("until the release has ended: %w", err)
	}
	h.endpoint.judge(posted, &h.result)
	return nil
}

// temporal speaks to the Temporal that is measured.
func (h *heldLoop) temporal() (*orchestrator.Orchestrator, error) {
	return orchestrator.New(orchestrator.Config{Client: h.hookloop.Temporal, Namespace: h.hookloop.Namespace})
}

// await asks once a second.
func (h *heldLoop) await(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, heldPatience, errors.New("not within "+heldPatience.String()))
	defer cancel()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (r *heldResult) print(w io.Writer) error {
	_, err := fmt.Fprintf(w, `held deliveries      %d, %.1f ms CPU each until they wait; requests meanwhile: %d
  at rest            %.2f %% of a core; %.2f %% with nothing held
  memory each        %.1f KiB heap, %.1f KiB resident
  released           %.1f/s of %.0f/s asked, at the endpoint from the second to the last; %.1f ms CPU each
  in order           %.0f %% arrived in the order of posting, 99 %% within %d places
  missing, duplicates %d, %d
`, r.Held, r.CPUPerEvent, r.Requests, r.CPUPercent, r.CPUPercentAlone, r.HeapPerDelivery, r.RSSPerDelivery,
		r.ReleasePerSecond, r.ReleaseAsked, r.CPUPerRelease, 100*r.InOrder, r.PlacesP99, r.Missing, r.Duplicates)
	return err
}

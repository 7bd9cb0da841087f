package orchestrator

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/client"
)

// proofSpan is how far the time in a proof may be from that of the event it came with: longer than
// a workflow takes to answer, far shorter than anyone has who copies one.
const proofSpan = 2 * time.Minute

// Prover lets the ids of updates prove on whose behalf Hookloop sent them. Temporal writes an
// update into the history when the workflow takes it, and so its principal there is the worker's;
// the id is the sender's, and a run takes each once. All processes that share a key know each
// other's.
type Prover struct{ key []byte }

// NewProver proves with a key of 32 bytes.
func NewProver(key []byte) *Prover { return &Prover{key} }

// id is that of an update; without a prover Temporal draws one.
func (p *Prover) id(workflowID, update, by string, now time.Time) string {
	if p == nil {
		return ""
	}
	stem := strconv.FormatInt(now.UnixMilli(), 36) + "-" + rand.Text()
	return stem + "-" + p.sum(stem, workflowID, update, by)
}

// proves says whether an id is one that a process with the key gave to this update, at about this
// time.
func (p *Prover) proves(id, workflowID, update, by string, at time.Time) bool {
	i := strings.LastIndexByte(id, '-')
	if p == nil || i < 0 {
		return false
	}
	millis, _, _ := strings.Cut(id, "-")
	sent, err := strconv.ParseInt(millis, 36, 64)
	return err == nil && at.Sub(time.UnixMilli(sent)).Abs() < proofSpan &&
		hmac.Equal([]byte(id[i+1:]), []byte(p.sum(id[:i], workflowID, update, by)))
}

func (p *Prover) sum(parts ...string) string {
	mac := hmac.New(sha256.New, p.key)
	for _, part := range parts {
		_, _ = mac.Write([]byte(strconv.Itoa(len(part)) + ":" + part)) // a hash does not fail
	}
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// update sends an update on a person's or Hookloop's behalf and waits for what the workflow
// answers. One without an id gets one that proves on whose behalf. The error is Temporal's.
func (l link) update(ctx context.Context, o client.UpdateWorkflowOptions, by string, answer any) error {
	o.WaitForStage = client.WorkflowUpdateStageCompleted
	o.UpdateID = cmp.Or(o.UpdateID, l.prover.id(o.WorkflowID, o.UpdateName, by, time.Now()))
	handle, err := l.client.UpdateWorkflow(ctx, o)
	if err != nil {
		return err
	}
	return handle.Get(ctx, answer)
}

// Proves says whether the id of an update proves that a process of ours sent it on this behalf, at
// about this time.
func (h *Histories) Proves(id, workflowID, update, by string, at time.Time) bool {
	return h.prover.proves(id, workflowID, update, by, at)
}

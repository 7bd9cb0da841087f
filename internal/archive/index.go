package archive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"hookloop/internal/chain"
	"hookloop/internal/orchestrator"
	"hookloop/internal/webhook"
)

// Entry is one line of the index: an execution, and the file that holds its history. Fields are
// added, never renamed.
type Entry struct {
	Tenant     string    `json:"tenant"`
	WorkflowID string    `json:"workflow_id"`
	RunID      string    `json:"run_id"`
	Type       string    `json:"type"` // Event, Delivery, Approval, Recovery
	EventType  string    `json:"event_type,omitempty"`
	Endpoint   string    `json:"endpoint,omitempty"`
	Outcome    string    `json:"outcome,omitempty"` // as the search attribute has it
	Status     string    `json:"status"`            // Temporal's: Completed, Terminated, ContinuedAsNew …
	Start      time.Time `json:"start"`
	Close      time.Time `json:"close"`
	File       string    `json:"file"` // within the folder, with slashes
	Bytes      int64     `json:"bytes"`
	SHA256     string    `json:"sha256"`              // of the file
	Encrypted  bool      `json:"encrypted,omitempty"` // some payload is
	Bodiless   bool      `json:"bodiless,omitempty"`  // its large data was not there to be copied

	Erased *Erasure `json:"erased,omitempty"` // the file is gone on purpose; the last line of a run id holds
}

// Erasure is why there is no file any more.
type Erasure struct {
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Data   string    `json:"data_sha256,omitempty"` // of the event's data, where it was known
}

// unknown is the tenant of a workflow that names none: other programs may start ours, too, in the
// same namespace.
const unknown = "_unknown"

func entry(x orchestrator.Execution) Entry {
	e := Entry{
		WorkflowID: x.WorkflowID, RunID: x.RunID, Type: x.Type, Tenant: x.Tenant, EventType: x.EventType, Endpoint: x.Endpoint,
		Outcome: x.Outcome, Status: x.Status, Start: x.Start, Close: x.End,
	}
	if e.Tenant == "" {
		if parts := strings.Split(e.WorkflowID, "/"); len(parts) > 1 {
			e.Tenant = parts[1]
		}
	}
	if webhook.CheckTenant(e.Tenant) != nil {
		e.Tenant = unknown
	}
	e.File = fileName(e)
	return e
}

// maxEscaped bounds a workflow id in a file's name: file systems allow 255 bytes, ours take at most
// 140.
const maxEscaped = 160

// fileName is where an execution lies: by tenant, and by the day in UTC on which it ended.
func fileName(e Entry) string {
	id := url.PathEscape(e.WorkflowID)
	if len(id) > maxEscaped {
		sum := sha256.Sum256([]byte(id))
		id = id[:maxEscaped-33] + "~" + hex.EncodeToString(sum[:16])
	}
	return path.Join(e.Tenant, e.Close.UTC().Format("2006/01/02"), e.Type+"-"+id+"-"+url.PathEscape(e.RunID)+".json.gz")
}

func indexName(hour time.Time) string {
	return path.Join(indexDir, hour.UTC().Format("2006/01/02/15")+".jsonl")
}

// add writes lines in one go, once their files are safe, and signs them. Before that it takes away
// what a crash has left.
func (f *Folder) add(hour time.Time, lines []Entry) error {
	if len(lines) == 0 {
		return nil
	}
	name := indexName(hour)
	if err := errors.Join(f.mkdir(path.Dir(name)), f.flush()); err != nil {
		return err
	}
	texts := make([][]byte, len(lines))
	for i, e := range lines {
		var err error
		if texts[i], err = json.Marshal(e); err != nil {
			return err
		}
	}
	head, err := f.settle(hour)
	if err != nil {
		return err
	}
	records, head, err := chain.Next(head, texts...)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(f.at(name), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(records)
	if err := errors.Join(err, file.Sync(), file.Close(), syncDir(f.at(path.Dir(name)))); err != nil {
		return err
	}
	return f.sign(hour, head)
}

// readIndex passes on every line of one hour that is whole; an hour without lines has none.
func readIndex(name string, each func(Entry) error) error {
	return chain.Read(name, func(line json.RawMessage, seq, _ int64) error {
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s, record %d: %w", name, seq, err)
		}
		return each(e)
	})
}

// known are the run ids that an hour's index has.
func (f *Folder) known(hour time.Time) (map[string]bool, error) {
	ids := map[string]bool{}
	if _, err := f.settle(hour); err != nil {
		return nil, err
	}
	err := readIndex(f.at(indexName(hour)), func(e Entry) error {
		ids[e.RunID] = true
		return nil
	})
	return ids, err
}

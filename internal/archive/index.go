package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

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

// add writes lines in one go, once their files are safe. A line that was cut off by a crash is
// taken away first.
func (f *Folder) add(hour time.Time, lines []Entry) error {
	if len(lines) == 0 {
		return nil
	}
	name := indexName(hour)
	if err := errors.Join(f.mkdir(path.Dir(name)), f.flush()); err != nil {
		return err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	for _, e := range lines {
		if err := enc.Encode(e); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(f.at(name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	if err := dropTorn(file); err != nil {
		return errors.Join(err, file.Close())
	}
	_, err = file.Write(b.Bytes())
	return errors.Join(err, file.Sync(), file.Close(), syncDir(f.at(path.Dir(name))))
}

// dropTorn cuts off what stands behind the last line break.
func dropTorn(file *os.File) error {
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	whole := end
	for one := make([]byte, 1); whole > 0; whole-- {
		if _, err := file.ReadAt(one, whole-1); err != nil {
			return err
		}
		if one[0] == '\n' {
			break
		}
	}
	if whole == end {
		return nil
	}
	return file.Truncate(whole)
}

// readIndex passes on every line of one hour that is whole; an hour without lines has none.
func readIndex(name string, each func(Entry) error) error {
	file, err := os.Open(name)
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what follows the last line break was never finished
		}
		if err != nil {
			return err
		}
		var e Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if err := each(e); err != nil {
			return err
		}
	}
}

// known are the run ids that an hour's index has.
func (f *Folder) known(hour time.Time) (map[string]bool, error) {
	ids := map[string]bool{}
	err := readIndex(f.at(indexName(hour)), func(e Entry) error {
		ids[e.RunID] = true
		return nil
	})
	return ids, err
}

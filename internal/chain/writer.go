package chain

import (
	"bufio"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"time"
)

// state is how far a folder is: what a killed export goes on from.
type state struct {
	About  string `json:"about"`
	Place  string `json:"place"` // in the source of the records
	Seq    int64  `json:"seq"`
	Head   string `json:"head"`
	Files  []File `json:"files"` // that are full
	First  int64  `json:"first"` // number of the first record of the open file; 0: none is open
	Length int64  `json:"length"`
}

// Writer adds records to a folder. It keeps none of them.
type Writer struct {
	dir   string
	state state
	file  *os.File
	to    *bufio.Writer
	sum   hash.Hash // of the open file
}

// ErrOther says that a folder holds something else than what is to be written.
var ErrOther = errors.New("the folder holds another export")

// Open begins in an empty folder, or goes on in one that was left unfinished. About says what is
// exported: another text is another export.
func Open(dir, about string) (*Writer, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	w := &Writer{dir: dir, state: state{About: about}}
	raw, err := os.ReadFile(filepath.Join(dir, stateFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		left, err := os.ReadDir(dir)
		if err == nil && len(left) > 0 {
			err = ErrOther
		}
		return w, err
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(raw, &w.state); err != nil {
		return nil, fmt.Errorf("%s: %w", stateFile, err)
	}
	if w.state.About != about {
		return nil, fmt.Errorf("%w: %s", ErrOther, w.state.About)
	}
	return w, w.reopen()
}

// reopen cuts the open file off where the last place was kept, and hashes what stays.
func (w *Writer) reopen() error {
	if w.state.First == 0 {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(w.dir, w.name()), os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	w.begin(f)
	if _, err := io.CopyN(w.sum, f, w.state.Length); err != nil {
		return fmt.Errorf("%s is shorter than it was: %w", w.name(), err)
	}
	return f.Truncate(w.state.Length)
}

func (w *Writer) begin(f *os.File) {
	w.file, w.sum = f, sha256.New()
	w.to = bufio.NewWriter(f)
}

func (w *Writer) name() string { return fmt.Sprintf("records-%010d.jsonl", w.state.First) }

// Place is where the last Keep was, and how many records there are.
func (w *Writer) Place() (place string, records int64) { return w.state.Place, w.state.Seq }

// Append adds a record: a JSON value on one line.
func (w *Writer) Append(line []byte) error {
	if w.state.First == 0 {
		w.state.First, w.state.Length = w.state.Seq+1, 0
		f, err := os.OpenFile(filepath.Join(w.dir, w.name()), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
		if err != nil {
			return err
		}
		w.begin(f)
	}
	raw, err := json.Marshal(record{Seq: w.state.Seq + 1, Prev: w.state.Head, Line: line})
	if err != nil {
		return err
	}
	w.state.Seq++
	w.state.Head = hashOf(raw)
	raw = append(raw, '\n')
	w.state.Length += int64(len(raw))
	_, _ = w.sum.Write(raw) // a hash does not fail
	if _, err := w.to.Write(raw); err != nil {
		return err
	}
	if w.state.Seq-w.state.First+1 == recordsOfFile {
		return w.end()
	}
	return nil
}

// end closes the open file.
func (w *Writer) end() error {
	if w.state.First == 0 {
		return nil
	}
	w.state.Files = append(w.state.Files, File{
		Name: w.name(), First: w.state.First, Last: w.state.Seq, SHA256: hex.EncodeToString(w.sum.Sum(nil)),
	})
	w.state.First = 0
	return errors.Join(w.to.Flush(), w.file.Sync(), w.file.Close())
}

// Keep remembers how far the records are, and where the source goes on.
func (w *Writer) Keep(place string) error {
	w.state.Place = place
	if w.state.First != 0 {
		if err := errors.Join(w.to.Flush(), w.file.Sync()); err != nil {
			return err
		}
	}
	return writeJSON(filepath.Join(w.dir, stateFile), w.state)
}

// Close leaves an unfinished folder as it was last kept.
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	if err := w.file.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Finish signs what was written. From then on nothing is added.
func (w *Writer) Finish(key ed25519.PrivateKey, now time.Time) (Manifest, error) {
	if err := w.end(); err != nil {
		return Manifest{}, err
	}
	m := Manifest{
		Format: 1, About: w.state.About, CreatedAt: now.UTC().Truncate(time.Second), Records: w.state.Seq, Head: w.state.Head,
		Files: append([]File{}, w.state.Files...), PublicKey: PublicText(key),
	}
	text, err := m.signed()
	if err != nil {
		return m, err
	}
	m.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	if err := writeJSON(filepath.Join(w.dir, manifestFile), m); err != nil {
		return m, err
	}
	err = os.Remove(filepath.Join(w.dir, stateFile))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return m, err
}

// writeJSON replaces a file as a whole.
func writeJSON(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

package chain

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// Head is the end of a chain of records: how many there are, and the hash of the last one.
type Head struct {
	Records int64  `json:"records"`
	Hash    string `json:"hash"`
}

// Heads are those of several chains that grow, by name, signed together.
type Heads struct {
	Heads     map[string]Head `json:"heads"`
	PublicKey string          `json:"public_key"` // base64; who verifies must have it from elsewhere
	Signature string          `json:"signature"`  // base64, of the rest
}

// signed are the bytes that are signed: JSON sorts the names.
func (h Heads) signed() ([]byte, error) {
	h.Signature = ""
	return json.Marshal(h)
}

// Sign signs them with a key.
func (h *Heads) Sign(key ed25519.PrivateKey) error {
	h.PublicKey = PublicText(key)
	text, err := h.signed()
	h.Signature = base64.StdEncoding.EncodeToString(ed25519.Sign(key, text))
	return err
}

// SignedBy says whether the private half of a key has signed them as they are.
func (h Heads) SignedBy(public ed25519.PublicKey) bool {
	text, err := h.signed()
	signature, bad := base64.StdEncoding.DecodeString(h.Signature)
	return err == nil && bad == nil && ed25519.Verify(public, text, signature)
}

// Sum makes one head of all: any change of one changes it.
func (h Heads) Sum() Head {
	text, _ := json.Marshal(h.Heads) // numbers and texts always marshal
	sum := sha256.Sum256(text)
	all := Head{Hash: hex.EncodeToString(sum[:])}
	for _, one := range h.Heads {
		all.Records += one.Records
	}
	return all
}

// Next makes records of lines, each a JSON value, that follow the head of a chain. It gives the
// bytes to append to the chain's file, and the new head.
func Next(after Head, lines ...[]byte) ([]byte, Head, error) {
	var b bytes.Buffer
	for _, line := range lines {
		raw, err := json.Marshal(record{Seq: after.Records + 1, Prev: after.Hash, Line: line})
		if err != nil {
			return nil, after, err
		}
		after = Head{Records: after.Records + 1, Hash: hashOf(raw)}
		b.Write(raw)
		b.WriteByte('\n')
	}
	return b.Bytes(), after, nil
}

// lastChunk is how much of a file's end is looked at for its last record; records are smaller.
const lastChunk = 1 << 20

// Tail is the head of the chain in a file, by its last record alone, and the size of the file up to
// there: what stands behind the last line break was never finished. A file that is not there holds
// none.
func Tail(path string) (h Head, size int64, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return h, 0, nil
	}
	if err != nil {
		return h, 0, err
	}
	defer func() { _ = f.Close() }()
	if size, err = f.Seek(0, io.SeekEnd); err != nil {
		return h, 0, err
	}
	chunk := make([]byte, min(size, lastChunk))
	if _, err := f.ReadAt(chunk, size-int64(len(chunk))); err != nil && !errors.Is(err, io.EOF) {
		return h, 0, err
	}
	whole := chunk[:bytes.LastIndexByte(chunk, '\n')+1]
	size -= int64(len(chunk) - len(whole))
	if len(whole) == 0 {
		return h, size, nil
	}
	last := whole[bytes.LastIndexByte(whole[:len(whole)-1], '\n')+1 : len(whole)-1]
	var r record
	if err := json.Unmarshal(last, &r); err != nil {
		return h, size, fmt.Errorf("%s: its last record: %w", path, err)
	}
	return Head{Records: r.Seq, Hash: hashOf(last)}, size, nil
}

// Read passes on what each record of a file says, and where it ends in the file. It checks nothing.
// A file that is not there holds none.
func Read(path string, each func(line json.RawMessage, seq, end int64) error) error {
	end, n := int64(0), 0
	for line, err := range linesIn(path) {
		if err != nil {
			return err
		}
		if !isWhole(line) {
			break // it was never finished
		}
		n++
		end += int64(len(line))
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		if err := each(r.Line, r.Seq, end); err != nil {
			return err
		}
	}
	return nil
}

// Records passes on what each record of a file says, as far as it can be read. It checks nothing:
// Check says what is wrong.
func Records(path string, each func(line json.RawMessage)) error {
	for line, err := range linesIn(path) {
		if err != nil {
			return err
		}
		var r record
		if json.Unmarshal(line, &r) == nil {
			each(r.Line)
		}
	}
	return nil
}

// Check reads a file of one chain and says which record was changed, is missing, was added, moved
// or cut off. want is the head that was signed; nil: none was, and a record that is cut off at the
// end was never finished. A file that is not there holds no records.
func Check(path string, want *Head) (faults []string, _ error) {
	c := &checker{}
	for line, err := range linesIn(path) {
		if err != nil {
			return nil, err
		}
		if isWhole(line) || want != nil {
			c.record("", line)
		}
	}
	if want != nil {
		c.end(*want)
	}
	return c.Faults, nil
}

// linesIn gives the lines of a file, line breaks included. A file that is not there has none.
func linesIn(path string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		f, err := os.Open(path)
		if errors.Is(err, os.ErrNotExist) {
			return
		}
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() { _ = f.Close() }()
		lines(f)(yield)
	}
}

// lines gives what it reads by the line, line breaks included; the last one may lack it. An error
// ends it.
func lines(r io.Reader) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for in := bufio.NewReader(r); ; {
			line, err := in.ReadBytes('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				yield(nil, err)
				return
			}
			if len(line) > 0 && !yield(line, nil) || err != nil {
				return
			}
		}
	}
}

// isWhole says whether a line was written to its end.
func isWhole(line []byte) bool { return bytes.HasSuffix(line, []byte{'\n'}) }

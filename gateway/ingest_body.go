package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// maxIngest bounds what a third party may send at once, in bytes, as it comes and as it is when it is
// unpacked: it is read whole before anybody is known to have sent it. GitHub sends up to 25 MiB.
const maxIngest = 25 << 20

// maxIngesting bounds what all of them hold of the memory at the same time, in bytes: ten of the largest.
// Beyond, they are told to come again.
const maxIngesting = 256 << 20

// firstRead is the room that a body gets before any of it has come, in bytes. A body that is only promised
// holds no more than that.
const firstRead = 4 << 10

// room is what one request holds of maxIngesting.
type room struct {
	gateway *Gateway
	held    int64
}

func (r *room) take(size int) error {
	if !r.gateway.ingesting.TryAcquire(int64(size)) {
		return webhook.Errorf(Unavailable, "too much is being sent at once; try again")
	}
	r.held += int64(size)
	return nil
}

func (r *room) give(size int) {
	r.gateway.ingesting.Release(int64(size))
	r.held -= int64(size)
}

func (r *room) giveAll() { r.give(int(r.held)) }

// read reads all there is, up to maxIngest. It takes room as bytes come, never for what is only promised.
func (r *room) read(from io.Reader) ([]byte, error) {
	if err := r.take(firstRead); err != nil {
		return nil, err
	}
	b := make([]byte, 0, firstRead)
	for {
		n, err := from.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case len(b) > maxIngest:
			return nil, ingestTooLarge()
		case errors.Is(err, io.EOF):
			return b, nil
		case err != nil:
			return nil, err
		case len(b) == cap(b):
			if b, err = r.grow(b); err != nil {
				return nil, err
			}
		}
	}
}

// grow doubles a buffer, and holds room for both while it copies.
func (r *room) grow(b []byte) ([]byte, error) {
	size := min(2*cap(b), maxIngest+1)
	if err := r.take(size); err != nil {
		return nil, err
	}
	larger := make([]byte, len(b), size)
	copy(larger, b)
	r.give(cap(b))
	return larger, nil
}

// body reads the body of a request as it came.
func (r *room) body(c *gin.Context) ([]byte, error) {
	if c.Request.ContentLength > maxIngest {
		return nil, ingestTooLarge()
	}
	b, err := r.read(c.Request.Body)
	if webhook.CodeOf(err) != "" {
		return nil, err
	}
	return b, bodyErr(err)
}

func ingestTooLarge() error {
	return webhook.Errorf(PayloadTooLarge, "the body is larger than %d bytes", maxIngest)
}

// verify says whether a request is genuine, and gives it unpacked. Some third parties sign the bytes that
// travel, others what they pack: the signature has to be good for one of the two.
func (in *ingestion) verify(ctx context.Context, r source.Request, held *room) (source.Request, error) {
	coding, err := contentCoding(r.Header)
	if err != nil {
		return r, err
	}
	packed := in.provider.Verify(ctx, r)
	if coding == "" {
		return r, packed
	}
	if _, refused := errors.AsType[*source.Refusal](packed); packed != nil && !refused {
		return r, packed
	}
	if r.Body, err = held.unpack(coding, r.Body); err != nil {
		return r, packingFailure(packed, err)
	}
	if packed == nil {
		return r, nil
	}
	return r, in.provider.Verify(ctx, r)
}

// packingFailure tells a stranger that they are one, and not what is wrong with what they sent.
func packingFailure(packed, unpacking error) error {
	if packed != nil && webhook.CodeOf(unpacking) != Unavailable {
		return packed
	}
	return unpacking
}

// contentCoding is how the body is packed: gzip, deflate, or "" for not at all.
func contentCoding(h http.Header) (string, error) {
	coding := ""
	for _, value := range h.Values("Content-Encoding") {
		for part := range strings.SplitSeq(value, ",") {
			part = strings.ToLower(strings.TrimSpace(part))
			switch {
			case part == "" || part == "identity":
			case coding == "" && (part == "gzip" || part == "x-gzip" || part == "deflate"):
				coding = strings.TrimPrefix(part, "x-")
			default:
				return "", webhook.Errorf(UnsupportedMediaType, "the body must be sent as it is or by one Content-Encoding, gzip or deflate")
			}
		}
	}
	return coding, nil
}

// unpack gives what was packed, up to maxIngest bytes.
func (r *room) unpack(coding string, packed []byte) ([]byte, error) {
	var from io.Reader
	var err error
	if coding == "gzip" {
		from, err = gzip.NewReader(bytes.NewReader(packed))
	} else {
		from, err = zlib.NewReader(bytes.NewReader(packed))
	}
	if err != nil {
		return nil, &source.Refusal{Status: http.StatusBadRequest, Reason: "the body is not packed as its Content-Encoding says"}
	}
	b, err := r.read(from)
	if err != nil && webhook.CodeOf(err) == "" {
		return nil, &source.Refusal{Status: http.StatusBadRequest, Reason: "the body is not packed as its Content-Encoding says"}
	}
	return b, err
}

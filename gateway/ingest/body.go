package ingest

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

	"hookloop/api"
	"hookloop/gateway/problem"
	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

// maxIngest bounds what a third party may send at once, in bytes, as it comes and as it is when it
// is unpacked: it is read whole before its sender is known. GitHub sends up to 25 MiB.
const maxIngest = 25 << 20

// body reads the body of a request as it came.
func (r *room) body(c *gin.Context) ([]byte, error) {
	came := r.receiver.comes(c, r.receiver.cfg.BodyPatience)
	b, err := r.read(came, c.Request.ContentLength)
	if err == nil {
		came.arrived()
	}
	if webhook.CodeOf(err) != "" {
		return nil, err
	}
	return b, problem.Reading(err)
}

func ingestTooLarge() error {
	return webhook.Errorf(api.PayloadTooLarge, "the body is larger than %d bytes", maxIngest)
}

// turnAway refuses a request whose head shows that it is not genuine. It takes the time that a
// wrong signature takes, for what of the body comes at once, and none of the memory.
func (in *ingestion) turnAway(c *gin.Context, refusal error) error {
	n, err := source.Spend(io.LimitReader(in.receiver.comes(c, strangersPatience), maxIngest+1))
	if n > maxIngest {
		return ingestTooLarge()
	}
	if err != nil {
		c.Header("Connection", "close") // the rest of the body is not waited for
	}
	return refusal
}

// verify says whether a request is genuine, and gives it unpacked. Some third parties sign the
// bytes that travel, others what they pack: the signature has to be good for one of the two.
func (in *ingestion) verify(ctx context.Context, r source.Request, held *room) (source.Request, error) {
	coding, err := contentCoding(r.Header)
	if err != nil {
		return r, err
	}
	packed := in.provider.Verify(ctx, r)
	if _, refused := errors.AsType[*source.Refusal](packed); packed != nil && (coding == "" || !refused) {
		return r, packed
	}
	if coding != "" {
		if r.Body, err = held.unpack(coding, r.Body); err != nil {
			return r, packingFailure(packed, err)
		}
		if packed != nil {
			if err := in.provider.Verify(ctx, r); err != nil {
				return r, err
			}
		}
	}
	r.Body = held.keep(r.Body)
	return r, nil
}

// packingFailure tells a stranger that they are one, and not what is wrong with what they sent.
func packingFailure(packed, unpacking error) error {
	if packed != nil && webhook.CodeOf(unpacking) != api.Unavailable {
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
				return "", webhook.Errorf(api.UnsupportedMediaType, "the body must be sent as it is or by one Content-Encoding, gzip or deflate")
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
	b, err := r.read(from, -1)
	if err != nil && webhook.CodeOf(err) == "" {
		return nil, &source.Refusal{Status: http.StatusBadRequest, Reason: "the body is not packed as its Content-Encoding says"}
	}
	return b, err
}

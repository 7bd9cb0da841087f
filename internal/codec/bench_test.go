package codec_test

import (
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
)

// The sizes: an event of the benchmark, and the largest that is accepted.
var sizes = map[string]int{"512B": 512, "256KiB": 256 << 10}

func BenchmarkEncode(b *testing.B) {
	c := newCodec(b)
	for name, size := range sizes {
		b.Run(name, func(b *testing.B) { bench(b, size, c.Encode, payload(strings.Repeat("x", size))) })
	}
}

func BenchmarkDecode(b *testing.B) {
	c := newCodec(b)
	for name, size := range sizes {
		b.Run(name, func(b *testing.B) { bench(b, size, c.Decode, one(b, c.Encode, payload(strings.Repeat("x", size)))) })
	}
}

func bench(b *testing.B, size int, do func([]*commonpb.Payload) ([]*commonpb.Payload, error), p *commonpb.Payload) {
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := do([]*commonpb.Payload{p}); err != nil {
			b.Fatal(err)
		}
	}
}

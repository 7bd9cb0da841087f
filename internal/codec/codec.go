// Package codec encrypts what Hookloop writes to Temporal's histories, so that readers of
// Temporal's database, its backups or its UI see neither events nor answers. It decides how a
// payload is encrypted and what a worker does with one it cannot open; where the keyset comes from
// and who may read through the codec server is left to cmd and the gateway. What stays in clear all
// the same stands in docs/adr/0009-payload-encryption.md.
package codec

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tink-crypto/tink-go/v2/tink"
	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"

	"hookloop/internal/keyring"
	"hookloop/internal/webhook"
)

// metadataKeyID names the key, in clear, beside an encrypted payload. The name, as that of the
// encoding, is that of Temporal's samples: its UI and other tools know it, and histories hold it.
const metadataKeyID = "encryption-key-id"

// label is authenticated with every payload, so that nothing else that was ever sealed with the
// same keyset, such as an endpoint's secret, opens as a payload. Changing it makes histories
// unreadable.
const label = "hookloop/temporal-payload/"

// What a Codec finds wrong. None of them quotes a key or what was encrypted.
var (
	ErrUnknownKey = errors.New("the payload keyset lacks a key")
	ErrDamaged    = errors.New("the encrypted payload is damaged")
)

// Codec encrypts payloads with the primary key of a keyset and opens those of all its keys. A
// payload that is not encrypted passes through: histories may be older than the keyset, and an
// operator's signal from the Temporal UI may come in clear. So encryption keeps data from readers;
// it does not prove where a payload came from, and a client that may write to the namespace may
// write anything.
//
// For that reason nothing binds a payload to its workflow, although the SDK can tell a codec the
// workflow's id. A binding would stop no such client, for it needs no encryption at all, and it
// would stop us: the codec server is told no workflow id, and a history that was reset, or copied
// to another namespace, would not open. Authenticated are the key's id and a label.
//
// It may be used from many goroutines.
type Codec struct {
	aead    tink.AEAD         // nil: a Codec without keys
	primary string            // id of the key that encrypts
	labels  map[string][]byte // by id of the keys that open: what is authenticated with their payloads
}

var _ converter.PayloadCodec = (*Codec)(nil)

// New reads a keyset as keyring.New makes it, or as Tink's tools do when they rotate it. A new key
// must be in the keyset of every process before it is made primary anywhere.
func New(keysetJSON []byte) (*Codec, error) {
	ring, err := keyring.Read(keysetJSON)
	if err != nil {
		return nil, fmt.Errorf("the payload key is %w", err)
	}
	c := &Codec{aead: ring, primary: keyName(ring.Primary), labels: map[string][]byte{}}
	for _, id := range ring.Keys {
		c.labels[keyName(id)] = []byte(label + keyName(id))
	}
	return c, nil
}

// keyName is the id of a key as payloads have it.
func keyName(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// Clear is the Codec without a keyset: it encrypts nothing, and opens only what is in clear. Give
// its converters to Temporal rather than the SDK's own, for those would take an encrypted payload
// for a failure of the workflow, or for data.
func Clear() *Codec { return &Codec{} }

// Encrypts says whether there are keys to encrypt with.
func (c *Codec) Encrypts() bool { return c.aead != nil }

// Encode encrypts each payload whole, its metadata included. The same payload never looks the same
// twice: nothing tells that two events are equal, but their length.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if !c.Encrypts() {
		return payloads, nil
	}
	return each(payloads, c.seal)
}

// Decode opens what Encode encrypted and leaves alone what is not encrypted.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return each(payloads, c.open)
}

func each(payloads []*commonpb.Payload, do func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	done := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		var err error
		if done[i], err = do(p); err != nil {
			return nil, err
		}
	}
	return done, nil
}

func (c *Codec) seal(p *commonpb.Payload) (*commonpb.Payload, error) {
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encrypt a payload: %w", err)
	}
	sealed, err := c.aead.Encrypt(plain, c.labels[c.primary])
	if err != nil {
		return nil, fmt.Errorf("encrypt a payload: %w", err)
	}
	return &commonpb.Payload{
		Metadata: map[string][]byte{
			converter.MetadataEncoding: []byte(webhook.EncodingEncrypted),
			metadataKeyID:              []byte(c.primary),
		},
		Data: sealed,
	}, nil
}

func (c *Codec) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	if !isEncrypted(p) {
		return p, nil
	}
	id := string(p.GetMetadata()[metadataKeyID])
	with, known := c.labels[id]
	if !known {
		return nil, c.unknownKey(id)
	}
	plain, err := c.aead.Decrypt(p.GetData(), with)
	if err != nil { // Tink says nothing that would help
		return nil, fmt.Errorf("%w, or key %s is not the key it was", ErrDamaged, id)
	}
	opened := &commonpb.Payload{}
	if proto.Unmarshal(plain, opened) != nil {
		return nil, fmt.Errorf("%w: it holds no payload", ErrDamaged)
	}
	return opened, nil
}

// maxKeyID bounds what is repeated of a key's id. Ours have ten digits; the name of a key elsewhere
// may be a long address.
const maxKeyID = 200

// unknownKey names the key by its id, unless that looks like anything but an id.
func (c *Codec) unknownKey(id string) error {
	odd := func(r rune) bool { return r <= ' ' || r > '~' }
	switch {
	case id == "" || len(id) > maxKeyID || strings.ContainsFunc(id, odd):
		return fmt.Errorf("%w: the payload does not say which one, so something else than Hookloop encrypted it", ErrUnknownKey)
	case c.aead == nil:
		return fmt.Errorf("%w: there is none here; start this with the keyset that holds key %s", ErrUnknownKey, id)
	default:
		return fmt.Errorf("%w: add key %s to it. Keys that were replaced stay in the keyset for as long as histories are kept",
			ErrUnknownKey, id)
	}
}

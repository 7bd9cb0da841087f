//go:build !unix

package ingest

import "errors"

// mapped has no memory beside Go's heap to give here: bodies lie in the heap.
func mapped(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmap([]byte) {}

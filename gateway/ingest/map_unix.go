//go:build unix

package ingest

import "syscall"

// mapped gives zeroed memory beside Go's heap. It costs what is written to, and is gone with unmap.
func mapped(size int) ([]byte, error) {
	return syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
}

// unmap ends what mapped began. A read of the memory afterwards ends the process.
func unmap(b []byte) { _ = syscall.Munmap(b) } // fails only for what was never mapped

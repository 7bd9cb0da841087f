//go:build !(linux && amd64)

package clock

const installed = false

package clock

import _ "unsafe" // for linkname

// The runtime keeps the name of this variable for others (badlinkname_linux.go).
//
//go:linkname vdsoClockgettimeSym runtime.vdsoClockgettimeSym
var vdsoClockgettimeSym uintptr

// kernels is the address of the function that was there before.
var kernels uintptr //nolint:unused // gettime reads it

// installed is false on a kernel without the function.
var installed = install()

func install() bool {
	if vdsoClockgettimeSym == 0 {
		return false
	}
	kernels = vdsoClockgettimeSym
	vdsoClockgettimeSym = address()
	return true
}

// gettime stands in for the kernel's. Only C may call it, or what calls as C does.
func gettime() //nolint:unused // its address is

// address is where gettime begins.
func address() uintptr

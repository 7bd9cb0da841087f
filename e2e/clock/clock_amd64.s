//go:build linux

#include "textflag.h"

// gettime is clock_gettime(2) as C calls it: the number of the clock in DI, a timespec at SI. The
// runtime calls it on a thread's system stack. CLOCK_REALTIME is 0.
TEXT ·gettime(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$24, SP
	MOVQ	DI, 0(SP)
	MOVQ	SI, 8(SP)
	MOVQ	·kernels(SB), AX
	CALL	AX
	MOVQ	0(SP), DI
	MOVQ	8(SP), SI
	ADDQ	$24, SP
	MOVQ	·monotonic(SB), CX
	TESTL	DI, DI
	JNE	add
	MOVQ	·wall(SB), CX
add:
	ADDQ	CX, (SI)
	RET

// func address() uintptr
TEXT ·address(SB),NOSPLIT,$0-8
	LEAQ	·gettime(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// The guarded instructions of guarded_load.h. Every label *_at is the one instruction of its routine that may fault; the fault
// handler resumes at the address that GuardedResumeAddress() names for it. All that the resumed code needs is in registers
// that the faulting load does not write, so the handler changes the program counter and nothing else.
//
// Context: signal | any thread. Leaves: no stack, no calls, no flags that matter.

#define FUNCTION(name) .globl name; .hidden name; .type name, %function; .p2align 4; name:
#define LABEL(name) .globl name; .hidden name; name:

        .text

#if defined(__x86_64__)

// A non-canonical address faults like any other: SIGSEGV with si_code SI_KERNEL and the same program counter.

FUNCTION(spprof_guarded_load64)
        .cfi_startproc
        movl    $1, %edx
LABEL(spprof_guarded_load64_at)
        movq    (%rdi), %rax
        ret
        .cfi_endproc
        .size spprof_guarded_load64, . - spprof_guarded_load64

FUNCTION(spprof_guarded_load32)
        .cfi_startproc
        movl    $1, %edx
LABEL(spprof_guarded_load32_at)
        movl    (%rdi), %eax
        ret
        .cfi_endproc
        .size spprof_guarded_load32, . - spprof_guarded_load32

FUNCTION(spprof_guarded_load16)
        .cfi_startproc
        movl    $1, %edx
LABEL(spprof_guarded_load16_at)
        movzwl  (%rdi), %eax
        ret
        .cfi_endproc
        .size spprof_guarded_load16, . - spprof_guarded_load16

// Resumed here, in the frame of whichever load it was (none of them has one).
FUNCTION(spprof_guarded_load_failed)
        .cfi_startproc
        xorl    %eax, %eax
        xorl    %edx, %edx
        ret
        .cfi_endproc
        .size spprof_guarded_load_failed, . - spprof_guarded_load_failed

// rdi: to, rsi: from, rdx: size; rax: bytes copied so far, which is what is returned.
FUNCTION(spprof_guarded_copy)
        .cfi_startproc
        xorl    %eax, %eax
        subq    $8, %rdx                // rdx: the last offset at which a whole word fits
        jb      2f
1:      cmpq    %rdx, %rax
        ja      2f
LABEL(spprof_guarded_copy_word_at)
        movq    (%rsi,%rax), %rcx
        movq    %rcx, (%rdi,%rax)
        addq    $8, %rax
        jmp     1b
LABEL(spprof_guarded_copy_bytes)
2:      addq    $8, %rdx                // rdx: size again
3:      cmpq    %rdx, %rax
        jae     4f
LABEL(spprof_guarded_copy_byte_at)
        movzbl  (%rsi,%rax), %ecx
        movb    %cl, (%rdi,%rax)
        incq    %rax
        jmp     3b
LABEL(spprof_guarded_copy_done)
4:      ret
        .cfi_endproc
        .size spprof_guarded_copy, . - spprof_guarded_copy

#elif defined(__aarch64__)

// Not run on hardware yet. The same shape; bti c where an indirect call could land is not needed (calls are direct).

FUNCTION(spprof_guarded_load64)
        .cfi_startproc
        mov     x2, x0
        mov     x1, #1
LABEL(spprof_guarded_load64_at)
        ldr     x0, [x2]
        ret
        .cfi_endproc
        .size spprof_guarded_load64, . - spprof_guarded_load64

FUNCTION(spprof_guarded_load32)
        .cfi_startproc
        mov     x2, x0
        mov     x1, #1
LABEL(spprof_guarded_load32_at)
        ldr     w0, [x2]
        ret
        .cfi_endproc
        .size spprof_guarded_load32, . - spprof_guarded_load32

FUNCTION(spprof_guarded_load16)
        .cfi_startproc
        mov     x2, x0
        mov     x1, #1
LABEL(spprof_guarded_load16_at)
        ldrh    w0, [x2]
        ret
        .cfi_endproc
        .size spprof_guarded_load16, . - spprof_guarded_load16

FUNCTION(spprof_guarded_load_failed)
        .cfi_startproc
        mov     x0, #0
        mov     x1, #0
        ret
        .cfi_endproc
        .size spprof_guarded_load_failed, . - spprof_guarded_load_failed

// x0: to, x1: from, x2: size; x3: bytes copied so far; x4: the last offset at which a whole word fits.
FUNCTION(spprof_guarded_copy)
        .cfi_startproc
        mov     x3, #0
        subs    x4, x2, #8
        b.lo    2f
1:      cmp     x3, x4
        b.hi    2f
LABEL(spprof_guarded_copy_word_at)
        ldr     x5, [x1, x3]
        str     x5, [x0, x3]
        add     x3, x3, #8
        b       1b
LABEL(spprof_guarded_copy_bytes)
2:      cmp     x3, x2
        b.hs    4f
LABEL(spprof_guarded_copy_byte_at)
        ldrb    w5, [x1, x3]
        strb    w5, [x0, x3]
        add     x3, x3, #1
        b       2b
LABEL(spprof_guarded_copy_done)
4:      mov     x0, x3
        ret
        .cfi_endproc
        .size spprof_guarded_copy, . - spprof_guarded_copy

#else
#error "guarded_load.S: no guarded load for this processor"
#endif

        .section .note.GNU-stack, "", %progbits

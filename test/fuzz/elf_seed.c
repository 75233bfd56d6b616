/* A small shared library with symbols of each kind and a PLT: where the fuzzing of ELF begins. */
int elsewhere(int);
static int local(int n) { return n * 3; }
__attribute__((weak)) int weak(int n) { return local(n) + 1; }
__asm__(".globl untyped\nuntyped: ret\n");
int _ZN6spprof4fuzz5namedEi(int n) { return elsewhere(n) + weak(n); }

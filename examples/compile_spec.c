/* compile_spec.c - Compile causal attention from C. Its weights are equal, as q
   is zero: row i of the result is the mean of rows 0 .. i of v. */
#include <attn/attn_jit.h>
#include <stdio.h>
#include <stdlib.h>

#define T "tensor<?x?x?x64xf32>"
static const char spec[] =
    "func.func @causal(%q: " T ", %k: " T ", %v: " T ") -> " T " {\n"
    "  %out = attn.attend %q, %k, %v mask (%b, %h, %i, %j) {\n"
    "    %keep = arith.cmpi sge, %i, %j : index\n"
    "    attn.yield %keep : i1\n"
    "  } : " T ", " T ", " T " -> " T "\n"
    "  return %out : " T "\n}\n";
static float q[300 * 64], v[300 * 64], out[300 * 64];

static void check(attn_status status) {
  if (status == ATTN_OK)
    return;
  fprintf(stderr, "%s: %s\n", attn_status_name(status), attn_last_error());
  exit(1);
}

int main(void) {
  DLDevice cpu = {kDLCPU, 0};
  attn_jit *jit;
  attn_kernel *kernel;
  check(attn_jit_create(NULL, &jit));
  check(attn_jit_compile(jit, spec, sizeof(spec) - 1, cpu, NULL, &kernel));
  for (int i = 0; i < 300 * 64; ++i)
    v[i] = (float)(i / 64);
  for (int64_t n = 100; n <= 300; n += 100) {
    int64_t shape[4] = {1, 1, n, 64};
    DLTensor a = {q, cpu, 4, {kDLFloat, 32, 1}, shape, NULL, 0}, b = a, c = a;
    b.data = v, c.data = out;
    const DLTensor *in[3] = {&a, &a, &b}, *result = &c;
    check(attn_kernel_launch(kernel, in, 3, &result, 1, NULL, 0, NULL, NULL));
    printf("%d tokens: the last row is %.1f\n", (int)n, out[n * 64 - 1]);
  }
  attn_kernel_destroy(kernel);
  attn_jit_destroy(jit);
  return 0;
}

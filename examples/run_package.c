/*===- run_package.c - Run a kernel of a package from C --------------------===*
 *
 * Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * run_package PACKAGE: runs causal attention, compiled for the CPU, on keys that
 * are zero, so that row i of the result is the mean of the values 0 .. i.
 *
 *===----------------------------------------------------------------------===*/

#include <attn/attn.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADS = 2, TOKENS = 100, FEATURES = 64 };

/* Ends the program with the message of the runtime if something went wrong. */
static void check(attn_status status) {
  if (status == ATTN_OK)
    return;
  fprintf(stderr, "%s: %s\n", attn_status_name(status), attn_last_error());
  exit(1);
}

int main(int argc, char **argv) {
  static float q[HEADS][TOKENS][FEATURES], k[HEADS][TOKENS][FEATURES];
  static float v[HEADS][TOKENS][FEATURES], out[HEADS][TOKENS][FEATURES];
  static float lse[HEADS][TOKENS];
  static _Alignas(ATTN_WORKSPACE_ALIGNMENT) char workspace[1 << 20];
  int64_t shape[4] = {1, HEADS, TOKENS, FEATURES};
  DLDevice cpu = {kDLCPU, 0};
  DLDataType f32 = {kDLFloat, 32, 1};
  DLTensor tensors[5] = {{q, cpu, 4, f32, shape, NULL, 0},
                         {k, cpu, 4, f32, shape, NULL, 0},
                         {v, cpu, 4, f32, shape, NULL, 0},
                         {out, cpu, 4, f32, shape, NULL, 0},
                         {lse, cpu, 3, f32, shape, NULL, 0}};
  const DLTensor *arguments[3] = {&tensors[0], &tensors[1], &tensors[2]};
  const DLTensor *results[2] = {&tensors[3], &tensors[4]};
  attn_package *package;
  attn_kernel *kernel;

  for (int h = 0; h < HEADS; ++h)
    for (int n = 0; n < TOKENS; ++n)
      for (int d = 0; d < FEATURES; ++d) {
        q[h][n][d] = (float)d;
        v[h][n][d] = (float)n;
      }

  check(attn_package_load_file(argc > 1 ? argv[1] : "causal.attn", &package));
  check(attn_kernel_load(package, NULL, cpu, &kernel));
  attn_package_destroy(package); /* The kernel keeps what it needs. */
  check(attn_kernel_launch(kernel, arguments, 3, results, 2, workspace,
                           sizeof(workspace), NULL, NULL));
  printf("%s: mean of 0 .. 98 is %.1f, of 0 .. 99 is %.1f\n",
         attn_kernel_target(kernel), out[0][98][0], out[1][99][63]);
  attn_kernel_destroy(kernel);
  return 0;
}

//===- fake_kernel.c - A package's code, written by hand ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two entries as the compiler makes them (runtime/ParallelFor.h). The first
// doubles x and leaves a number in the workspace, the second adds it:
//
//   out = 2 x + 5
//
// NUMBER is defined where it is to be another number than 5.
//
//===----------------------------------------------------------------------===//

#include <stdint.h>

#ifndef NUMBER
#define NUMBER 5
#endif

struct Host {
  void (*parallelFor)(const struct Host *host, int64_t count,
                      void (*body)(void *, int64_t, int64_t, void *), void *env,
                      int64_t scratchBytes);
};

struct Tensor {
  char *allocated, *aligned;
  int64_t offset, sizes[3], strides[3];
};

struct Bytes {
  int32_t *allocated, *aligned;
  int64_t offset, size, stride;
};

static float *at(const struct Tensor *tensor, int64_t b, int64_t n, int64_t d) {
  return (float *)tensor->aligned + b * tensor->strides[0] +
         n * tensor->strides[1] + d * tensor->strides[2];
}

static void doubleRows(void *env, int64_t begin, int64_t end, void *scratch) {
  struct Tensor **tensors = env;
  const struct Tensor *x = tensors[0], *out = tensors[1];
  (void)scratch;
  for (int64_t b = begin; b < end; ++b)
    for (int64_t n = 0; n < x->sizes[1]; ++n)
      for (int64_t d = 0; d < x->sizes[2]; ++d)
        *at(out, b, n, d) = 2 * *at(x, b, n, d);
}

__attribute__((visibility("default"))) int32_t
attn_entry_double(const struct Host *host, void **args) {
  struct Tensor *x = args[0];
  struct Bytes *work = args[2];
  for (int64_t i = 0; i < work->size / 4; ++i)
    if (work->aligned[i] != 0)
      return 7; // The workspace was to be zeroed.
  host->parallelFor(host, x->sizes[0], doubleRows, args, 64);
  work->aligned[0] = NUMBER;
  return 0;
}

__attribute__((visibility("default"))) int32_t
attn_entry_add(const struct Host *host, void **args) {
  const struct Tensor *out = args[0];
  const struct Bytes *work = args[1];
  (void)host;
  for (int64_t b = 0; b < out->sizes[0]; ++b)
    for (int64_t n = 0; n < out->sizes[1]; ++n)
      for (int64_t d = 0; d < out->sizes[2]; ++d)
        *at(out, b, n, d) += (float)work->aligned[0];
  return 0;
}

/*===- time_jit.c - How long the just-in-time compiler takes ---------------===*
 *
 * Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * time_jit SPEC FOLDER: compiles a spec, or loads its kernel from the folder of an
 * earlier run; then loads it in new contexts, then asks for a kernel that is in
 * memory. Fails if loading takes 5 ms, or if the process has handlers of signals at
 * the end that it did not have before.
 *
 *===----------------------------------------------------------------------===*/

#include "attn_jit.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONTEXTS = 21, CALLS = 100000 };

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

static void check(attn_status status) {
  if (status == ATTN_OK)
    return;
  fprintf(stderr, "%s: %s\n", attn_status_name(status), attn_last_error());
  exit(1);
}

/* The signals that have handlers, as the system prints them. */
static void readSignals(char *line, int size) {
  FILE *status = fopen("/proc/self/status", "r");
  line[0] = 0;
  while (status && fgets(line, size, status) && strncmp(line, "SigCgt", 6) != 0)
    ;
  if (status)
    fclose(status);
}

static int compareTimes(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

int main(int argc, char **argv) {
  static char spec[1 << 16], before[200], after[200];
  DLDevice cpu = {kDLCPU, 0};
  double times[CONTEXTS], again = 0;
  int isCold = 0;
  attn_jit_options options = {sizeof(options), NULL, 0, 0};
  FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;
  if (!file)
    return fprintf(stderr, "usage: time_jit SPEC FOLDER\n"), 2;
  size_t size = fread(spec, 1, sizeof(spec), file);
  fclose(file);
  options.cache_dir = argv[2];
  readSignals(before, sizeof(before));
  for (int i = 0; i < CONTEXTS; ++i) {
    attn_jit *jit;
    attn_kernel *kernel;
    check(attn_jit_create(&options, &jit));
    double start = now();
    check(attn_jit_compile(jit, spec, size, cpu, NULL, &kernel));
    times[i] = now() - start;
    attn_jit_counters counters = {sizeof(counters), 0, 0, 0, 0, 0, 0};
    check(attn_jit_get_counters(jit, &counters));
    if (i == 0)
      isCold = counters.compilations == 1;
    if (counters.disk_hits != !(isCold && i == 0))
      return fprintf(stderr, "not loaded from the folder\n"), 1;
    attn_kernel_destroy(kernel);
    start = now();
    for (int call = 0; i == CONTEXTS - 1 && call < CALLS; ++call) {
      check(attn_jit_compile(jit, spec, size, cpu, NULL, &kernel));
      attn_kernel_destroy(kernel);
    }
    again = now() - start;
    attn_jit_destroy(jit);
  }
  readSignals(after, sizeof(after));
  if (strcmp(before, after) != 0)
    return fprintf(stderr, "before: %safter: %s", before, after), 1;
  qsort(times + 1, CONTEXTS - 1, sizeof(double), compareTimes);
  printf("%s in %.2f ms, loaded in %.3f ms, from memory in %.3f us\n",
         isCold ? "compiled" : "first loaded", times[0], times[CONTEXTS / 2],
         1e3 * again / CALLS);
  return times[CONTEXTS / 2] < 5 && (isCold || times[0] < 5) ? 0 : 1;
}

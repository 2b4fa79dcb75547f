/*===- attn_jit.h - Compile attention specs at run time --------*- C -*-===*
 *
 * Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * The C interface of the just-in-time compiler (libattn-jit.so), which has the
 * functions of attn.h as well. The text of a spec becomes an attn_kernel, which
 * is called like one of a package; one compilation serves all sizes.
 * docs/jit.md has an example, the environment variables and what to do about
 * errors.
 *
 * A program links libattn-jit.so or libattn.so, not both. Neither shows a
 * symbol of LLVM.
 *
 *===----------------------------------------------------------------------===*/

#ifndef ATTN_ATTN_JIT_H
#define ATTN_ATTN_JIT_H

#include "attn.h"

/* Names are those of C. NOLINTBEGIN(readability-identifier-naming) */
#ifdef __cplusplus
extern "C" {
#endif

/* All functions and structs here are new in API 1.2, where nothing else is
   said. Structs may have the size that they had then. */

/* Kernels that were compiled, in memory and in a folder, and counters. Several
   may exist, also with the same folder, in this and in other processes. */
typedef struct attn_jit attn_jit;

/* Zero everywhere but in the first field is the default. */
typedef struct attn_jit_options {
  size_t struct_size;      /* sizeof(attn_jit_options). */
  const char *cache_dir;   /* Null: $ATTN_CACHE_DIR, else $XDG_CACHE_HOME/attn,
                              else $HOME/.cache/attn. */
  int32_t disable_cache;   /* 1: nothing is read from or written to the folder;
                              ATTN_DISABLE_CACHE=1 says the same. */
  int64_t cache_max_bytes; /* 0: $ATTN_CACHE_MAX_BYTES, else 1 GiB. */
} attn_jit_options;

/* Makes a context. `options` may be null. A folder that cannot be made or
   written is no error: kernels are compiled, and failed writes counted. */
ATTN_API attn_status attn_jit_create(const attn_jit_options *options,
                                     attn_jit **jit);

/* Kernels stay valid. No other thread may be using the context. */
ATTN_API void attn_jit_destroy(attn_jit *jit);

/* Zero everywhere but in the first field is the default. */
typedef struct attn_compile_options {
  size_t struct_size;   /* sizeof(attn_compile_options). */
  const char *name;     /* Stands for the text in messages; null: "<spec>". */
  const char *function; /* Null: the only one of the text. */
  const char *target;   /* "cpu", "cpu:avx512", "cpu:avx2", "cpu:baseline",
                           "cuda:sm_80", ...; null: the best for the device. */
  const char *dtype; /* "f64", "f32", "f16", "bf16": the element type that the
                        spec is rewritten to; null: as it is written. */
  const char *schedule; /* "block_q=96,block_k=64"; null or empty: that of a
                           record of the database, else chosen by the
                           compiler. */
  /* Since API 1.3. */
  const char *tuning_db; /* A tuning database; null: $ATTN_TUNING_DB; empty:
                            none. A relative path counts from the working
                            directory of this call. */
  const char *dims; /* "H=8,N=4096": sizes of calls, others being the spec's
                       defaults. The record of their lengths is taken; null:
                       or empty: the record with the most tokens. The kernel
                       is for all sizes all the same. An unknown name is
                       ATTN_INVALID_ARGUMENT, with and without a database. */
} attn_compile_options;

/* The kernel of a spec of `size` bytes on a device, from memory, from the
   folder, or compiled. The caller destroys it with attn_kernel_destroy().
   Repeated calls with the same text and options give handles of the same kernel
   and take microseconds. Threads that ask for the same at a time wait for one
   compilation. `options` may be null. ATTN_INVALID_SPEC: attn_last_error() has
   the messages, one a line, with line and column of the text. ATTN_IO_ERROR:
   the tuning database cannot be read; it is left as it is. The unfinished
   change of a writer that was killed is undone where the process may write. */
ATTN_API attn_status attn_jit_compile(attn_jit *jit, const char *text,
                                      size_t size, DLDevice device,
                                      const attn_compile_options *options,
                                      attn_kernel **kernel);

/* Where a kernel's schedule is from. Since API 1.3.
     "given"       attn_compile_options has it.
     "default"     The compiler chose it; no tuning database was asked.
     "record N=4096 many:block_q=64,block_k=128"
                   The record of a database; ", of another build" may follow.
     "default, no record of N=4096", "default, the record ... is of another
                   build, which this one cannot run: ..."
                   The compiler chose it, as the database has nothing better.
   "package" if the kernel was loaded from one by attn_kernel_load(). Valid as
   long as the kernel. */
ATTN_API const char *attn_kernel_schedule_origin(const attn_kernel *kernel);

/* What a context has done so far. Each successful attn_jit_compile() is one of
   the first three. */
typedef struct attn_jit_counters {
  size_t struct_size;        /* sizeof(attn_jit_counters), set by the caller. */
  uint64_t compilations;     /* Runs of the compiler. */
  uint64_t memory_hits;      /* Kernels that were in memory. */
  uint64_t disk_hits;        /* Kernels that were loaded from the folder. */
  uint64_t rejected_entries; /* Files of the folder that were damaged, or not
                                what their names say. They are made again. */
  uint64_t evicted_entries;  /* Files deleted to stay below cache_max_bytes. */
  uint64_t failed_writes;    /* Files that could not be written. */
} attn_jit_counters;

ATTN_API attn_status attn_jit_get_counters(const attn_jit *jit,
                                           attn_jit_counters *counters);

/* What was resolved, and where from, as JSON text. Valid as long as `jit`. */
ATTN_API const char *attn_jit_config(const attn_jit *jit);

#ifdef __cplusplus
} /* extern "C" */
#endif
/* NOLINTEND(readability-identifier-naming) */

#endif /* ATTN_ATTN_JIT_H */

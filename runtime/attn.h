/*===- attn.h - Run packages of attention kernels --------------*- C -*-===*
 *
 * Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
 * See LICENSE for license information.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * The C interface of the runtime (libattn.so). It loads packages, which
 * attn-compile writes, checks the tensors of calls, and launches kernels on the
 * CPU or an NVIDIA GPU. docs/packages.md has an example.
 *
 * Errors: functions that can fail return a status; attn_last_error() then has a
 * message that names what was expected and what was given. Nothing aborts.
 *
 * Threads: all functions may be called from several threads at a time, with the
 * same handles, but for those that destroy one. A kernel keeps its package's
 * code alive, so a package may be destroyed before its kernels.
 *
 * Units: sizes are numbers of elements or, where a name says so, of bytes;
 * strides are numbers of elements, as in DLPack.
 *
 * Trust: a package holds native code, which runs with the rights of the
 * program. Reading one is safe whatever its bytes are; launching a kernel is as
 * safe as the origin of the package. Checksums find damage, not malice.
 *
 *===----------------------------------------------------------------------===*/

#ifndef ATTN_ATTN_H
#define ATTN_ATTN_H

#include <stddef.h>
#include <stdint.h>

/* The structs of tensors: those of the program, else a copy installed here.
   Any version from 0.6 on will do; they agree on DLTensor. */
#if defined(__has_include)
#if __has_include(<dlpack/dlpack.h>)
#include <dlpack/dlpack.h>
#else
#include "attn/dlpack/dlpack.h"
#endif
#else
#include "attn/dlpack/dlpack.h"
#endif

/* Names are those of C. NOLINTBEGIN(readability-identifier-naming) */
#ifdef __cplusplus
extern "C" {
#endif

#define ATTN_API __attribute__((visibility("default")))

/* The version of this interface. Functions are added in minor versions; what
   exists changes its meaning in major versions only. */
#define ATTN_API_MAJOR 1
#define ATTN_API_MINOR 3

/* The version of the package format that this runtime reads: all packages of
   the same major version, whatever their minor version is. */
#define ATTN_PACKAGE_MAJOR 1
#define ATTN_PACKAGE_MINOR 0

typedef enum attn_status {
  ATTN_OK = 0,
  ATTN_INVALID_ARGUMENT = 1,    /* A call or its tensors are wrong. */
  ATTN_INVALID_PACKAGE = 2,     /* Not a package, or a damaged one. */
  ATTN_UNSUPPORTED_PACKAGE = 3, /* A package of another version, or one that
                                   needs what this runtime does not have. */
  ATTN_NOT_FOUND = 4,           /* No such file, kernel or driver. */
  ATTN_NO_CODE_FOR_DEVICE = 5,  /* The package has none that runs here. */
  ATTN_DEVICE_ERROR = 6,        /* The driver or the kernel reports it. */
  ATTN_OUT_OF_MEMORY = 7,
  ATTN_IO_ERROR = 8,
  ATTN_INVALID_SPEC = 9 /* The compiler refuses a spec (attn_jit.h). Since API
                           1.2. */
} attn_status;

typedef struct attn_package attn_package;
typedef struct attn_kernel attn_kernel;

/* The version of the loaded library, as (major << 16) | minor of ATTN_API. */
ATTN_API uint32_t attn_version(void);

/* The name of a status: "ATTN_INVALID_PACKAGE". Never null. */
ATTN_API const char *attn_status_name(attn_status status);

/* What the last function that failed in this thread had to say. Valid until
   another one fails in this thread; empty if none has. */
ATTN_API const char *attn_last_error(void);

/*===----------------------------------------------------------------------===*
 * Packages
 *===----------------------------------------------------------------------===*/

/* Loads a package from a file. The file is read once and not needed later. */
ATTN_API attn_status attn_package_load_file(const char *path,
                                            attn_package **package);

/* Loads a package from memory, of which a copy is made. */
ATTN_API attn_status attn_package_load_memory(const void *bytes, size_t size,
                                              attn_package **package);

ATTN_API void attn_package_destroy(attn_package *package);

ATTN_API size_t attn_package_kernel_count(const attn_package *package);

/* The name of a kernel; null if there is no such number. Valid as long as the
   package. */
ATTN_API const char *attn_package_kernel_name(const attn_package *package,
                                              size_t index);

/* The manifest as JSON text; see docs/packages.md. Valid as long as the
   package. */
ATTN_API const char *attn_package_manifest(const attn_package *package,
                                           size_t *size);

/*===----------------------------------------------------------------------===*
 * Kernels
 *===----------------------------------------------------------------------===*/

/* Loads the code of a kernel for a device: the widest that this CPU runs, or
   the best for this GPU. `name` may be null if the package has one kernel.
   Devices: {kDLCPU, 0}, {kDLCUDA, ordinal}. */
ATTN_API attn_status attn_kernel_load(const attn_package *package,
                                      const char *name, DLDevice device,
                                      attn_kernel **kernel);

ATTN_API void attn_kernel_destroy(attn_kernel *kernel);

/* What the code was made for: "cpu:avx512", "cuda:sm_80". */
ATTN_API const char *attn_kernel_target(const attn_kernel *kernel);

/* The schedule that the code was made with, "block_q=64,block_k=128"; where ops
   have several, each once with a ';' between, those for few queries first.
   Empty if the package does not say. Since API 1.3. */
ATTN_API const char *attn_kernel_schedule(const attn_kernel *kernel);

/* One argument or result. All pointers live as long as the kernel. */
typedef struct attn_port {
  const char *name;
  const char *dtype;       /* "f64", "f32", "f16", "bf16", "i64", ..., "i1". */
  DLDataType dlpack_dtype; /* The same as tensors have it; i1 is a bool. */
  int32_t ndim;
  const int64_t *shape; /* -1 where calls decide. */
  /* Names; equal names are equal sizes, and "G+1" is one more than "G". */
  const char *const *dims;
} attn_port;

ATTN_API size_t attn_kernel_argument_count(const attn_kernel *kernel);
ATTN_API size_t attn_kernel_result_count(const attn_kernel *kernel);
ATTN_API attn_status attn_kernel_argument(const attn_kernel *kernel,
                                          size_t index, attn_port *port);
ATTN_API attn_status attn_kernel_result(const attn_kernel *kernel, size_t index,
                                        attn_port *port);

/* The number of an argument or result by name; fails if there is none. */
ATTN_API attn_status attn_kernel_find_argument(const attn_kernel *kernel,
                                               const char *name, size_t *index);
ATTN_API attn_status attn_kernel_find_result(const attn_kernel *kernel,
                                             const char *name, size_t *index);

/* The number of the argument in whose place a result may be computed: the
   initial state of a recurrence, for its last state. ATTN_NOT_FOUND if there is
   none. Since API 1.1. */
ATTN_API attn_status attn_kernel_result_in_place(const attn_kernel *kernel,
                                                 size_t result,
                                                 size_t *argument);

/*===----------------------------------------------------------------------===*
 * Calls
 *
 * Arguments are in the order of the kernel, on its device, with the last stride
 * 1 (any stride where the size is 1 or less). Null strides mean row-major.
 * byte_offset counts.
 *===----------------------------------------------------------------------===*/

/* Checks the arguments and writes the sizes of a result to `shape`, which has
   room for `ndim` numbers, the result's own. Data is not read. */
ATTN_API attn_status attn_kernel_result_shape(const attn_kernel *kernel,
                                              const DLTensor *const *arguments,
                                              size_t argument_count,
                                              size_t result, int32_t ndim,
                                              int64_t *shape);

/* The bytes of workspace that a launch on these arguments needs; may be 0. */
ATTN_API attn_status attn_kernel_workspace_size(
    const attn_kernel *kernel, const DLTensor *const *arguments,
    size_t argument_count, size_t *bytes);

/* The alignment of workspaces in bytes. */
#define ATTN_WORKSPACE_ALIGNMENT 256

/* How to launch; zero everywhere but in the first field is the default. */
typedef struct attn_launch_options {
  size_t struct_size; /* sizeof(attn_launch_options). */
  int32_t threads;    /* CPU: 0 means all cores. Results do not depend on it. */
} attn_launch_options;

/* Checks all tensors, then runs the kernel.

   `workspace` is memory of the kernel's device, aligned to
   ATTN_WORKSPACE_ALIGNMENT, that nobody else uses until the launch is over; it
   may be null where no bytes are needed. `stream` is a CUstream on NVIDIA GPUs,
   null being the default stream; there the call returns when everything is
   queued. On the CPU it must be null, and the call returns when the results are
   there. `options` may be null. Results must not share memory with arguments or
   with each other, with one exception: a result may be the same tensor (data,
   sizes and strides) as the argument that attn_kernel_result_in_place() names.
   The argument is lost then, whether the launch succeeds or not. */
ATTN_API attn_status attn_kernel_launch(const attn_kernel *kernel,
                                        const DLTensor *const *arguments,
                                        size_t argument_count,
                                        const DLTensor *const *results,
                                        size_t result_count, void *workspace,
                                        size_t workspace_bytes, void *stream,
                                        const attn_launch_options *options);

#ifdef __cplusplus
} /* extern "C" */
#endif
/* NOLINTEND(readability-identifier-naming) */

#endif /* ATTN_ATTN_H */

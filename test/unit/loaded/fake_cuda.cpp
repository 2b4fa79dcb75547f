//===- fake_cuda.cpp - A CUDA driver that only writes down its calls ------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Stands in for libcuda.so.1 in tests. Device memory is host memory. Two GPUs,
// of capabilities 9.0 and 8.6. Calls are lines of text, which tests take with
// fakeCudaTakeLog(). Modules whose text starts with "bad" do not load.
//
//===----------------------------------------------------------------------===//

#include <cstdint>
#include <cstring>
#include <mutex>
#include <string>

static std::mutex mutex;
static std::string calls;
static int depth = 0;      ///< Contexts that are current.
static int failLaunch = 0; ///< The error of the next launch.

static void note(const std::string &line) {
  std::lock_guard<std::mutex> lock(mutex);
  calls += line + "\n";
}

static std::string toString(uint64_t value) { return std::to_string(value); }

#define FAKE extern "C" __attribute__((visibility("default")))

FAKE const char *fakeCudaTakeLog() {
  static std::string taken;
  std::lock_guard<std::mutex> lock(mutex);
  taken.swap(calls);
  calls.clear();
  return taken.c_str();
}
FAKE int fakeCudaDepth() { return depth; }
FAKE void fakeCudaFailLaunch(int error) { failLaunch = error; }

FAKE int cuInit(unsigned) { return 0; }
FAKE int cuGetErrorString(int error, const char **text) {
  *text = error == 701 ? "too many resources requested for launch" : "an error";
  return 0;
}
FAKE int cuDeviceGetCount(int *count) {
  *count = 2;
  return 0;
}
FAKE int cuDeviceGet(int *device, int ordinal) {
  *device = 100 + ordinal;
  return 0;
}
FAKE int cuDeviceGetAttribute(int *value, int attribute, int device) {
  if (attribute != 75 && attribute != 76)
    return 1;
  bool isMajor = attribute == 75;
  *value = device == 100 ? (isMajor ? 9 : 0) : (isMajor ? 8 : 6);
  return 0;
}
FAKE int cuDevicePrimaryCtxRetain(void **context, int device) {
  *context = reinterpret_cast<void *>(uintptr_t(device));
  note("retain " + toString(device));
  return 0;
}
FAKE int cuDevicePrimaryCtxRelease_v2(int device) {
  note("release " + toString(device));
  return 0;
}
FAKE int cuCtxPushCurrent_v2(void *) {
  ++depth;
  return 0;
}
FAKE int cuCtxPopCurrent_v2(void **) {
  --depth;
  return 0;
}

FAKE int cuModuleLoadDataEx(void **module, const void *image, unsigned count,
                            int *options, void **values) {
  std::string text(static_cast<const char *>(image));
  note("load " + text.substr(0, text.find('\n')));
  if (text.rfind("bad", 0) == 0) {
    if (count == 2 && options[0] == 5 && options[1] == 6)
      std::strncpy(static_cast<char *>(values[0]),
                   "ptxas: line 1: syntax error",
                   reinterpret_cast<uintptr_t>(values[1]));
    return 218;
  }
  *module = reinterpret_cast<void *>(uintptr_t(1));
  return 0;
}
FAKE int cuModuleUnload(void *) {
  note("unload");
  return 0;
}
FAKE int cuModuleGetFunction(void **function, void *, const char *name) {
  if (std::strcmp(name, "missing") == 0)
    return 500;
  // The name is the handle, as it is in the package, which lives longer.
  *function = const_cast<char *>(name);
  return 0;
}
FAKE int cuFuncSetAttribute(void *function, int attribute, int value) {
  note("attribute " + std::string(static_cast<char *>(function)) + " " +
       toString(attribute) + " = " + toString(value));
  return 0;
}

/// Parameters are numbers of 64 bits; functions called "count..." write the
/// last one to the address that is the first.
FAKE int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned sharedBytes, void *stream,
                        void **parameters, void **) {
  std::string name(static_cast<char *>(function));
  note("launch " + name + " grid " + toString(gridX) + "," + toString(gridY) +
       "," + toString(gridZ) + " block " + toString(blockX) + "," +
       toString(blockY) + "," + toString(blockZ) + " shared " +
       toString(sharedBytes) + " stream " +
       toString(reinterpret_cast<uintptr_t>(stream)));
  if (name.rfind("count", 0) == 0) {
    uint64_t address, blocks;
    std::memcpy(&address, parameters[0], 8);
    std::memcpy(&blocks, parameters[1], 8);
    *reinterpret_cast<uint32_t *>(address) = uint32_t(blocks);
  }
  if (name == "attend")
    for (int i = 0; i < 6; ++i) {
      uint64_t word;
      std::memcpy(&word, parameters[i], 8);
      note("parameter " + toString(i) + " = " + toString(word));
    }
  int error = failLaunch;
  failLaunch = 0;
  return error;
}

/// The first word of a map is the address of its tensor.
FAKE int cuTensorMapEncodeTiled(void *map, int type, uint32_t rank,
                                void *address, const uint64_t *sizes,
                                const uint64_t *strides, const uint32_t *box,
                                const uint32_t *elementStrides, int interleave,
                                int swizzle, int promotion, int fill) {
  std::string line = "map type " + toString(type) + " sizes";
  for (uint32_t i = 0; i < rank; ++i)
    line += " " + toString(sizes[i]);
  line += " strides";
  for (uint32_t i = 0; i + 1 < rank; ++i)
    line += " " + toString(strides[i]);
  line += " box";
  for (uint32_t i = 0; i < rank; ++i)
    line += " " + toString(box[i]) + "/" + toString(elementStrides[i]);
  note(line + " modes " + toString(interleave) + toString(swizzle) +
       toString(promotion) + toString(fill));
  if (reinterpret_cast<uintptr_t>(map) % 64)
    return 1;
  std::memset(map, 0, 128);
  std::memcpy(map, &address, sizeof(address));
  return 0;
}

FAKE int cuMemsetD8Async(uint64_t address, unsigned char value, size_t bytes,
                         void *stream) {
  note("memset " + toString(bytes) + " stream " +
       toString(reinterpret_cast<uintptr_t>(stream)));
  std::memset(reinterpret_cast<void *>(address), value, bytes);
  return 0;
}
FAKE int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return 0;
}
FAKE int cuStreamSynchronize(void *stream) {
  note("synchronize " + toString(reinterpret_cast<uintptr_t>(stream)));
  return 0;
}

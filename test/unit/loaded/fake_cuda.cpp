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
// fakeCudaTakeLog(); those of a whole process go to the file that the
// environment variable FAKE_CUDA_LOG names. FAKE_CUDA_DEVICES says how many
// GPUs there are. Modules whose text starts with "bad" do not load.
//
// What kernels take is read from the text of the module, if it is PTX, as a
// driver would do it. Nothing is computed.
//
//===----------------------------------------------------------------------===//

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <vector>

static std::mutex mutex;
static std::string calls;
static std::map<std::string, int> failures; ///< By name of the function.
static thread_local int depth = 0;          ///< Contexts that are current.
/// No call is written down, nor made to fail: no lock orders threads either.
static std::atomic<bool> isQuiet = false;
static bool isIdle = false;

static void note(const std::string &line) {
  if (isQuiet.load(std::memory_order_relaxed))
    return;
  std::lock_guard<std::mutex> lock(mutex);
  calls += line + "\n";
  if (const char *path = std::getenv("FAKE_CUDA_LOG"))
    if (FILE *file = std::fopen(path, "a")) {
      std::fputs((line + "\n").c_str(), file);
      std::fclose(file);
    }
}

static std::string toString(uint64_t value) { return std::to_string(value); }

/// The error that a function should return once, else 0.
static int takeFailure(const char *name) {
  if (isQuiet.load(std::memory_order_relaxed))
    return 0;
  std::lock_guard<std::mutex> lock(mutex);
  if (const char *given = std::getenv("FAKE_CUDA_FAIL")) {
    std::string start = std::string(name) + "=";
    if (std::string(given).rfind(start, 0) == 0)
      return std::atoi(given + start.size());
  }
  auto found = failures.find(name);
  if (found == failures.end())
    return 0;
  int error = found->second;
  failures.erase(found);
  return error;
}

#define FAKE extern "C" __attribute__((visibility("default")))
#define MAY_FAIL(name)                                                         \
  if (int error = takeFailure(name))                                           \
  return error

FAKE const char *fakeCudaTakeLog() {
  static std::string taken;
  std::lock_guard<std::mutex> lock(mutex);
  taken.swap(calls);
  calls.clear();
  return taken.c_str();
}
FAKE int fakeCudaDepth() { return depth; }
/// Makes the next call of a function return an error.
FAKE void fakeCudaFail(const char *name, int error) {
  std::lock_guard<std::mutex> lock(mutex);
  failures.clear();
  if (error)
    failures[name] = error;
}
FAKE void fakeCudaSetQuiet(bool quiet) { isQuiet = quiet; }
/// Kernels do nothing at all, so that any parameters will do.
FAKE void fakeCudaSetIdle(bool idle) { isIdle = idle; }

FAKE int cuInit(unsigned) {
  MAY_FAIL("cuInit");
  const char *devices = std::getenv("FAKE_CUDA_DEVICES");
  return devices && std::strcmp(devices, "0") == 0 ? 100 : 0;
}
FAKE int cuGetErrorString(int error, const char **text) {
  *text = error == 701 ? "too many resources requested for launch"
          : error == 2 ? "out of memory"
                       : "an error";
  return 0;
}
FAKE int cuDeviceGetCount(int *count) {
  MAY_FAIL("cuDeviceGetCount");
  *count = 2;
  return 0;
}
FAKE int cuDeviceGet(int *device, int ordinal) {
  MAY_FAIL("cuDeviceGet");
  *device = 100 + ordinal;
  return 0;
}
FAKE int cuDeviceGetAttribute(int *value, int attribute, int device) {
  MAY_FAIL("cuDeviceGetAttribute");
  bool isFirst = device == 100;
  const char *given = std::getenv("FAKE_CUDA_CAPABILITY");
  int capability = isFirst ? (given ? std::atoi(given) : 90) : 86;
  if (attribute == 75)
    *value = capability / 10;
  else if (attribute == 76)
    *value = capability % 10;
  else if (attribute == 97)
    *value = isFirst ? 232448 : 101376;
  else
    return 1;
  return 0;
}
FAKE int cuDevicePrimaryCtxRetain(void **context, int device) {
  MAY_FAIL("cuDevicePrimaryCtxRetain");
  *context = reinterpret_cast<void *>(uintptr_t(device));
  note("retain " + toString(device));
  return 0;
}
FAKE int cuDevicePrimaryCtxRelease_v2(int device) {
  note("release " + toString(device));
  return 0;
}
FAKE int cuCtxPushCurrent_v2(void *) {
  MAY_FAIL("cuCtxPushCurrent");
  ++depth;
  return 0;
}
FAKE int cuCtxPopCurrent_v2(void **) {
  --depth;
  return 0;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

namespace {
/// A kernel, and the bytes of each of its parameters if they are known.
struct Function {
  std::string name;
  bool isKnown = false;
  std::vector<size_t> parameters;
};
/// A module: its functions, by their names.
struct Module {
  std::string text;
  std::map<std::string, Function> functions;
};
} // namespace

/// The bytes of ".param .u64 NAME", ".param .align 64 .b8 NAME[128]".
static size_t getParameterBytes(const std::string &text) {
  size_t count = 1;
  if (size_t bracket = text.find('['); bracket != std::string::npos)
    count = std::strtoul(text.c_str() + bracket + 1, nullptr, 10);
  for (auto [word, bytes] : {std::pair("64 ", 8), std::pair("32 ", 4),
                             std::pair("16 ", 2), std::pair("8 ", 1)})
    for (const char *type : {".u", ".b", ".s", ".f"})
      if (text.find(std::string(type) + word) != std::string::npos)
        return count * bytes;
  return 0;
}

/// Finds ".entry NAME(PARAMETERS)" in PTX; parameters are unknown elsewhere.
static bool readEntry(const std::string &text, Function &function) {
  size_t begin = text.find(".entry " + function.name + "(");
  if (begin == std::string::npos)
    return text.find(".entry ") == std::string::npos;
  function.isKnown = true;
  size_t end = text.find(')', begin);
  for (size_t at = text.find(".param ", begin); at < end;
       at = text.find(".param ", at + 1)) {
    size_t next = std::min(text.find(',', at), end);
    function.parameters.push_back(
        getParameterBytes(text.substr(at, next - at)));
  }
  return true;
}

FAKE int cuModuleLoadDataEx(void **module, const void *image, unsigned count,
                            int *options, void **values) {
  MAY_FAIL("cuModuleLoadDataEx");
  std::string text(static_cast<const char *>(image));
  size_t target = text.find(".target ");
  size_t begin = target == std::string::npos ? 0 : target;
  note("load " + text.substr(begin, text.find('\n', begin) - begin));
  if (text.rfind("bad", 0) == 0) {
    if (count == 2 && options[0] == 5 && options[1] == 6)
      std::strncpy(static_cast<char *>(values[0]),
                   "ptxas: line 1: syntax error",
                   reinterpret_cast<uintptr_t>(values[1]));
    return 218;
  }
  *module = new Module{std::move(text), {}};
  return 0;
}
FAKE int cuModuleUnload(void *module) {
  note("unload");
  delete static_cast<Module *>(module);
  return 0;
}
FAKE int cuModuleGetFunction(void **function, void *handle, const char *name) {
  MAY_FAIL("cuModuleGetFunction");
  auto &module = *static_cast<Module *>(handle);
  Function &entry = module.functions[name];
  entry.name = name;
  entry.parameters.clear();
  if (entry.name == "missing" || !readEntry(module.text, entry))
    return 500;
  *function = &entry;
  return 0;
}
FAKE int cuFuncSetAttribute(void *function, int attribute, int value) {
  MAY_FAIL("cuFuncSetAttribute");
  note("attribute " + static_cast<Function *>(function)->name + " " +
       toString(attribute) + " = " + toString(value));
  return 0;
}

/// Writes parameters down as numbers, with their bytes unless these are 8.
static void noteParameters(const Function &function, void **parameters) {
  std::vector<size_t> sizes = function.parameters;
  if (function.name == "attend" && !function.isKnown)
    sizes.assign(6, 8);
  for (size_t i = 0; i < sizes.size(); ++i) {
    uint64_t word = 0;
    std::memcpy(&word, parameters[i], std::min<size_t>(sizes[i], 8));
    note("parameter " + toString(i) +
         (sizes[i] == 8 ? "" : " of " + toString(sizes[i])) + " = " +
         toString(word));
  }
}

/// Functions called "count..." write their second parameter to the address that
/// is the first.
FAKE int cuLaunchKernel(void *handle, unsigned gridX, unsigned gridY,
                        unsigned gridZ, unsigned blockX, unsigned blockY,
                        unsigned blockZ, unsigned sharedBytes, void *stream,
                        void **parameters, void **) {
  if (isIdle)
    return 0;
  const auto &function = *static_cast<Function *>(handle);
  note("launch " + function.name + " grid " + toString(gridX) + "," +
       toString(gridY) + "," + toString(gridZ) + " block " + toString(blockX) +
       "," + toString(blockY) + "," + toString(blockZ) + " shared " +
       toString(sharedBytes) + " stream " +
       toString(reinterpret_cast<uintptr_t>(stream)));
  if (function.name.rfind("count", 0) == 0) {
    uint64_t address, blocks;
    std::memcpy(&address, parameters[0], 8);
    std::memcpy(&blocks, parameters[1], 8);
    *reinterpret_cast<uint32_t *>(address) = uint32_t(blocks);
  }
  noteParameters(function, parameters);
  MAY_FAIL("cuLaunchKernel");
  return 0;
}

/// The first word of a map is the address of its tensor.
FAKE int cuTensorMapEncodeTiled(void *map, int type, uint32_t rank,
                                void *address, const uint64_t *sizes,
                                const uint64_t *strides, const uint32_t *box,
                                const uint32_t *elementStrides, int interleave,
                                int swizzle, int promotion, int fill) {
  MAY_FAIL("cuTensorMapEncodeTiled");
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
  if (reinterpret_cast<uintptr_t>(map) % 128)
    return 1;
  std::memset(map, 0, 128);
  std::memcpy(map, &address, sizeof(address));
  return 0;
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

FAKE int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
  MAY_FAIL("cuMemAlloc");
  constexpr size_t alignment = 256;
  if (!bytes)
    return 1;
  void *memory =
      std::aligned_alloc(alignment, (bytes + alignment - 1) & -alignment);
  *address = reinterpret_cast<uint64_t>(memory);
  note("allocate " + toString(bytes) + " at " + toString(*address));
  return memory ? 0 : 2;
}
FAKE int cuMemFree_v2(uint64_t address) {
  note("free");
  std::free(reinterpret_cast<void *>(address));
  return 0;
}
FAKE int cuMemsetD8Async(uint64_t address, unsigned char value, size_t bytes,
                         void *stream) {
  MAY_FAIL("cuMemsetD8Async");
  note("memset " + toString(bytes) + " stream " +
       toString(reinterpret_cast<uintptr_t>(stream)));
  std::memset(reinterpret_cast<void *>(address), value, bytes);
  return 0;
}
FAKE int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes,
                              void *) {
  MAY_FAIL("cuMemcpyHtoDAsync");
  note("to device " + toString(bytes));
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return 0;
}
FAKE int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
  MAY_FAIL("cuMemcpyDtoHAsync");
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return 0;
}
FAKE int cuStreamSynchronize(void *stream) {
  MAY_FAIL("cuStreamSynchronize");
  note("synchronize " + toString(reinterpret_cast<uintptr_t>(stream)));
  return 0;
}

//===----------------------------------------------------------------------===//
// Events
//===----------------------------------------------------------------------===//

/// An event is when it was recorded.
using Event = std::chrono::steady_clock::time_point;

FAKE int cuEventCreate(void **event, unsigned) {
  *event = new Event;
  return 0;
}
FAKE int cuEventDestroy_v2(void *event) {
  delete static_cast<Event *>(event);
  return 0;
}
FAKE int cuEventRecord(void *event, void *) {
  *static_cast<Event *>(event) = std::chrono::steady_clock::now();
  return 0;
}
FAKE int cuEventSynchronize(void *) { return 0; }
FAKE int cuEventElapsedTime(float *milliseconds, void *first, void *last) {
  std::chrono::duration<float, std::milli> time =
      *static_cast<Event *>(last) - *static_cast<Event *>(first);
  *milliseconds = time.count();
  return 0;
}

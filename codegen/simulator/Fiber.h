//===- Fiber.h - Device threads as fibers -----------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A device thread runs on a stack of its own and gives way only where it waits
// for others, so it costs two switches of context per wait and no locks. The
// switch itself is Boost.Context's. A fiber that is not resumed any more is
// just forgotten: device code owns nothing.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_SIMULATOR_FIBER_H
#define ATTN_CODEGEN_SIMULATOR_FIBER_H

#include <cstddef>

namespace attn::sim {

/// Memory for a stack, with an unmapped page below it.
class FiberStack {
public:
  FiberStack();
  ~FiberStack();
  FiberStack(const FiberStack &) = delete;
  FiberStack &operator=(const FiberStack &) = delete;

  /// Null if there was no memory for it.
  char *bottom() const { return memory; }
  static size_t size();
  bool contains(const void *address) const {
    const char *byte = static_cast<const char *>(address);
    return byte >= memory && byte < memory + size();
  }

private:
  char *memory;
};

/// Something that runs, waits and runs on.
class Fiber {
public:
  using Entry = void (*)(void *argument);

  /// Lets the next resume() call `entry(argument)` on `stack`, whatever the
  /// fiber did before.
  void start(const FiberStack &stack, Entry entry, void *argument);

  /// Runs the fiber until it suspends itself or ends.
  void resume();

  /// Returns to who resumed the fiber. Called on the fiber.
  void suspend();

  bool isDone() const { return done; }

private:
  struct Trampoline;
  void *switchTo(void *target, bool forGood);

  void *context = nullptr; ///< Where to continue on the other side.
  const FiberStack *stack = nullptr;
  Entry entry = nullptr;
  void *argument = nullptr;
  bool done = true;
  /// The stack on the other side, for the address sanitizer.
  const void *otherBottom = nullptr;
  size_t otherSize = 0;
};

} // namespace attn::sim

#endif // ATTN_CODEGEN_SIMULATOR_FIBER_H

//===- Fiber.cpp - Device threads as fibers -------------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "codegen/simulator/Fiber.h"
#include "llvm/Support/ErrorHandling.h"
#include <boost/context/detail/fcontext.hpp>
#include <sys/mman.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define ATTN_SANITIZED_FIBERS 1
#endif
#endif

using namespace attn::sim;
namespace context = boost::context::detail;

/// Room for a thread's local arrays and the simulator's own calls.
static constexpr size_t kStackBytes = 256 << 10;
static constexpr size_t kGuardBytes = 4096;

size_t FiberStack::size() { return kStackBytes; }

FiberStack::FiberStack() : memory(nullptr) {
  void *mapped =
      mmap(nullptr, kStackBytes + kGuardBytes, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    return;
  mprotect(mapped, kGuardBytes, PROT_NONE);
  memory = static_cast<char *>(mapped) + kGuardBytes;
}

FiberStack::~FiberStack() {
  if (memory)
    munmap(memory - kGuardBytes, kStackBytes + kGuardBytes);
}

/// Switches to the other side, with the announcements that the address
/// sanitizer needs to follow. `forGood` if this side will not be continued.
void *Fiber::switchTo(void *target, bool forGood) {
#ifdef ATTN_SANITIZED_FIBERS
  void *save = nullptr;
  __sanitizer_start_switch_fiber(forGood ? nullptr : &save, otherBottom,
                                 otherSize);
#endif
  void *other = context::jump_fcontext(target, this).fctx;
#ifdef ATTN_SANITIZED_FIBERS
  __sanitizer_finish_switch_fiber(save, &otherBottom, &otherSize);
#endif
  return other;
}

struct Fiber::Trampoline {
  static void run(context::transfer_t from) {
    Fiber *fiber = static_cast<Fiber *>(from.data);
    fiber->context = from.fctx;
#ifdef ATTN_SANITIZED_FIBERS
    __sanitizer_finish_switch_fiber(nullptr, &fiber->otherBottom,
                                    &fiber->otherSize);
#endif
    fiber->entry(fiber->argument);
    fiber->done = true;
    fiber->switchTo(fiber->context, /*forGood=*/true);
    llvm_unreachable("a finished fiber was resumed");
  }
};

void Fiber::start(const FiberStack &onStack, Entry newEntry,
                  void *newArgument) {
  stack = &onStack;
  entry = newEntry;
  argument = newArgument;
  done = false;
  context = context::make_fcontext(stack->bottom() + kStackBytes, kStackBytes,
                                   &Trampoline::run);
}

void Fiber::resume() {
  // Both sides keep "the other stack" in the same fields: whoever runs sees the
  // side that it came from.
  otherBottom = stack->bottom();
  otherSize = kStackBytes;
  context = switchTo(context, /*forGood=*/false);
}

void Fiber::suspend() { context = switchTo(context, /*forGood=*/false); }

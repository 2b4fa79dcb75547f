//===- OnceMap.h - Values that are made once --------------------*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_JIT_ONCEMAP_H
#define ATTN_RUNTIME_JIT_ONCEMAP_H

#include "runtime/Status.h"
#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace attn {

/// A map whose values are made when they are first asked for. Threads that ask
/// for one meanwhile wait, and get the same value or the same error. Errors are
/// forgotten, so that the next one who asks tries again.
template <typename Value> class OnceMap {
public:
  /// The value of `key`, and whether this call made it.
  template <typename Make>
  Result<Value> get(const std::string &key, bool &isMade, Make &&make) {
    isMade = false;
    std::shared_ptr<Slot> slot;
    {
      std::unique_lock<std::mutex> lock(mutex);
      auto [found, isNew] = slots.try_emplace(key);
      if (isNew)
        found->second = std::make_shared<Slot>();
      slot = found->second;
      if (!isNew) {
        made.wait(lock, [&] { return slot->isDone; });
        return slot->result;
      }
    }
    isMade = true;
    Result<Value> result = makeSafely(make);
    std::lock_guard<std::mutex> lock(mutex);
    slot->result = result;
    slot->isDone = true;
    if (!result)
      slots.erase(key);
    made.notify_all();
    return result;
  }

  /// The value of `key`, if it has been made.
  std::optional<Value> find(const std::string &key) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = slots.find(key);
    if (found == slots.end() || !found->second->isDone)
      return std::nullopt;
    return *found->second->result;
  }

private:
  struct Slot {
    bool isDone = false;
    Result<Value> result = Status();
  };

  /// Nobody must wait for a value whose maker has run out of memory.
  template <typename Make> static Result<Value> makeSafely(Make &make) {
    try {
      return make();
    } catch (const std::bad_alloc &) {
      return Status(ATTN_OUT_OF_MEMORY, "out of memory");
    }
  }

  std::mutex mutex;
  std::condition_variable made;
  std::unordered_map<std::string, std::shared_ptr<Slot>> slots;
};

} // namespace attn

#endif // ATTN_RUNTIME_JIT_ONCEMAP_H

//===- JitConfig.cpp - Where kernels are kept, and who says so ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/jit/JitConfig.h"
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

using namespace attn;

static constexpr uint64_t kDefaultMaxBytes = uint64_t(1) << 30;

/// The value of a variable; empty if it is not set. Programs with more rights
/// than their user do not listen to it.
static std::string getVariable(const char *name) {
  const char *value = ::secure_getenv(name);
  return value ? value : "";
}

std::string attn::makeAbsolute(const std::string &path) {
  if (path.empty())
    return path;
  std::error_code code;
  auto result = std::filesystem::absolute(path, code);
  return code ? path : result.lexically_normal().string();
}

static Setting<std::string> resolveFolder(const attn_jit_options &options) {
  if (options.cache_dir && *options.cache_dir)
    return {makeAbsolute(options.cache_dir), "option cache_dir"};
  if (std::string folder = getVariable("ATTN_CACHE_DIR"); !folder.empty())
    return {makeAbsolute(folder), "ATTN_CACHE_DIR"};
  // Relative paths are invalid there, so the convention says.
  if (std::string folder = getVariable("XDG_CACHE_HOME");
      folder.starts_with('/'))
    return {folder + "/attn", "XDG_CACHE_HOME"};
  if (std::string home = getVariable("HOME"); home.starts_with('/'))
    return {home + "/.cache/attn", "HOME"};
  return {"", "nothing says where"};
}

static Setting<std::string> resolveDatabase() {
  std::string path = getVariable("ATTN_TUNING_DB");
  if (path.empty())
    return {"", "default"};
  return {makeAbsolute(path), "ATTN_TUNING_DB"};
}

static Result<Setting<bool>> resolveUse(const attn_jit_options &options,
                                        const Setting<std::string> &folder) {
  if (options.disable_cache != 0 && options.disable_cache != 1)
    return invalidArgument("disable_cache must be 0 or 1, got " +
                           std::to_string(options.disable_cache));
  if (options.disable_cache)
    return Setting<bool>{false, "option disable_cache"};
  std::string value = getVariable("ATTN_DISABLE_CACHE");
  if (value == "1")
    return Setting<bool>{false, "ATTN_DISABLE_CACHE"};
  if (!value.empty() && value != "0")
    return invalidArgument("ATTN_DISABLE_CACHE must be 0 or 1, got '" + value +
                           "'");
  if (folder.value.empty())
    return Setting<bool>{false, "there is no folder: neither ATTN_CACHE_DIR, "
                                "XDG_CACHE_HOME nor HOME is set"};
  return Setting<bool>{true, value.empty() ? "default" : "ATTN_DISABLE_CACHE"};
}

static Result<Setting<uint64_t>> resolveMax(const attn_jit_options &options) {
  if (options.cache_max_bytes < 0)
    return invalidArgument("cache_max_bytes must not be negative, got " +
                           std::to_string(options.cache_max_bytes));
  if (options.cache_max_bytes > 0)
    return Setting<uint64_t>{uint64_t(options.cache_max_bytes),
                             "option cache_max_bytes"};
  std::string value = getVariable("ATTN_CACHE_MAX_BYTES");
  if (value.empty())
    return Setting<uint64_t>{kDefaultMaxBytes, "default"};
  uint64_t bytes = 0;
  auto [end, error] =
      std::from_chars(value.data(), value.data() + value.size(), bytes);
  if (error != std::errc() || end != value.data() + value.size() || bytes == 0)
    return invalidArgument("ATTN_CACHE_MAX_BYTES must be a positive number of "
                           "bytes, got '" +
                           value + "'");
  return Setting<uint64_t>{bytes, "ATTN_CACHE_MAX_BYTES"};
}

Result<JitConfig> JitConfig::resolve(const attn_jit_options *options) {
  attn_jit_options given = {};
  if (options)
    given = *options;
  JitConfig config;
  config.cacheDir = resolveFolder(given);
  auto use = resolveUse(given, config.cacheDir);
  if (!use)
    return use.takeStatus();
  auto most = resolveMax(given);
  if (!most)
    return most.takeStatus();
  config.useCache = std::move(*use);
  config.cacheMaxBytes = std::move(*most);
  config.tuningDatabase = resolveDatabase();
  return config;
}

std::string attn::quoteJson(const std::string &text) {
  using nlohmann::json;
  // Paths need not be UTF-8.
  return json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string JitConfig::toJson() const {
  auto setting = [](const char *name, const std::string &value,
                    const std::string &from) {
    return quoteJson(name) + ": {\"value\": " + value +
           ", \"from\": " + quoteJson(from) + "}";
  };
  return "{\n  " +
         setting("cache_dir", quoteJson(cacheDir.value), cacheDir.from) +
         ",\n  " +
         setting("cache", useCache.value ? "true" : "false", useCache.from) +
         ",\n  " +
         setting("cache_max_bytes", std::to_string(cacheMaxBytes.value),
                 cacheMaxBytes.from) +
         ",\n  " +
         setting("tuning_db", quoteJson(tuningDatabase.value),
                 tuningDatabase.from);
}

//===- attn.cpp - The C interface of the runtime --------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Handles, statuses and messages; the work is done by Package and LoadedKernel.
// No exception leaves a function: what throws is memory that runs out.
//
//===----------------------------------------------------------------------===//

#include "runtime/attn.h"
#include "runtime/Handles.h"
#include <algorithm>

using namespace attn;

std::string &attn::getLastError() {
  static thread_local std::string message;
  return message;
}

uint32_t attn_version(void) { return ATTN_API_MAJOR << 16 | ATTN_API_MINOR; }

const char *attn_status_name(attn_status status) {
  switch (status) {
  case ATTN_OK:
    return "ATTN_OK";
  case ATTN_INVALID_ARGUMENT:
    return "ATTN_INVALID_ARGUMENT";
  case ATTN_INVALID_PACKAGE:
    return "ATTN_INVALID_PACKAGE";
  case ATTN_UNSUPPORTED_PACKAGE:
    return "ATTN_UNSUPPORTED_PACKAGE";
  case ATTN_NOT_FOUND:
    return "ATTN_NOT_FOUND";
  case ATTN_NO_CODE_FOR_DEVICE:
    return "ATTN_NO_CODE_FOR_DEVICE";
  case ATTN_DEVICE_ERROR:
    return "ATTN_DEVICE_ERROR";
  case ATTN_OUT_OF_MEMORY:
    return "ATTN_OUT_OF_MEMORY";
  case ATTN_IO_ERROR:
    return "ATTN_IO_ERROR";
  case ATTN_INVALID_SPEC:
    return "ATTN_INVALID_SPEC";
  }
  return "unknown status";
}

const char *attn_last_error(void) { return getLastError().c_str(); }

//===----------------------------------------------------------------------===//
// Packages
//===----------------------------------------------------------------------===//

static Status makePackage(Result<std::shared_ptr<const Package>> loaded,
                          attn_package **package) {
  if (!loaded)
    return loaded.takeStatus();
  *package = new attn_package{std::move(*loaded)};
  return {};
}

attn_status attn_package_load_file(const char *path, attn_package **package) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(path, "path"))
      return status;
    if (Status status = checkNotNull(package, "package"))
      return status;
    return makePackage(Package::readFile(path), package);
  });
}

attn_status attn_package_load_memory(const void *bytes, size_t size,
                                     attn_package **package) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(bytes, "bytes"))
      return status;
    if (Status status = checkNotNull(package, "package"))
      return status;
    return makePackage(Package::read({static_cast<const char *>(bytes), size}),
                       package);
  });
}

void attn_package_destroy(attn_package *package) { delete package; }

size_t attn_package_kernel_count(const attn_package *package) {
  return package ? package->package->manifest.kernels.size() : 0;
}

const char *attn_package_kernel_name(const attn_package *package,
                                     size_t index) {
  if (index >= attn_package_kernel_count(package))
    return nullptr;
  return package->package->manifest.kernels[index].name.c_str();
}

const char *attn_package_manifest(const attn_package *package, size_t *size) {
  if (size)
    *size = package ? package->package->text.size() : 0;
  return package ? package->package->text.c_str() : nullptr;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

static const LoadedKernel &getKernel(const attn_kernel *kernel) {
  return kernel->kernel->get();
}

static const Interface &getInterface(const attn_kernel *kernel) {
  return getKernel(kernel).getKernel().interface;
}

attn_status attn_kernel_load(const attn_package *package, const char *name,
                             DLDevice device, attn_kernel **kernel) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(package, "package"))
      return status;
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    auto found = package->package->findKernel(name ? name : "");
    if (!found)
      return found.takeStatus();
    auto loaded = LoadedKernel::load(package->package, **found, device);
    if (!loaded)
      return loaded.takeStatus();
    *kernel = new attn_kernel{
        std::make_shared<const SharedKernel>(std::move(*loaded))};
    return {};
  });
}

void attn_kernel_destroy(attn_kernel *kernel) { delete kernel; }

const char *attn_kernel_target(const attn_kernel *kernel) {
  return kernel ? getKernel(kernel).getTarget().c_str() : nullptr;
}

const char *attn_kernel_schedule(const attn_kernel *kernel) {
  return kernel ? getKernel(kernel).getSchedule().c_str() : nullptr;
}

size_t attn_kernel_argument_count(const attn_kernel *kernel) {
  return kernel ? getInterface(kernel).arguments.size() : 0;
}

size_t attn_kernel_result_count(const attn_kernel *kernel) {
  return kernel ? getInterface(kernel).results.size() : 0;
}

/// Describes one of `ports`.
static attn_status describe(const attn_kernel *kernel,
                            std::vector<Port> Interface::*ports, size_t index,
                            attn_port *port) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    if (Status status = checkNotNull(port, "port"))
      return status;
    const Interface &interface = getInterface(kernel);
    const std::vector<Port> &all = interface.*ports;
    if (index >= all.size())
      return invalidArgument("index must be less than " +
                             std::to_string(all.size()) + ", got " +
                             std::to_string(index));
    size_t first =
        ports == &Interface::results ? interface.arguments.size() : 0;
    const Port &found = all[index];
    *port = {found.name.c_str(),    getTypeName(found.type).data(),
             getDLType(found.type), int32_t(found.dims.size()),
             found.sizes.data(),    kernel->kernel->getDims(first + index)};
    return {};
  });
}

attn_status attn_kernel_argument(const attn_kernel *kernel, size_t index,
                                 attn_port *port) {
  return describe(kernel, &Interface::arguments, index, port);
}

attn_status attn_kernel_result(const attn_kernel *kernel, size_t index,
                               attn_port *port) {
  return describe(kernel, &Interface::results, index, port);
}

static attn_status find(const attn_kernel *kernel,
                        std::vector<Port> Interface::*ports, const char *role,
                        const char *name, size_t *index) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    if (Status status = checkNotNull(name, "name"))
      return status;
    if (Status status = checkNotNull(index, "index"))
      return status;
    const std::vector<Port> &all = getInterface(kernel).*ports;
    std::string names;
    for (size_t i = 0; i < all.size(); ++i) {
      if (all[i].name == name) {
        *index = i;
        return {};
      }
      names += (i ? ", '" : "'") + all[i].name + "'";
    }
    return {ATTN_NOT_FOUND, "expected one of the " + std::string(role) + "s " +
                                names + ", got '" + name + "'"};
  });
}

attn_status attn_kernel_find_argument(const attn_kernel *kernel,
                                      const char *name, size_t *index) {
  return find(kernel, &Interface::arguments, "argument", name, index);
}

attn_status attn_kernel_find_result(const attn_kernel *kernel, const char *name,
                                    size_t *index) {
  return find(kernel, &Interface::results, "result", name, index);
}

attn_status attn_kernel_result_in_place(const attn_kernel *kernel,
                                        size_t result, size_t *argument) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    if (Status status = checkNotNull(argument, "argument"))
      return status;
    const std::vector<Port> &results = getInterface(kernel).results;
    if (result >= results.size())
      return invalidArgument("result must be less than " +
                             std::to_string(results.size()) + ", got " +
                             std::to_string(result));
    if (!results[result].inPlace)
      return {ATTN_NOT_FOUND,
              "result '" + results[result].name +
                  "' needs memory of its own: it is not the last state of a "
                  "recurrence whose initial state is an argument that nothing "
                  "else reads"};
    *argument = *results[result].inPlace;
    return {};
  });
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Checks that a list of tensors may be read.
static Status checkTensorList(const DLTensor *const *tensors, size_t count,
                              const char *name) {
  return count ? checkNotNull(tensors, name) : Status();
}

attn_status attn_kernel_result_shape(const attn_kernel *kernel,
                                     const DLTensor *const *arguments,
                                     size_t argumentCount, size_t result,
                                     int32_t ndim, int64_t *shape) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    if (Status status = checkTensorList(arguments, argumentCount, "arguments"))
      return status;
    auto sizes = getKernel(kernel).getResultSizes({arguments, argumentCount});
    if (!sizes)
      return sizes.takeStatus();
    if (result >= sizes->size())
      return invalidArgument("result must be less than " +
                             std::to_string(sizes->size()) + ", got " +
                             std::to_string(result));
    const std::vector<int64_t> &found = (*sizes)[result];
    if (ndim < 0 || size_t(ndim) != found.size())
      return invalidArgument("ndim must be " + std::to_string(found.size()) +
                             ", got " + std::to_string(ndim));
    if (ndim > 0)
      if (Status status = checkNotNull(shape, "shape"))
        return status;
    std::ranges::copy(found, shape);
    return {};
  });
}

attn_status attn_kernel_workspace_size(const attn_kernel *kernel,
                                       const DLTensor *const *arguments,
                                       size_t argumentCount, size_t *bytes) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    if (Status status = checkNotNull(bytes, "bytes"))
      return status;
    if (Status status = checkTensorList(arguments, argumentCount, "arguments"))
      return status;
    auto size = getKernel(kernel).getWorkspaceBytes({arguments, argumentCount});
    if (!size)
      return size.takeStatus();
    *bytes = *size;
    return {};
  });
}

attn_status
attn_kernel_launch(const attn_kernel *kernel, const DLTensor *const *arguments,
                   size_t argumentCount, const DLTensor *const *results,
                   size_t resultCount, void *workspace, size_t workspaceBytes,
                   void *stream, const attn_launch_options *options) {
  return report([&]() -> Status {
    if (Status status = checkNotNull(kernel, "kernel"))
      return status;
    if (Status status = checkTensorList(arguments, argumentCount, "arguments"))
      return status;
    if (Status status = checkTensorList(results, resultCount, "results"))
      return status;
    if (options)
      if (Status status =
              checkStructSize(sizeof(*options), options->struct_size))
        return status;
    LaunchResources resources = {workspace, workspaceBytes, stream,
                                 options ? options->threads : 0};
    return getKernel(kernel).launch({arguments, argumentCount},
                                    {results, resultCount}, resources);
  });
}

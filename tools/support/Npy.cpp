//===- Npy.cpp - Read and write NumPy array files -------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tools/support/Npy.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

using namespace attn;
using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace {

constexpr StringRef kMagic("\x93NUMPY", 6);
/// NumPy's own limit on the number of dimensions.
constexpr size_t kMaxRank = 64;
/// A header of kMaxRank dimensions is far below this; NumPy warns from 10000.
constexpr uint64_t kMaxHeaderSize = 65535;

struct TypeRecord {
  NpyType type;
  StringRef descr;
  StringRef name;
  size_t size;
};

constexpr TypeRecord kTypes[] = {
    {NpyType::F16, "<f2", "float16", 2}, {NpyType::F32, "<f4", "float32", 4},
    {NpyType::F64, "<f8", "float64", 8}, {NpyType::I8, "|i1", "int8", 1},
    {NpyType::I16, "<i2", "int16", 2},   {NpyType::I32, "<i4", "int32", 4},
    {NpyType::I64, "<i8", "int64", 8},   {NpyType::U8, "|u1", "uint8", 1},
    {NpyType::Bool, "|b1", "bool", 1},
};

const TypeRecord &getRecord(NpyType type) {
  return *llvm::find_if(
      kTypes, [&](const TypeRecord &record) { return record.type == type; });
}

/// The header dictionary of a file.
struct Header {
  NpyType type = NpyType::F32;
  bool fortranOrder = false;
  std::vector<int64_t> shape;
};

template <typename... Args>
Error makeError(StringRef name, const char *format, Args &&...args) {
  std::string message = llvm::formatv(format, std::forward<Args>(args)...);
  return llvm::createStringError(name + ": " + message);
}

/// Text of a file as it may stand in a message: short, and printable.
std::string quote(StringRef text) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  stream << '\'';
  llvm::printEscapedString(text.take_front(40), stream);
  stream << (text.size() > 40 ? "...'" : "'");
  return result;
}

/// NumPy writes '|' where byte order means nothing, and reads '<' as well.
bool matchesDescr(const TypeRecord &record, StringRef descr) {
  if (record.size == 1 && descr.consume_front("<"))
    return descr == record.descr.drop_front();
  return descr == record.descr;
}

/// All element types as a file names them.
std::string getSupportedDescrs() {
  std::string result;
  llvm::raw_string_ostream stream(result);
  llvm::interleave(
      kTypes, stream, [&](const TypeRecord &record) { stream << record.descr; },
      " ");
  return result;
}

/// Product of the sizes of `shape` and an element, or nothing on overflow.
std::optional<int64_t> getByteSize(ArrayRef<int64_t> shape, size_t size) {
  // An array with a zero is empty however large its other sizes are.
  if (llvm::is_contained(shape, 0))
    return 0;
  int64_t bytes = size;
  for (int64_t extent : shape)
    if (llvm::MulOverflow(bytes, extent, bytes))
      return std::nullopt;
  return bytes;
}

//===----------------------------------------------------------------------===//
// Header
//===----------------------------------------------------------------------===//

/// Reads the Python dictionary literal of the header:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
class HeaderParser {
public:
  HeaderParser(StringRef text, StringRef name) : rest(text), name(name) {}

  Expected<Header> parse();

private:
  Error parseEntry(StringRef key);
  Error parseDescr();
  Error parseOrder();
  Error parseShape();
  Error parseExtent();
  Expected<StringRef> parseString();

  /// Drops `token` and the blanks before it if it comes next.
  bool consume(StringRef token) {
    rest = rest.ltrim(" \t\n");
    return rest.consume_front(token);
  }

  Error expected(StringRef what) const {
    return makeError(name, "bad .npy header: expected {0}, got {1}", what,
                     quote(rest.rtrim(" \t\n")));
  }

  StringRef rest;
  StringRef name;
  Header header;
  /// Keys that have been read, in the order of the file.
  std::vector<StringRef> keys;
};

} // namespace

Expected<Header> HeaderParser::parse() {
  if (!consume("{"))
    return expected("'{'");
  while (!consume("}")) {
    Expected<StringRef> key = parseString();
    if (!key)
      return key.takeError();
    if (Error error = parseEntry(*key))
      return error;
    if (!consume(",") && !rest.ltrim(" \t\n").starts_with("}"))
      return expected("',' or '}'");
  }
  if (!rest.trim(" \t\n").empty())
    return expected("nothing after '}'");
  for (StringRef key : {"descr", "fortran_order", "shape"})
    if (!llvm::is_contained(keys, key))
      return makeError(name, "bad .npy header: key '{0}' is missing", key);
  return std::move(header);
}

Error HeaderParser::parseEntry(StringRef key) {
  if (llvm::is_contained(keys, key))
    return makeError(name, "bad .npy header: key {0} is repeated", quote(key));
  keys.push_back(key);
  if (!consume(":"))
    return expected("':'");
  if (key == "descr")
    return parseDescr();
  if (key == "fortran_order")
    return parseOrder();
  if (key == "shape")
    return parseShape();
  return makeError(name,
                   "bad .npy header: expected the keys 'descr', "
                   "'fortran_order' and 'shape', got {0}",
                   quote(key));
}

Error HeaderParser::parseDescr() {
  rest = rest.ltrim(" \t\n");
  if (rest.starts_with("["))
    return makeError(name, "structured element types are not supported");
  Expected<StringRef> descr = parseString();
  if (!descr)
    return descr.takeError();
  for (const TypeRecord &record : kTypes) {
    if (!matchesDescr(record, *descr))
      continue;
    header.type = record.type;
    return Error::success();
  }
  return makeError(name,
                   "element type {0} is not supported: expected one of {1}",
                   quote(*descr), getSupportedDescrs());
}

Error HeaderParser::parseOrder() {
  if (consume("True"))
    header.fortranOrder = true;
  else if (!consume("False"))
    return expected("True or False");
  return Error::success();
}

Error HeaderParser::parseShape() {
  if (!consume("("))
    return expected("'('");
  while (!consume(")")) {
    if (Error error = parseExtent())
      return error;
    if (!consume(",") && !rest.ltrim(" \t\n").starts_with(")"))
      return expected("',' or ')'");
  }
  if (header.shape.size() > kMaxRank)
    return makeError(name, "expected at most {0} dimensions, got {1}", kMaxRank,
                     header.shape.size());
  return Error::success();
}

Error HeaderParser::parseExtent() {
  rest = rest.ltrim(" \t\n");
  StringRef digits = rest.take_while(llvm::isDigit);
  if (digits.empty())
    return expected("a size that is not negative");
  int64_t extent;
  if (digits.getAsInteger(10, extent))
    return makeError(name, "size {0} does not fit into 64 bits", quote(digits));
  header.shape.push_back(extent);
  rest = rest.drop_front(digits.size());
  return Error::success();
}

Expected<StringRef> HeaderParser::parseString() {
  rest = rest.ltrim(" \t\n");
  StringRef quoteMark = rest.take_front();
  if (quoteMark != "'" && quoteMark != "\"")
    return expected("a string");
  size_t end = rest.find(quoteMark, 1);
  if (end == StringRef::npos)
    return expected("a string that ends");
  StringRef text = rest.slice(1, end);
  rest = rest.drop_front(end + 1);
  return text;
}

/// Splits `contents` behind magic number, version and length; what remains in
/// it are the elements.
static Expected<StringRef> takeHeaderText(StringRef &contents, StringRef name) {
  if (!contents.consume_front(kMagic))
    return makeError(name, "not a .npy file: the magic number is missing");
  if (contents.size() < 2)
    return makeError(name, "truncated .npy file: the version is missing");
  unsigned major = contents.bytes_begin()[0];
  unsigned minor = contents.bytes_begin()[1];
  if (major < 1 || major > 3 || minor != 0)
    return makeError(name, "expected .npy version 1.0, 2.0 or 3.0, got {0}.{1}",
                     major, minor);
  contents = contents.drop_front(2);
  size_t lengthSize = major == 1 ? 2 : 4;
  if (contents.size() < lengthSize)
    return makeError(name, "truncated .npy file: the header size is missing");
  uint64_t size = major == 1 ? llvm::support::endian::read16le(contents.data())
                             : llvm::support::endian::read32le(contents.data());
  contents = contents.drop_front(lengthSize);
  if (size > kMaxHeaderSize)
    return makeError(name, "expected a header of at most {0} bytes, got {1}",
                     kMaxHeaderSize, size);
  if (size > contents.size())
    return makeError(name,
                     "truncated .npy file: expected a header of {0} bytes, got "
                     "{1}",
                     size, contents.size());
  StringRef text = contents.take_front(size);
  contents = contents.drop_front(size);
  return text;
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// Copies `source`, whose first index varies fastest, to `target`, whose last
/// one does.
static void copyFromFortranOrder(const char *source, char *target,
                                 ArrayRef<int64_t> shape, size_t size,
                                 int64_t count) {
  std::vector<int64_t> index(shape.size(), 0);
  std::vector<int64_t> stride(shape.size(), size);
  for (size_t i = 1; i < shape.size(); ++i)
    stride[i] = stride[i - 1] * shape[i - 1];
  int64_t offset = 0;
  for (int64_t n = 0; n < count; ++n) {
    std::copy_n(source + offset, size, target + n * size);
    for (size_t i = shape.size(); i-- > 0;) {
      offset += stride[i];
      if (++index[i] < shape[i])
        break;
      offset -= stride[i] * shape[i];
      index[i] = 0;
    }
  }
}

static Expected<NpyArray> readElements(StringRef bytes, Header header,
                                       StringRef name) {
  size_t size = getNpyElementSize(header.type);
  std::optional<int64_t> expected = getByteSize(header.shape, size);
  if (!expected)
    return makeError(
        name, "the size of shape ({0}) does not fit into 64 bits",
        llvm::make_range(header.shape.begin(), header.shape.end()));
  if (static_cast<uint64_t>(*expected) != bytes.size())
    return makeError(name, "expected {0} bytes of elements, got {1}", *expected,
                     bytes.size());
  NpyArray array;
  array.type = header.type;
  array.shape = std::move(header.shape);
  if (header.fortranOrder && array.shape.size() > 1) {
    array.data.resize(bytes.size());
    copyFromFortranOrder(bytes.data(), array.data.data(), array.shape, size,
                         *expected / size);
  } else {
    array.data.assign(bytes.begin(), bytes.end());
  }
  // Any other byte than 0 and 1 would be an invalid bool in C++.
  if (array.type == NpyType::Bool)
    for (char &value : array.data)
      value = value != 0;
  return array;
}

//===----------------------------------------------------------------------===//
// Interface
//===----------------------------------------------------------------------===//

size_t attn::getNpyElementSize(NpyType type) { return getRecord(type).size; }

StringRef attn::getNpyTypeName(NpyType type) { return getRecord(type).name; }

int64_t NpyArray::getNumElements() const {
  return data.size() / getNpyElementSize(type);
}

NpyArray attn::makeNpyArray(NpyType type, ArrayRef<int64_t> shape) {
  NpyArray array;
  array.type = type;
  array.shape = shape.vec();
  array.data.resize(getByteSize(shape, getNpyElementSize(type)).value());
  return array;
}

Expected<NpyArray> attn::parseNpy(StringRef contents, StringRef name) {
  Expected<StringRef> text = takeHeaderText(contents, name);
  if (!text)
    return text.takeError();
  Expected<Header> header = HeaderParser(*text, name).parse();
  if (!header)
    return header.takeError();
  return readElements(contents, std::move(*header), name);
}

Expected<NpyArray> attn::readNpy(StringRef path) {
  llvm::sys::fs::file_status status;
  if (std::error_code error = llvm::sys::fs::status(path, status))
    return makeError(path, "cannot read: {0}", error.message());
  // A device such as /dev/zero would never end.
  if (!llvm::sys::fs::is_regular_file(status))
    return makeError(path, "cannot read: not a regular file");
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError(path, "cannot read: {0}", buffer.getError().message());
  return parseNpy((*buffer)->getBuffer(), path);
}

/// The header as NumPy writes it: padded so that the elements are aligned.
static std::string formatHeader(const NpyArray &array) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << "{'descr': '" << getRecord(array.type).descr
         << "', 'fortran_order': False, 'shape': (";
  llvm::interleaveComma(array.shape, stream);
  stream << (array.shape.size() == 1 ? ",), }" : "), }");
  constexpr size_t prefixSize = 10;
  size_t unpadded = prefixSize + text.size() + 1;
  stream.indent(llvm::alignTo(unpadded, 64) - unpadded) << '\n';
  return text;
}

Error attn::writeNpy(StringRef path, const NpyArray &array) {
  std::optional<int64_t> size =
      getByteSize(array.shape, getNpyElementSize(array.type));
  if (array.shape.size() > kMaxRank)
    return makeError(path, "expected at most {0} dimensions, got {1}", kMaxRank,
                     array.shape.size());
  if (!size || llvm::any_of(array.shape, [](int64_t n) { return n < 0; }) ||
      static_cast<uint64_t>(*size) != array.data.size())
    return makeError(path, "shape and data of the array disagree");
  std::error_code code;
  llvm::raw_fd_ostream stream(path, code);
  if (code)
    return makeError(path, "cannot write: {0}", code.message());
  std::string header = formatHeader(array);
  char prefix[4] = {1, 0};
  llvm::support::endian::write16le(prefix + 2, header.size());
  stream << kMagic;
  stream.write(prefix, sizeof(prefix)) << header;
  stream.write(array.data.data(), array.data.size());
  stream.close();
  if (!stream.has_error())
    return Error::success();
  code = stream.error();
  stream.clear_error();
  return makeError(path, "cannot write: {0}", code.message());
}

// Bytes in some encoding -> UTF-8 without a byte order mark.
#pragma once

#include "decode/byte_source.h"

#include <optional>

namespace sluice::decode {

struct OpenedText {
  std::unique_ptr<ByteSource> bytes;
  Encoding encoding = Encoding::utf8;
  bool marked = false;  // it began with a byte order mark
  Compression compression = Compression::none;
};

// A byte order mark decides; else `encoding`, of which utf16le may turn out big endian; else UTF-16 where
// every other of the first bytes is NUL; else UTF-8, which is passed on as it is, valid or not.
Result<OpenedText> open_text(const Input& input, std::optional<Encoding> encoding);

// "utf-8" "utf-16" "utf-16le" "utf-16be" "windows-1252" "iso-8859-1" and their usual other names; "auto" and
// "" give nothing (the mark or the bytes decide).
Result<std::optional<Encoding>> encoding_from(std::string_view name);

}  // namespace sluice::decode

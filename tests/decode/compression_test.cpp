#include "decode/decode_support.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zip.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>

namespace sluice::decode {
namespace {

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3));
  return out;
}

std::string zip(const std::vector<std::pair<std::string, std::string>>& files) {
  const auto path = std::filesystem::temp_directory_path() / fmt::format("sluice-decode-{}.zip", ::getpid());
  std::filesystem::remove(path);
  int error = 0;
  zip_t* const archive = zip_open(path.c_str(), ZIP_CREATE, &error);
  for (const auto& [name, content] : files) {
    zip_file_add(archive, name.c_str(), zip_source_buffer(archive, content.data(), content.size(), 0), 0);
  }
  zip_close(archive);
  auto bytes = *read_file(path);
  std::filesystem::remove(path);
  return bytes;
}

std::string some_csv(int rows) {
  std::string text = "id,name\n";
  for (int i = 0; i < rows; ++i) text += fmt::format("{},name {}\n", i, i * 7919 % 1000);
  return text;
}

TEST(Compression, is_found_by_content_whatever_the_name) {
  const auto text = some_csv(500);
  for (const auto& [bytes, kind] :
       {std::pair{gzip(text), "gzip"}, {zstd(text), "zstd"}, {zip({{"a.csv", text}}), "zip"}}) {
    const auto input = input_of(bytes, "data.bin");
    const auto seen = probe(input, {}, {});
    ASSERT_TRUE(seen) << seen.error().describe();
    EXPECT_EQ(seen->compression, kind);
    const auto all = decode_inferred(input);
    ASSERT_TRUE(all);
    EXPECT_EQ(all->rows.size(), 500u);
  }
}

TEST(Compression, several_gzip_members_are_one_text) {
  const auto all = decode_inferred(input_of(gzip("id,name\n1,x\n") + gzip("2,y\n") + std::string(512, '\0')));
  ASSERT_TRUE(all) << all.error().describe();
  EXPECT_EQ(all->rows.size(), 2u);
}

TEST(Compression, a_stream_cut_anywhere_is_an_error_and_never_fewer_rows) {
  const auto text = some_csv(40);
  for (const auto& bytes : {gzip(text), zstd(text), zip({{"a.csv", text}})}) {
    for (std::size_t n = 4; n < bytes.size(); ++n) {
      const auto all = decode_inferred(input_of(std::string_view(bytes).substr(0, n), "a.csv"));
      EXPECT_FALSE(all) << "cut at " << n << " of " << bytes.size();
    }
  }
  const auto cut = decode_inferred(input_of(gzip(text).substr(0, 100)));
  EXPECT_EQ(cut.error().code, ErrorCode::truncated);
  EXPECT_TRUE(cut.error().retryable);
}

TEST(Compression, a_bomb_ends_early_as_too_large) {
  const std::string zeros = gzip(std::string(32u << 20, '\0'));
  std::string bomb;
  for (int i = 0; i < 160; ++i) bomb += zeros;  // 5 GB
  for (const auto format : {Format::automatic, Format::csv, Format::json}) {
    DecodeSpec spec;
    spec.format = format;
    const auto all = decode_inferred(input_of(bomb), spec);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::too_large) << all.error().describe();
  }
}

TEST(Compression, the_size_cap_holds_for_plain_files_too) {
  auto input = input_of(some_csv(1000));
  input.max_bytes = 5000;
  const auto all = decode_inferred(input);
  ASSERT_FALSE(all);
  EXPECT_EQ(all.error().code, ErrorCode::too_large);
}

TEST(Compression, a_zip_must_hold_one_file) {
  EXPECT_TRUE(decode_inferred(input_of(zip({{"__MACOSX/._a.csv", "x"}, {"a.csv", "id\n1\n"}}))));
  const auto two = decode_inferred(input_of(zip({{"a.csv", "id\n1\n"}, {"b.csv", "id\n2\n"}})));
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().describe().find("a.csv, b.csv"), std::string::npos) << two.error().describe();
}

TEST(Compression, damaged_gzip_data_is_malformed) {
  auto bytes = gzip(some_csv(500));
  for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 20; ++i) bytes[i] = '\x55';
  const auto all = decode_inferred(input_of(bytes));
  ASSERT_FALSE(all);
}

}  // namespace
}  // namespace sluice::decode

#include "decode/byte_source.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <string>
#include <vector>

namespace sluice::decode {
namespace {

// libzip's view of our file: reads go through read_at, nothing is mapped or opened by name.
struct ZipFile {
  std::shared_ptr<const FileHandle> file;
  std::uint64_t size = 0;
  std::uint64_t position = 0;
  zip_error_t error{};
};

zip_int64_t serve(void* user, void* data, zip_uint64_t length, zip_source_cmd_t command) {
  auto& zip = *static_cast<ZipFile*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      zip.position = 0;
      return 0;
    case ZIP_SOURCE_READ: {
      const auto got = zip.file->read_at({static_cast<char*>(data), length}, zip.position);
      if (!got) {
        zip_error_set(&zip.error, ZIP_ER_READ, 0);
        return -1;
      }
      zip.position += *got;
      return static_cast<zip_int64_t>(*got);
    }
    case ZIP_SOURCE_SEEK: {
      const auto to = zip_source_seek_compute_offset(zip.position, zip.size, data, length, &zip.error);
      if (to < 0) return -1;
      zip.position = static_cast<std::uint64_t>(to);
      return 0;
    }
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(zip.position);
    case ZIP_SOURCE_STAT: {
      auto* const stat = static_cast<zip_stat_t*>(data);
      zip_stat_init(stat);
      stat->valid = ZIP_STAT_SIZE;
      stat->size = zip.size;
      return sizeof(zip_stat_t);
    }
    case ZIP_SOURCE_ERROR:
      return zip_error_to_data(&zip.error, data, length);
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    case ZIP_SOURCE_SUPPORTS:
      return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE,
                                            ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE,
                                            ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, -1);
    default:
      zip_error_set(&zip.error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseEntry {
  void operator()(zip_file_t* entry) const { zip_fclose(entry); }
};

class ZipBytes final : public ByteSource {
 public:
  explicit ZipBytes(std::shared_ptr<const FileHandle> file) { state_.file = std::move(file); }

  Result<void> open() {
    SLUICE_TRY(state_.size, state_.file->size());
    zip_error_t error;
    zip_error_init(&error);
    zip_source_t* const source = zip_source_function_create(serve, &state_, &error);
    if (source == nullptr) return fail(ErrorCode::internal, zip_error_strerror(&error));
    archive_.reset(zip_open_from_source(source, ZIP_RDONLY, &error));
    if (!archive_) {
      // The directory of a zip is at its end: a file that was cut has none.
      const std::string reason = zip_error_strerror(&error);
      zip_source_free(source);
      zip_error_fini(&error);
      return fail_transient(
          ErrorCode::truncated,
          fmt::format("the zip file has no directory at its end ({}): it was cut or is damaged", reason));
    }
    return open_entry();
  }

  Result<std::size_t> read(std::span<char> buffer) override {
    const auto got = zip_fread(entry_.get(), buffer.data(), buffer.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    return fail(ErrorCode::malformed, fmt::format("damaged zip entry \"{}\": {}", name_,
                                                  zip_error_strerror(zip_file_get_error(entry_.get()))));
  }

  std::uint64_t consumed() const override { return state_.position; }

 private:
  Result<void> open_entry() {
    std::vector<std::pair<zip_uint64_t, std::string>> files;
    const auto count = zip_get_num_entries(archive_.get(), 0);
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(count); ++i) {
      const char* const raw = zip_get_name(archive_.get(), i, 0);
      const std::string name = raw != nullptr ? raw : "";
      if (name == "[Content_Types].xml") {
        return fail(ErrorCode::unsupported,
                    "this is an Office file (xlsx?), which is not available yet; save it as CSV");
      }
      const auto slash = name.rfind('/');
      const auto base = slash == std::string::npos ? name : name.substr(slash + 1);
      if (base.empty() || base.front() == '.' || name.starts_with("__MACOSX/")) continue;
      files.emplace_back(i, name);
    }
    if (files.size() != 1) {
      std::string list;
      for (std::size_t i = 0; i < std::min<std::size_t>(files.size(), 5); ++i) {
        list += (i == 0 ? "" : ", ") + files[i].second;
      }
      return fail(ErrorCode::unsupported,
                  files.empty() ? "the zip file holds no file"
                                : fmt::format("the zip file holds {} files ({}{}); pack one file per zip",
                                              files.size(), list, files.size() > 5 ? ", …" : ""));
    }
    name_ = files.front().second;
    entry_.reset(zip_fopen_index(archive_.get(), files.front().first, 0));
    if (!entry_) {
      return fail(ErrorCode::unsupported, fmt::format("cannot read \"{}\" in the zip file: {}", name_,
                                                      zip_error_strerror(zip_get_error(archive_.get()))));
    }
    return {};
  }

  ZipFile state_;
  std::unique_ptr<zip_t, Discard> archive_;
  std::unique_ptr<zip_file_t, CloseEntry> entry_;
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> zip_bytes(std::shared_ptr<const FileHandle> file) {
  auto zip = std::make_unique<ZipBytes>(std::move(file));
  SLUICE_CHECK(zip->open());
  return zip;
}

}  // namespace sluice::decode

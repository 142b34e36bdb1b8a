// Gets the bytes of one source, pinned: nothing that happens outside while the run reads them can change them
// unseen (DESIGN, "How one run stays exact", 1). Files are opened in place, downloads are spooled.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "fetch/connection_pool.h"
#include "fetch/validators.h"
#include "model/spec.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace sluice::fetch {

// What the definitions may reach. The definitions cannot widen it; only the command line can.
struct Policy {
  std::vector<std::filesystem::path>
      allowed_roots;  // files below these; the definitions' own and --allow-path
  bool allow_any_path = false;
  std::vector<std::string> allowed_addresses;  // --allow-address: IP, CIDR block or host name
};

// What went over the wire, or was read of files, counted as it happens: it stands when a fetch fails too.
struct Traffic {
  std::int64_t requests = 0;  // HTTP requests, retries and redirects included
  std::int64_t bytes = 0;
};

struct Context {
  Clock& clock;
  std::filesystem::path spool_directory;  // must exist; spooled bytes are unnamed files in it
  const Policy& policy;
  std::function<void(std::string)> log;  // one line a request, retry or redirect; never holds a secret
  // Bytes received (as sent, before decompression) and the promised total; at most about ten calls a second.
  std::function<void(std::uint64_t bytes, std::optional<std::uint64_t> total)> progress;
  std::string user_agent;
  std::function<double()> random;               // [0, 1) for the jitter of retries; empty = the machine's
  std::shared_ptr<ConnectionPool> connections;  // shared by all fetches of the process; empty = none kept
  Traffic* traffic = nullptr;                   // added to; null = nobody asks
};

// How a local file looked when it was pinned.
struct Pin {
  std::filesystem::path path;
  std::uint64_t length = 0;
  std::int64_t mtime_ns = 0;
  std::int64_t ctime_ns = 0;
  bool rehash = false;  // the times were too fresh to show a later write
};

struct Item {
  std::shared_ptr<const FileHandle> file;  // read with read_at: the handle may be shared
  std::string name;                        // for messages and for the format: a path or a masked URL
  std::string content_type;                // http only, "" = not stated
  Validators validators;
  std::optional<Pin> pin;  // local files; spooled downloads cannot change
};

struct Fetched {
  std::vector<Item> items;    // in name order; empty after a 304
  bool not_modified = false;  // every item is certainly the same bytes as in `previous`
  std::int64_t requests = 0;  // HTTP requests, retries and redirects included
  std::int64_t retries = 0;
  std::int64_t bytes = 0;  // received over HTTP, or the size of the files that were read
};

// `previous`: the validators of the last applied run of this source, empty = never or "do not short-cut".
// When not_modified comes with items, store their validators if they differ from the previous ones: a file
// that was only touched is then not hashed again.
// Errors: forbidden (path or address policy), not_found, unauthorized, rate_limited (with retry_after),
// timeout, unreachable, truncated, malformed, too_large, cancelled, io, invalid_definition.
// Thread-safe for different contexts; one call uses one thread.
Result<Fetched> fetch(const SourceSpec& source, const std::vector<Validators>& previous, Context& context,
                      std::stop_token stop);

// To be called when all bytes were read: are the local files still as pinned? Otherwise a transient
// conflict, "changed while it was read". A file replaced by rename is no conflict: the old bytes were read.
Result<void> verify_pinned(const Fetched& fetched, std::stop_token stop = {});

}  // namespace sluice::fetch

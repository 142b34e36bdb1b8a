#include "support/pooler.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>

namespace sluice::test {
namespace {

void must(bool done, std::string_view what) {
  if (done) return;
  std::cerr << "the pooler for the tests: " << what << " has failed\n";
  std::abort();
}

}  // namespace

Pooler::Pooler(const std::string& url, const std::string& mode) {
  const std::size_t host = url.find("host=/");
  must(host != std::string::npos, "finding the server's socket in " + url);
  const std::size_t begin = host + std::string_view("host=").size();
  const std::size_t end = std::min(url.find('&', begin), url.size());
  std::string name = (std::filesystem::temp_directory_path() / "sluice-pooler-XXXXXX").string();
  must(::mkdtemp(name.data()) != nullptr, "making its folder");
  folder_ = name;
  url_ = url.substr(0, begin) + folder_ + url.substr(end);
  std::ofstream(folder_ + "/pooler.ini")
      << "[databases]\n* = host=" << url.substr(begin, end - begin)
      << " port=5432 user=sluice\n[pgbouncer]\nlisten_addr =\nlisten_port = 5432\n"
      << "unix_socket_dir = " << folder_ << "\nauth_type = any\npool_mode = " << mode
      << "\ndefault_pool_size = 50\nlogfile = " << folder_ << "/log\npidfile = " << folder_ << "/pid\n";
  // It refuses to run as root, and takes the server's user then (scripts/test-postgres.sh).
  std::string line = "pgbouncer -q -d '" + folder_ + "/pooler.ini'";
  if (::geteuid() == 0) {
    line = "user=$(id -un postgres 2>/dev/null || echo nobody); chown \"$user\" '" + folder_ + "' && " +
           line + " -u \"$user\"";
  }
  // It goes into the background before it listens.
  line += "; n=0; until [ -S '" + folder_ +
          "/.s.PGSQL.5432' ]; do n=$((n+1)); [ $n -lt 600 ] || exit 1; sleep 0.05; done";
  must(std::system(line.c_str()) == 0, line);
}

Pooler::~Pooler() {
  // What it listens on is gone once it has ended; nobody has to wait for that.
  (void)!std::system(("kill -INT $(cat '" + folder_ + "/pid')").c_str());
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace sluice::test

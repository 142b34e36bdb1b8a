// A real nginx on free loopback ports, with its own configuration and folder, for as long as the object
// lives.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

namespace sluice::fetch::test {

class Nginx {
 public:
  static bool installed();
  // `locations` goes into one server that listens for http and, with a certificate of its own making, for
  // https. Files are served from folder/www. Throws when nginx does not start.
  Nginx(std::filesystem::path folder, const std::string& locations);
  ~Nginx();
  Nginx(const Nginx&) = delete;
  Nginx& operator=(const Nginx&) = delete;

  std::string http(std::string_view path, std::string_view host = "127.0.0.1") const;
  std::string https(std::string_view path, std::string_view host = "localhost") const;
  std::string certificate() const { return folder_ / "cert.pem"; }

 private:
  bool start(const std::string& locations);

  std::filesystem::path folder_;
  int http_port_ = 0;
  int https_port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace sluice::fetch::test

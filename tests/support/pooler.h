// PgBouncer before a PostgreSQL server, on a Unix socket in a folder of its own; stopped with the object.
#pragma once

#include <string>

namespace sluice::test {

class Pooler {
 public:
  /// `url` names a server on a Unix socket; `mode` is session, transaction or statement. The process ends
  /// with a message when PgBouncer does not start.
  Pooler(const std::string& url, const std::string& mode);
  ~Pooler();
  Pooler(const Pooler&) = delete;
  Pooler& operator=(const Pooler&) = delete;
  const std::string& url() const { return url_; }

 private:
  std::string folder_, url_;
};

}  // namespace sluice::test

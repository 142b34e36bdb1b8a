// `sluice serve` on a port of its own, over a site's definitions, and what a page would ask it.
#pragma once

#include "acceptance/loopback_http.h"
#include "acceptance/site.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace sluice::test {

class Serving {
 public:
  explicit Serving(const Site& site, const std::vector<std::string>& more = {});
  std::uint16_t port() const { return port_; }
  Process& process() { return *process_; }

  // The answer's JSON; anything but 200 fails the test.
  Json get(const std::string& path) const;
  // Waits on the service's own events until the condition holds; false after a minute.
  bool until(const std::function<bool()>& condition) const;
  Json job(const std::string& id) const;
  bool until_succeeded(const std::string& loader, std::size_t runs = 1) const;
  // POST …/run as the page does it; the job's id.
  std::string run(const std::string& loader) const;
  // The job once it has succeeded or failed.
  Json ended(const std::string& id) const;
  // As the page lists the file; valid is null while it has not been seen.
  Json definition(const std::string& file) const;
  bool has_loader(const std::string& name) const;
  void expect_clean_stop();

 private:
  std::unique_ptr<Process> process_;
  std::uint16_t port_ = 0;
};

}  // namespace sluice::test

// The page's files, embedded at build (cmake/Dashboard.cmake writes the definition): either the bundle or,
// with SLUICE_DASHBOARD=OFF, one small page that says how to build it.
#pragma once

#include <span>
#include <string_view>

namespace sluice::api {

struct Asset {
  std::string_view name;          // "app-3f9a2c.js", below /assets/; "index.html" is the page itself
  std::string_view content_type;  // "text/javascript; charset=utf-8"
  std::string_view bytes;
  bool gzip = true;  // the bytes are packed
};

std::span<const Asset> page_assets();

}  // namespace sluice::api

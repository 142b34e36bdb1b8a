// Stands in for the page in builds with SLUICE_DASHBOARD=OFF.
#include "api/assets.h"

namespace sluice::api {
namespace {

constexpr Asset kAssets[] = {
    {"index.html", "text/html; charset=utf-8",
     "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Sluice</title></head><body>"
     "<h1>Sluice is running</h1>"
     "<p>This build has no page. Build it with <code>cmake -DSLUICE_DASHBOARD=ON</code> (needs Node 18 and "
     "npm); "
     "<code>scripts/build.sh</code> does so by itself.</p>"
     "<p>The API is there: <a href=\"/api/v1/overview\">/api/v1/overview</a>, "
     "<a href=\"/api/v1/openapi.json\">/api/v1/openapi.json</a>.</p></body></html>\n",
     false},
};

}  // namespace

std::span<const Asset> page_assets() { return kAssets; }

}  // namespace sluice::api

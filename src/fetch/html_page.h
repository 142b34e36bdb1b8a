// Tells a web page from data: a login or error page sent with status 200 must not be taken for records.
#pragma once

#include <string_view>

namespace sluice::fetch {

enum class PageKind { none, page, login };

// `start`: the first bytes of the body, some kilobytes. What counts is how the body begins; CSV sent as
// text/html by a careless server is data.
PageKind web_page_kind(std::string_view content_type, std::string_view start);

}  // namespace sluice::fetch
